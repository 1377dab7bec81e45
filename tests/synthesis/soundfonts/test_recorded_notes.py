"""Files of notes answer for every key at every velocity."""

import itertools

import numpy as np
import pytest
import soundfile

from instrec.synthesis.soundfonts import recorded_notes
from instrec.synthesis.soundfonts.recorded_notes import Region, key_of, named, notes
from instrec.synthesis.soundfonts.sf2_writer import write
from tests.refusals import refused
from tests.synthesis.soundfonts.test_sf2_writer import RATE, played, strongest_hz, tone


def recorded(path, key, *, level=1.0, seconds=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * tone(440 * 2 ** ((key - 69) / 12), seconds) / 32768, RATE)
    return path


@pytest.mark.parametrize(
    ("text", "key"), [("60", 60), ("c4", 60), ("Eb3", 51), ("F#-1", 6), ("As3", 58), ("61.5", 61.5)]
)
def test_a_key_is_a_number_or_a_name(text, key):
    assert key_of(text) == key


@pytest.mark.parametrize("text", ["", "h3", "c", "c44", "nan"])
def test_other_text_is_no_key(text):
    with pytest.raises(ValueError):
        key_of(text)


def test_notes_named_by_their_files_sound_at_their_pitch(tmp_path):
    for name, key in (("C3", 48), ("A4", 69), ("Eb5", 75)):
        recorded(tmp_path / "soft" / f"oo_{name}.wav", key)
    recorded(tmp_path / "noise.wav", 20)
    regions = named(tmp_path, r"soft/oo_(?P<note>[A-G][#b]?\d)\.wav")
    write(tmp_path / "own.sf2", "own", {(0, 53): notes(regions, release_seconds=0.2)})
    for key in (40, 48, 60, 69, 74, 90):
        assert strongest_hz(played(tmp_path / "own.sf2", 53, key, 0.5)) == pytest.approx(
            440 * 2 ** ((key - 69) / 12), rel=0.01
        )


def test_every_key_and_velocity_has_one_note(tmp_path):
    file = recorded(tmp_path / "a.wav", 69)
    rng = np.random.default_rng(0)
    for _ in range(50):
        lows, vels = rng.integers(0, 120, 8), rng.integers(0, 120, 8)
        regions = [
            Region(file, 60.0, (int(k), int(k + rng.integers(0, 8))), (int(v), int(v + rng.integers(0, 8))))
            for k, v in zip(lows, vels, strict=True)
        ]
        made = notes(regions, release_seconds=0.1)
        for key, velocity in itertools.product(range(0, 128, 7), range(0, 128, 7)):
            covering = [
                note
                for note in made
                if note.keys[0] <= key <= note.keys[1] and note.velocities[0] <= velocity <= note.velocities[1]
            ]
            assert len(covering) == 1


def test_takes_of_the_same_keys_take_turns_from_key_to_key(tmp_path):
    loud, soft = recorded(tmp_path / "1.wav", 69), recorded(tmp_path / "2.wav", 69, level=0.5)
    regions = [Region(file, 69.0, (key, key)) for key in range(60, 64) for file in (loud, soft)]
    peaks = [int(np.abs(note.pcm).max()) for note in notes(regions, release_seconds=0.1)]
    assert peaks == pytest.approx([recorded_notes.PEAK, recorded_notes.PEAK // 2] * 2, abs=3)


def test_each_layer_of_velocities_is_as_loud_as_others(tmp_path):
    loud, soft = recorded(tmp_path / "1.wav", 69), recorded(tmp_path / "2.wav", 69, level=0.1)
    regions = [Region(loud, 69.0, (0, 127), (64, 127)), Region(soft, 69.0, (0, 127), (0, 63))]
    for note in notes(regions, release_seconds=0.1):
        assert np.abs(note.pcm).max() == pytest.approx(recorded_notes.PEAK, abs=1)


@pytest.mark.parametrize("content", [b"", b"no sound", None])
def test_a_file_that_is_no_sound_is_told(tmp_path, content):
    path = tmp_path / "a.wav"
    if content is None:
        soundfile.write(path, np.zeros(0), RATE)
    else:
        path.write_bytes(content)
    with refused("file-damaged" if content is None else "file-unreadable", path):
        notes([Region(path, 60.0, (0, 127))], release_seconds=0.1)
