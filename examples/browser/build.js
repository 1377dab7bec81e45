// Put the page, onnxruntime-web and the model into one folder that any web server can serve: npm run build [MODEL.onnx]
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const here = import.meta.dirname;
const model = process.argv[2]
  ? resolve(process.env.INIT_CWD ?? ".", process.argv[2])
  : resolve(here, "../../instrec/models/classifier.onnx");
if (!existsSync(model)) {
  console.error(`error: ${model}: no model there; \`instrec export --format onnx\` makes one: npm run build classifier.onnx`);
  process.exit(2);
}
const runtime = resolve(here, "../node_modules/onnxruntime-web/dist");
const files = {
  "index.html": here,
  "page.css": here,
  "page.js": here,
  "instruments.js": resolve(here, ".."),
  "ort.wasm.min.mjs": runtime,
  "ort-wasm-simd-threaded.mjs": runtime,
  "ort-wasm-simd-threaded.wasm": runtime,
};
const made = join(here, "dist");
mkdirSync(made, { recursive: true });
for (const [name, folder] of Object.entries(files)) copyFileSync(join(folder, name), join(made, name));
copyFileSync(model, join(made, "classifier.onnx"));
console.log(`${made} is ready: python3 -m http.server --directory ${made}`);
