import * as ort from "./ort.wasm.min.mjs";
import { about, predict } from "./instruments.js";

const COLORS = ["#1b6ca8", "#c8502b", "#2e8b57", "#7b4fa3", "#b8860b", "#c2417c", "#2a9d9a", "#6b705c"];
const COLUMNS = 1600;
const [sound, timeline] = [document.getElementById("audio"), document.getElementById("timeline")];
const say = (text) => { document.getElementById("state").textContent = text; };
const percent = (share) => `${Math.round(100 * share)} %`;
const title = ({ name }) => name.replaceAll("_", " ");

ort.env.wasm.numThreads = 1; // more need headers that few static hosts send
const loaded = fetch("classifier.onnx").then(async (answer) => {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return { model: about(bytes), session: await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 }) };
});
let asked = 0;

export async function predicted(file, progress) {
  const { model, session } = await loaded;
  return predict(ort, session, model, await decoded(file, model.sample_rate), progress);
}

async function show(file) {
  const turn = ++asked;
  document.getElementById("result").hidden = true;
  say("Decoding");
  try {
    const found = await predicted(file, (share) => {
      if (turn !== asked) throw new Error("another sound was chosen");
      say(`Analyzing: ${percent(share)}`);
    });
    URL.revokeObjectURL(sound.src);
    sound.src = URL.createObjectURL(file);
    document.getElementById("name").textContent = file.name;
    document.getElementById("result").hidden = false;
    draw(found);
    say(found.instruments.length ? "" : "Nothing is recognized.");
  } catch (error) {
    if (turn === asked) say(`${file.name}: ${error.message}`);
  }
}

/** The mean of all channels at the model's rate; the browser decodes and resamples. */
async function decoded(file, rate) {
  const buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer()).catch(() => {
    throw new Error("this browser cannot decode it. Convert it to WAV or MP3.");
  });
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, index) => buffer.getChannelData(index));
  return Float32Array.from(channels[0], (_, at) => channels.reduce((sum, each) => sum + each[at], 0) / channels.length);
}

function draw({ seconds, instruments, doubtful, peaks }) {
  timeline.dataset.seconds = seconds;
  timeline.setAttribute("aria-valuemax", seconds.toFixed(1));
  const wave = thinned(peaks);
  const top = Math.max(...wave) || 1;
  paint(document.getElementById("waveform"), wave.length, (context, column) => {
    const half = (40 * wave[column]) / top;
    context.fillRect(column, 40 - half, 1, 2 * half);
  });
  document.getElementById("rows").replaceChildren(...instruments.map((each, index) => row(each, COLORS[index % COLORS.length], seconds)));
  document.getElementById("doubtful").textContent = doubtful.length ? `Doubtful: ${doubtful.map(title).join(", ")}.` : "";
  follow();
}

/** An instrument: the darker, the surer, with a bar where it sounds. */
function row(each, color, seconds) {
  const [element, label, rate, canvas] = ["div", "p", "span", "canvas"].map((tag) => document.createElement(tag));
  element.className = "row";
  rate.textContent = `${percent(each.share)} of the time, probability ${each.probability.toFixed(2)}`;
  label.append(`${title(each)} `, rate);
  const values = thinned(each.values);
  canvas.height = 22;
  const context = paint(canvas, values.length, (context, column) => {
    context.fillStyle = color;
    context.globalAlpha = 0.05 + 0.75 * values[column];
    context.fillRect(column, 0, 1, 17);
  });
  context.globalAlpha = 1;
  const scale = values.length / seconds;
  for (const [start, end] of each.segments) context.fillRect(start * scale, 17, Math.max(1, (end - start) * scale), 5);
  element.append(label, canvas);
  return element;
}

function paint(canvas, width, column) {
  canvas.width = width;
  const context = canvas.getContext("2d");
  context.fillStyle = "#8a97a3";
  for (let each = 0; each < width; each++) column(context, each);
  return context;
}

/** The highest of each of so many equal stretches as an image can show. */
function thinned(values) {
  const parts = Math.min(COLUMNS, values.length);
  const place = (index) => Math.floor((index * values.length) / parts);
  return Array.from({ length: parts }, (_, index) => Math.max(...values.slice(place(index), place(index + 1))));
}

function follow() {
  const seconds = Number(timeline.dataset.seconds);
  document.getElementById("playhead").style.left = `${Math.min(100, (100 * sound.currentTime) / seconds)}%`;
  timeline.setAttribute("aria-valuenow", sound.currentTime.toFixed(1));
  if (!sound.paused) requestAnimationFrame(follow);
}

const seek = (seconds) => { sound.currentTime = Math.max(0, Math.min(Number(timeline.dataset.seconds), seconds)); };
timeline.addEventListener("click", (event) => {
  const { left, width } = timeline.getBoundingClientRect();
  seek((Number(timeline.dataset.seconds) * (event.clientX - left)) / width);
});
timeline.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -5, ArrowRight: 5 }[event.key];
  if (step) seek(sound.currentTime + step);
});
for (const kind of ["play", "seeked", "timeupdate"]) sound.addEventListener(kind, follow);

document.getElementById("file").addEventListener("change", (event) => {
  if (event.target.files.length) show(event.target.files[0]);
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) show(event.dataTransfer.files[0]);
});
