"""Files that are missing or broken are named, and leave nothing behind."""

from dataclasses import replace

import pytest

from instrec.corpus.manifest import NOISY, RECORDING
from instrec.synthesis import writing
from instrec.synthesis.rendering import Renderer
from tests.refusals import refused
from tests.synthesis.rendering.clips import CLIP, save


def test_a_recording_that_vanished_is_named(tmp_path, render):
    with refused("file-unreadable", f"{tmp_path}/gone.wav"):
        render(replace(CLIP, source=RECORDING, path=f"{tmp_path}/gone.wav"))


@pytest.mark.parametrize("content", [None, b"", b"not MIDI", b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\1\0\0\x90"])
def test_a_broken_score_is_named(tmp_path, render, content):
    path = tmp_path / "song.mid"
    if content is not None:
        path.write_bytes(content)
    for split in ("train", "seen_clean"):
        with refused("not-a-midi-file", path):
            render(replace(CLIP, split=split, path=str(path)))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "document-unreadable"),
        ("", "document-unreadable"),
        ("[", "document-unreadable"),
        ('{"solo/violin-000.mid": [{"effect": "earthquake"}]}', "document-unreadable"),
        ("{}", "noise-missing"),
        ("[]", "document-unreadable"),
    ],
)
def test_missing_or_broken_noise_is_named(tmp_path_factory, small_params, content, code):
    data = tmp_path_factory.mktemp("data")  # not tmp_path, whose name may come again: what was read there is kept
    (data / "solo").mkdir()
    path = data / "solo/violin-000.mid"
    save(path, 40)
    if content is not None:
        (data / "noise.json").write_text(content)
    clip = replace(CLIP, split="seen_noisy", path=str(path), noise=NOISY)
    with refused(code, data / "noise.json", "dvc pull data.dvc"):
        Renderer(small_params, data)(clip)


def test_a_soundfont_that_is_missing_is_named(render):
    with refused("soundfont-missing", "nowhere.sf2", "soundfonts.folders"):
        render(replace(CLIP, soundfont="nowhere.sf2"))


def test_a_failure_leaves_no_file(tmp_path, small_params, data):
    clips = [CLIP, replace(CLIP, id="b", soundfont="nowhere.sf2")]
    for workers in (1, 2):
        with refused("soundfont-missing", "nowhere.sf2", "soundfonts.folders"):
            writing.write(tmp_path / "train.h5", clips, Renderer(replace(small_params, workers=workers), data))
        assert list(tmp_path.iterdir()) == []
