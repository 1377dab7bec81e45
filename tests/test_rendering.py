"""A row of the manifest says all: the same row gives the same bytes, in any process, among any others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from instrec import balance, noise, rendering, store
from instrec.errors import UserError
from instrec.manifest import CLEAN, NOISY, RECORDING, SCORE, Clip
from instrec.rendering import Renderer

RATE = 22050
PEAK = round(0.89 * 32767)
CLIP = Clip("train/solo/flute-00001", "train", SCORE, "", 0.0, ("flute",), "", "TimGM6mb.sf2", CLEAN, 20)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two frozen scores with their noise."""
    folder = tmp_path_factory.mktemp("frozen") / "data"
    for name, programs in (("solo/violin-000.mid", [40]), ("mixture/2-000-flute+piano.mid", [73, 0])):
        (folder / name).parent.mkdir(parents=True)
        save(folder / name, *programs)
    spec = noise.to_json(noise.Noise((noise.Step("distortion", {"kind": "hard", "drive_db": 18.0}),)))
    (folder / "noise.json").write_text(
        f'{{"solo/violin-000.mid": {spec}, "mixture/2-000-flute+piano.mid": {spec}}}'.replace("'", '"')
    )
    return folder


def save(path: Path, *programs: int, end: float = 0.9) -> None:
    score = pretty_midi.PrettyMIDI()
    for program in programs:
        track = pretty_midi.Instrument(program)
        track.notes = [pretty_midi.Note(90, 69, 0, end)]
        score.instruments.append(track)
    score.write(str(path))


@pytest.fixture
def render(small_params, data) -> Renderer:
    return Renderer(small_params, data)


def test_workers_and_engine_change_no_byte(tmp_path, small_params, data):
    """All splits, clean and noisy, composed, frozen and recorded, in one process and in three."""
    soundfile.write(tmp_path / "a.wav", tone(440, 2.5), 44100)
    own = replace(CLIP, id="recordings/solo/a", split="train", source=RECORDING, path=f"{tmp_path}/a.wav", onset=1.0)
    clips = [*balance.make(small_params, [], data), own, replace(own, id="noisy", noise=NOISY)]
    for workers in (1, 3):
        renderer = Renderer(replace(small_params, workers=workers), data)
        rendering.write(tmp_path / f"{workers}.h5", clips, renderer)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "3.h5").read_bytes()
    with store.open_store(tmp_path / "3.h5") as written:
        assert written.ids == [clip.id for clip in clips]
        assert (written.shape, written.dtype) == ((RATE,), np.int16)
        assert written.attrs["sample_rate"] == RATE
        for labels, clip in zip(written.labels, clips, strict=True):
            assert [name for name, sounds in zip(small_params.classes, labels, strict=True) if sounds] == list(
                clip.labels
            )
        y = written.read(0, len(clips))
        for alone in (0, 17, len(clips) - 1):  # one clip rendered by itself, from its row
            assert np.array_equal(Renderer(small_params, data)(clips[alone]), y[alone])
        peaks = np.abs(y.astype(int)).max(axis=1)
        sounds = np.array([bool(clip.labels) for clip in clips])
        assert set(peaks[sounds]) <= {PEAK - 1, PEAK, PEAK + 1}


def tone(hz: float, seconds: float, rate: int = 44100) -> np.ndarray:
    return 0.01 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def hertz(y: np.ndarray) -> float:
    return int(np.abs(np.fft.rfft(y * np.hanning(len(y)))).argmax()) * RATE / len(y)


def test_a_clip_without_instruments_is_silent(render):
    """With every effect FluidSynth may draw: its reverb must not become the loudest thing there is."""
    for number in range(40):
        assert not render(replace(CLIP, id=f"train/mixture/0-{number:05}", labels=())).any()


def test_a_clip_with_an_instrument_is_not(render, small_params):
    for number in range(20):
        for name in small_params.classes:
            y = render(replace(CLIP, id=f"train/solo/{name}-{number:05}", labels=(name,)))
            assert (y.shape, y.dtype) == ((RATE,), np.int16)
            assert abs(np.abs(y.astype(int)).max() - PEAK) <= 1


def test_id_seed_soundfont_and_noise_each_matter(render):
    plain = render(CLIP)
    for change in (
        {"id": "train/solo/flute-00002"},
        {"seed": 21},
        {"soundfont": "sf_GMbank.sf2"},
        {"noise": NOISY},
        {"labels": ("violin",)},
    ):
        assert not np.array_equal(render(replace(CLIP, **change)), plain), change
    for change in ({"group": "another"}, {"split": "valid"}):
        assert np.array_equal(render(replace(CLIP, **change)), plain), change


def test_the_order_of_labels_does_not(render):
    one, other = (replace(CLIP, labels=labels) for labels in (("flute", "piano"), ("piano", "flute")))
    assert np.array_equal(render(one), render(other))


# ---- recordings


