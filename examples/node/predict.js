// Name what plays in a WAV file of 16 bits at the model's rate: node predict.js classifier.onnx song.wav
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { about, predict } from "../instruments.js";

const [model, sound] = process.argv.slice(2).map((path) => readFileSync(path));
const described = about(model);
const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
const { instruments, doubtful, seconds } = await predict(ort, session, described, samples(sound, described.sample_rate));
const plain = (found) => found.map(({ name, share, probability, segments }) => ({ name, share, probability, segments }));
console.log(JSON.stringify({ seconds, instruments: plain(instruments), doubtful: plain(doubtful) }));

/** The mean of all channels, -1..1. */
function samples(file, rate) {
  let [at, channels, found] = [12, 1, 0];
  while (file.toString("latin1", at, at + 4) !== "data") {
    if (file.toString("latin1", at, at + 4) === "fmt ") {
      [channels, found] = [file.readUInt16LE(at + 10), file.readUInt32LE(at + 12)];
      if (file.readUInt16LE(at + 22) !== 16) throw new Error("not of 16 bits");
    }
    at += 8 + file.readUInt32LE(at + 4);
  }
  if (found !== rate) throw new Error(`at ${found} Hz, not ${rate}: ffmpeg -i song.wav -ar ${rate} other.wav`);
  const length = Math.floor(file.readUInt32LE(at + 4) / 2 / channels);
  return Float32Array.from({ length }, (_, index) => {
    let sum = 0;
    for (let each = 0; each < channels; each++) sum += file.readInt16LE(at + 8 + 2 * (index * channels + each));
    return sum / channels / 32768;
  });
}
