"""SoundFonts stay loaded as memory allows, and no sound depends on it."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.rendering import Renderer
from instrec.synthesis.soundfonts import cache, catalog, sf2_writer
from tests.synthesis.rendering.clips import CLIP, RATE

TWELVE = tuple(f"{number:02}.sf2" for number in range(12))


@pytest.fixture
def turns(tmp_path, small_params, monkeypatch):
    """Render clips that twelve SoundFonts play; give their sound, and which of these were loaded and freed for it."""
    for number, name in enumerate((*TWELVE, "other-0.sf2", "other-1.sf2")):
        pcm = np.random.default_rng(number).integers(-9000, 9000, 5000).astype(np.int16)
        sf2_writer.write(tmp_path / name, name, {(0, 73): [sf2_writer.Note(pcm, RATE, 60.0, (0, 127), loop=(0, 5000))]})
    render = Renderer(
        replace(small_params, soundfonts=replace(small_params.soundfonts, folders=(str(tmp_path),))), tmp_path
    )
    events: list[tuple[str, str]] = []

    class Watched(Synth):
        def __init__(self, path: Path, rate: int) -> None:
            super().__init__(path, rate)
            events.append(("loaded", path.name))

        def close(self) -> None:
            super().close()
            events.append(("freed", self.soundfont.name))

    monkeypatch.setattr(cache, "Synth", Watched)

    def play(names, *, room: int | None = None, repeat: int = 1):
        if room is not None:
            monkeypatch.setattr(cache, "soundfont_bytes", lambda workers: room * (tmp_path / "00.sf2").stat().st_size)
        events.clear()
        sounds = [render(replace(CLIP, soundfont=name)).tobytes() for _ in range(repeat) for name in names]
        return sounds, Counter(what for what, _ in events)

    monkeypatch.setattr(cache, "SYNTHS", cache.SynthCache())
    return play


def test_twelve_soundfonts_are_loaded_once(turns):
    sounds, counted = turns(TWELVE, repeat=3)
    assert counted == {"loaded": 12}
    assert sounds[:12] == sounds[12:24] == sounds[24:]
    assert len(set(sounds)) == 12


def test_where_memory_is_scarce_most_stay_and_no_sound_changes(turns):
    sounds, _ = turns(TWELVE, repeat=3)
    again, counted = turns([*TWELVE, "other-0.sf2"], room=8)
    assert again[:12] == sounds[:12]
    assert counted == {"loaded": 1, "freed": 5}  # down to eight
    again, counted = turns(TWELVE, repeat=10)
    assert again == sounds[:12] * 10
    assert counted["loaded"] == counted["freed"]
    assert counted["loaded"] < 10 * 6  # what is used longest ago would make room for all 120


def test_what_takes_no_turns_any_more_makes_room(turns, monkeypatch):
    monkeypatch.setattr(cache, "_IDLE_CLIPS", 20)
    turns(TWELVE[:8], room=8)
    _, counted = turns(["other-0.sf2", "other-1.sf2"], repeat=20)
    assert counted["loaded"] < 20


@pytest.mark.parametrize("room", [0, 1])
def test_one_is_always_held(turns, room):
    sounds, counted = turns(TWELVE[:2], room=room, repeat=2)
    assert sounds[:2] == sounds[2:]
    assert counted == {"loaded": 4, "freed": 3}


def test_a_soundfont_that_is_freed_leaves_no_memory_behind(full_params, score_of):
    """Sixty times, after clips have been rendered with it: 260 MB where nothing was freed."""
    path = catalog.find("sf_GMbank.sf2", full_params.soundfonts.folders)

    def used() -> None:
        synth = Synth(path, RATE)
        synth.render(score_of(40, (60, 0, 0.1)), 0.1)
        synth.close()

    for _ in range(10):
        used()
    before = resident_bytes()
    for _ in range(60):
        used()
    assert resident_bytes() - before < 60e6


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_workers_share_the_memory():
    whole = cache.soundfont_bytes(1)
    assert cache.soundfont_bytes(2) == pytest.approx(max(whole / 2, 1 << 30))
    assert cache.soundfont_bytes(10_000) == 1 << 30  # what params.yaml needs, always