def test_a_recording_is_cut_at_its_onset_and_levelled(tmp_path, render):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.concatenate([tone(440, 1.5), tone(1000, 1.5)]), 44100)
    clip = replace(CLIP, source=RECORDING, path=str(path), soundfont="")
    first, second = render(replace(clip, onset=0.25)), render(replace(clip, onset=1.75))
    assert (hertz(first), hertz(second)) == (pytest.approx(440, abs=1.5), pytest.approx(1000, abs=1.5))
    both = render(replace(clip, onset=1.0))
    assert hertz(both[: RATE // 2]) == pytest.approx(440, abs=2.5)
    assert hertz(both[RATE // 2 :]) == pytest.approx(1000, abs=2.5)
    for y in (first, second, both):
        assert len(y) == RATE
        assert abs(np.abs(y.astype(int)).max() - PEAK) <= 1


def test_a_short_recording_is_followed_by_silence(tmp_path, render):
    soundfile.write(tmp_path / "a.wav", tone(440, 0.4), 44100)
    y = render(replace(CLIP, source=RECORDING, path=f"{tmp_path}/a.wav"))
    assert len(y) == RATE
    assert y[: round(0.39 * RATE)].any()
    assert not y[round(0.41 * RATE) :].any()


def test_a_recording_that_vanished_is_named(tmp_path, render):
    with pytest.raises(UserError, match=r"gone\.wav"):
        render(replace(CLIP, source=RECORDING, path=f"{tmp_path}/gone.wav"))


# ---- scores of the user, and the frozen ones


def test_a_users_score_is_cut_at_its_onset(tmp_path, render):
    path = tmp_path / "song.mid"
    save(path, 73, end=5.0)
    clip = replace(CLIP, path=str(path), onset=3.0)
    assert abs(hertz(render(clip)) / 440 - round(hertz(render(clip)) / 440)) < 0.05
    assert np.array_equal(render(clip), render(clip))
    assert not render(replace(clip, onset=6.0)).any()


def test_frozen_scores_are_rendered_plain(render, data):
    """Neither id nor seed nor params.synth matters: only the score, the SoundFont and its own noise."""
    clip = replace(CLIP, id="seen_clean/solo/violin-000", split="seen_clean", path=f"{data}/solo/violin-000.mid")
    assert np.array_equal(render(clip), render(replace(clip, id="x", seed=1)))
    other = replace(render.params, synth=replace(render.params.synth, reverb_probability=1.0, detune_cents=50.0))
    assert np.array_equal(render(clip), Renderer(other, data)(clip))


def test_frozen_noise_is_that_of_the_file(render, data):
    clip = replace(CLIP, id="x", split="seen_noisy", path=f"{data}/solo/violin-000.mid", noise=NOISY)
    louder = replace(render.params.noise, background_probability=1.0, sethi_probability=1.0)
    y = render(clip)
    assert np.array_equal(y, Renderer(replace(render.params, noise=louder), data)(clip))
    assert not np.array_equal(y, render(replace(clip, split="seen_clean", noise=CLEAN)))
    # Hard clipping by 18 dB flattens the peaks.
    assert (np.abs(y.astype(int)) > 0.99 * PEAK).mean() > 0.1


@pytest.mark.parametrize("content", [None, b"", b"not MIDI", b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\1\0\0\x90"])
def test_a_broken_score_is_named(tmp_path, render, content):
    path = tmp_path / "song.mid"
    if content is not None:
        path.write_bytes(content)
    for split in ("train", "seen_clean"):
        with pytest.raises(UserError, match=r"song\.mid: not a MIDI file"):
            render(replace(CLIP, split=split, path=str(path)))


@pytest.mark.parametrize("content", [None, "", "[", '{"solo/violin-000.mid": [{"effect": "earthquake"}]}', "{}", "[]"])
def test_missing_or_broken_noise_is_named(tmp_path, small_params, content):
    (tmp_path / "solo").mkdir()
    path = tmp_path / "solo/violin-000.mid"
    save(path, 40)
    if content is not None:
        (tmp_path / "noise.json").write_text(content)
    clip = replace(CLIP, split="seen_noisy", path=str(path), noise=NOISY)
    with pytest.raises(UserError, match=r"noise\.json: .*dvc pull data\.dvc"):
        Renderer(small_params, tmp_path)(clip)


def test_a_soundfont_that_is_missing_is_named(render):
    with pytest.raises(UserError, match=r"nowhere\.sf2: not in "):
        render(replace(CLIP, soundfont="nowhere.sf2"))


def test_a_failure_leaves_no_file(tmp_path, small_params, data):
    clips = [CLIP, replace(CLIP, id="b", soundfont="nowhere.sf2")]
    for workers in (1, 2):
        with pytest.raises(UserError, match=r"nowhere\.sf2"):
            rendering.write(tmp_path / "train.h5", clips, Renderer(replace(small_params, workers=workers), data))
        assert list(tmp_path.iterdir()) == []
