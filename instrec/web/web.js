"use strict";
const part = (id) => document.getElementById(id);
const [drop, input, sound] = [part("drop"), part("file"), part("audio")];
let asking = null;

const clock = (seconds) => {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  const [hours, within] = [Math.floor(minutes / 60), minutes % 60];
  return `${hours ? `${hours}:${String(within).padStart(2, "0")}` : within}:${String(rest).padStart(2, "0")}`;
};

const show = (id, shown) => { part(id).hidden = !shown; };

const complain = (reason) => {
  show("work", false);
  part("error").textContent = reason;
  show("error", true);
};

const tell = (text, share) => {
  part("state").textContent = text;
  if (Number.isFinite(share)) part("progress").value = share;
  else part("progress").removeAttribute("value");
};

const follow = () => {
  const timeline = part("timeline");
  if (timeline) {
    const length = Number(timeline.dataset.duration);
    timeline.querySelector(".playhead").style.left = `${Math.min(100, (100 * sound.currentTime) / length)}%`;
    timeline.setAttribute("aria-valuenow", sound.currentTime.toFixed(1));
    timeline.setAttribute("aria-valuetext", `${clock(sound.currentTime)} of ${clock(length)}`);
  }
  if (!sound.paused) requestAnimationFrame(follow);
};

const seek = (seconds) => {
  const length = Number(part("timeline").dataset.duration);
  sound.currentTime = Math.max(0, Math.min(length, seconds));
  follow();
};

const answered = (line, name) => {
  if ("ahead" in line) {
    tell(`Waiting: ${line.ahead} files ahead of yours`);
  } else if ("seconds" in line) {
    const length = sound.duration;
    tell(`Analyzing: ${clock(line.seconds)}${Number.isFinite(length) ? ` of ${clock(length)}` : ""}`, line.seconds / length);
  } else if ("error" in line) {
    complain(`${name}: ${line.error}`);
  } else {
    part("found").innerHTML = line.html;  // the server's own; everything in it that is not is escaped
    show("work", false);
    show("result", true);
    follow();
  }
};

const ask = (file) => {
  if (asking) asking.abort();
  sound.pause();
  if (sound.src) URL.revokeObjectURL(sound.src);
  part("found").replaceChildren();
  for (const id of ["error", "result", "mute"]) show(id, false);
  const limit = Number(input.dataset.limitMb);
  if (file.size > limit * 1e6) {
    complain(`${file.name}: has more than ${limit} MB; try instrec predict`);
    return;
  }
  sound.src = URL.createObjectURL(file);
  part("name").textContent = file.name;
  show("work", true);
  tell("Sending", 0);
  const request = new XMLHttpRequest();
  asking = request;
  let [read, done] = [0, false];
  const readOn = () => {
    const end = request.responseText.lastIndexOf("\n") + 1;
    for (const text of request.responseText.slice(read, end).split("\n").filter(Boolean)) {
      const line = JSON.parse(text);
      done = done || "html" in line || "error" in line;
      answered(line, file.name);
    }
    read = Math.max(read, end);
  };
  request.upload.onprogress = (event) => tell("Sending", event.loaded / event.total);
  request.upload.onload = () => tell("Analyzing");
  request.onprogress = () => { if (request.status === 200) readOn(); };
  request.onload = () => {
    if (request.status === 200) readOn();
    else if (request.getResponseHeader("content-type") === "application/json") answered(JSON.parse(request.responseText), file.name);
    else complain(`${file.name}: refused (${request.status})`);
    if (request.status === 200 && !done) complain(`${file.name}: the server failed; its terminal says why`);
  };
  request.onerror = () => complain(`${file.name}: no answer; is it a file, and does instrec serve still run?`);
  request.open("POST", "timeline");
  request.send(file);
};

input.addEventListener("change", () => {
  if (input.files.length) ask(input.files[0]);
  input.value = "";  // so that the same file can be chosen again
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) ask(event.dataTransfer.files[0]);
});

sound.addEventListener("play", follow);
sound.addEventListener("seeked", follow);
sound.addEventListener("error", () => show("mute", Boolean(sound.src)));

part("found").addEventListener("click", (event) => {
  const [button, rows] = [event.target.closest("[data-seconds]"), event.target.closest(".rows")];
  if (button) seek(Number(button.dataset.seconds));
  else if (rows) {
    const box = rows.getBoundingClientRect();
    seek((Number(part("timeline").dataset.duration) * (event.clientX - box.left)) / box.width);
  }
});
part("found").addEventListener("keydown", (event) => {
  if (event.target.id !== "timeline") return;
  const now = sound.currentTime;
  const moves = { ArrowLeft: now - 5, ArrowRight: now + 5, ArrowDown: now - 5, ArrowUp: now + 5, Home: 0, End: Infinity };
  if (event.key in moves) seek(moves[event.key]);
  else if (event.key === " ") sound.paused ? sound.play() : sound.pause();
  else return;
  event.preventDefault();
});
