"use strict";
// One sound at a time, and a line over its image where it is.
document.addEventListener("play", (event) => {
  const playing = event.target;
  for (const other of document.querySelectorAll("audio")) {
    if (other !== playing) other.pause();
  }
  const line = playing.closest("[data-player]").querySelector(".playhead");
  const follow = () => {
    line.style.visibility = "visible";
    line.style.left = `${(100 * playing.currentTime) / playing.duration}%`;
    if (!playing.paused) requestAnimationFrame(follow);
  };
  follow();
}, true);
