"""A row of the manifest says all: the same row gives the same bytes, in any process, among any others."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from instrec.corpus import balance
from instrec.corpus.manifest import CLEAN, NOISY, RECORDING, SCORE, Clip
from instrec.errors import UserError
from instrec.scores import midi
from instrec.synthesis import noise, rendering
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.rendering import Renderer
from instrec.synthesis.soundfonts import cache, catalog, sf2_writer
from instrec.util import hdf5

RATE = 22050
PEAK = round(0.89 * 32767)
CLIP = Clip("train/solo/flute-00001", "train", SCORE, "", 0.0, ("flute",), "", "TimGM6mb.sf2", CLEAN, 20)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two frozen scores with their noise, and an excerpt."""
    folder = tmp_path_factory.mktemp("frozen") / "data"
    for name, programs in (("solo/violin-000.mid", [40]), ("mixture/2-000-flute+piano.mid", [73, 0])):
        (folder / name).parent.mkdir(parents=True)
        save(folder / name, *programs)
    (folder / "excerpt").mkdir()
    save(folder / "excerpt/000-piano.mid", 0, 0, end=2.6)
    spec = noise.to_json(noise.Noise((noise.Step("distortion", {"kind": "hard", "drive_db": 18.0}),)))
    (folder / "noise.json").write_text(
        f'{{"solo/violin-000.mid": {spec}, "mixture/2-000-flute+piano.mid": {spec}}}'.replace("'", '"')
    )
    return folder


def held(params):
    return catalog.held(params.soundfonts.all, params.soundfonts.folders)


def save(path: Path, *programs: int, end: float = 0.9, start: float = 0.0) -> None:
    score = pretty_midi.PrettyMIDI()
    for program in programs:
        track = pretty_midi.Instrument(program)
        track.notes = [pretty_midi.Note(90, 69, start, end)]
        score.instruments.append(track)
    score.write(str(path))


@pytest.fixture
def render(small_params, data) -> Renderer:
    return Renderer(small_params, data)


def test_workers_and_engine_change_no_byte(tmp_path, small_params, data, cluster):
    """All splits, clean and noisy, composed, frozen and recorded, in one process, in three and on a cluster."""
    soundfile.write(tmp_path / "a.wav", tone(440, 2.5), 44100)
    own = replace(CLIP, id="recordings/solo/a", split="train", source=RECORDING, path=f"{tmp_path}/a.wav", onset=1.0)
    clips = [*balance.make(small_params, [], data, held(small_params)), own, replace(own, id="noisy", noise=NOISY)]
    for name, engine in (("1", {"workers": 1}), ("3", {"workers": 3}), ("cluster", {"cluster": cluster.address})):
        rendering.write(tmp_path / f"{name}.h5", clips, Renderer(replace(small_params, **engine), data))
    assert len({(tmp_path / f"{name}.h5").read_bytes() for name in ("1", "3", "cluster")}) == 1
    with hdf5.open_store(tmp_path / "3.h5") as written:
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


# ---- windows of excerpts


def test_windows_of_an_excerpt_are_slices_of_it(render, data):
    """Whatever was rendered in between; leveled one by one, as all clips are."""
    path = data / "excerpt/000-piano.mid"
    clip = replace(CLIP, split="unseen_excerpts", path=str(path), labels=("piano",))
    synth = Synth(catalog.find(CLIP.soundfont, render.params.soundfonts.folders), RATE)
    whole = synth.render(midi.load(path), 4.0)
    onsets = [0.0, 0.25, 0.5, 1.0, 1.8, 2.5]
    windows = {onset: render(replace(clip, id=str(onset), onset=onset)) for onset in onsets}
    for onset, y in windows.items():
        expected = whole[round(onset * RATE) :][:RATE]
        assert np.abs(y - expected / np.abs(expected).max() * 0.89 * 32767).max() <= 1
        render(CLIP)
        assert np.array_equal(render(replace(clip, onset=onset)), y)


# ---- composed test sets


@pytest.mark.parametrize("labels", [("flute",), ("flute", "piano"), ()])
def test_composed_clips_are_played_plainly_and_are_one_score_clean_and_noisy(render, labels):
    group = "composed/mixture/x-00001"
    clip = replace(CLIP, id="composed_clean/mixture/x-00001", split="composed_clean", labels=labels, group=group)
    plain = replace(render.params, synth=replace(render.params.synth, reverb_probability=1.0, detune_cents=50.0))
    y = render(clip)
    assert np.array_equal(y, Renderer(plain, render.data)(clip))
    assert y.any() == bool(labels)
    noisy = replace(clip, id="composed_noisy/mixture/x-00001", split="composed_noisy")
    assert np.array_equal(render(noisy), y)  # while there is no noise
    assert not np.array_equal(render(replace(noisy, noise=NOISY)), y) or not labels
    if labels:
        assert not np.array_equal(render(replace(clip, group="composed/mixture/x-00002")), y)


def test_programs_are_composed_for_and_labelled_as_such_and_tested_as_instruments(tmp_path, small_params, data):
    bounds = replace(small_params.balance, train_per_class=1, train_mixtures=0, composed_per_class=1)
    classes = ("gm_000", "gm_040", "gm_046", "gm_073")
    params = replace(small_params, classes=classes, balance=bounds)
    clips = balance.make(params, [], data, held(params))
    for split, columns in (
        ("train", classes),
        ("composed_noisy", classes),
        ("unseen_clean", ("violin", "flute", "piano")),
        ("unseen_excerpts", ("violin", "flute", "piano")),
    ):
        own = [clip for clip in clips if clip.split == split]
        rendering.write(tmp_path / f"{split}.h5", own, Renderer(params, data))
        with hdf5.open_store(tmp_path / f"{split}.h5") as written:
            assert written.classes == columns
            named = [tuple(np.array(columns)[row.astype(bool)]) for row in written.labels]
            assert named == [clip.labels for clip in own]
            assert all(np.abs(row).max() > 0 for row in written.read(0, len(own)))


# ---- clips shorter than their scores


def test_a_short_clip_of_a_frozen_score_has_its_instruments(tmp_path, render):
    """The first of the places, a hop apart, that has them all."""
    flute, piano = 73, 0
    for spans, start in (
        ({flute: (0.0, 0.9)}, 0.0),
        ({flute: (1.2, 2.9)}, 1.0),
        ({flute: (2.2, 2.9)}, 2.0),
        ({flute: (0.0, 2.9), piano: (1.1, 1.9)}, 1.0),
        ({flute: (0.0, 1.5), piano: (2.2, 2.9)}, 0.0),  # never both: the first that has one
    ):
        path = tmp_path / "solo" / "flute-000.mid"
        path.parent.mkdir(exist_ok=True)
        score = pretty_midi.PrettyMIDI()
        for program, (begin, end) in spans.items():
            track = pretty_midi.Instrument(program)
            track.notes = [pretty_midi.Note(100, 76, begin, end)]
            score.instruments.append(track)
        score.write(str(path))
        y = render(replace(CLIP, split="seen_clean", path=str(path)))
        longer = replace(render.params, clip=replace(render.params.clip, seconds=4.0))
        whole = Renderer(longer, render.data)(replace(CLIP, split="seen_clean", path=str(path))).astype(float)
        expected = whole[round(start * RATE) :][:RATE]
        assert np.abs(y - expected / np.abs(expected).max() * 0.89 * 32767).max() <= 2


def test_a_clip_as_long_as_the_frozen_scores_begins_where_they_do(tmp_path, render):
    save(tmp_path / "late.mid", 73, end=2.9, start=2.0)
    longer = replace(render.params, clip=replace(render.params.clip, seconds=3.0))
    y = Renderer(longer, tmp_path)(replace(CLIP, split="seen_clean", path=f"{tmp_path}/late.mid"))
    assert not y[: round(1.95 * RATE)].any()
    assert y[round(2.1 * RATE) :].any()


def test_with_onset_a_score_is_cut_at_its_attack(tmp_path, render):
    attack = Renderer(replace(render.params, selection=replace(render.params.selection, start="onset")), tmp_path)
    save(tmp_path / "late.mid", 0, end=2.9, start=1.7)
    for clip in (
        replace(CLIP, split="seen_clean", path=f"{tmp_path}/late.mid"),
        *(replace(CLIP, id=f"train/solo/piano-{number:05}", labels=("piano",)) for number in range(8)),
    ):
        y = attack(clip).astype(float)
        level = np.sqrt(np.mean(y[: RATE // 20] ** 2))
        assert level > 0.02 * PEAK, clip.id  # it sounds from the beginning
        assert not np.array_equal(y, render(clip))


def test_with_onset_a_mixture_still_has_all_its_instruments(tmp_path, render):
    """Where they do not sound together from the attack on, the clip begins elsewhere."""
    attack = Renderer(replace(render.params, selection=replace(render.params.selection, start="onset")), tmp_path)
    score = pretty_midi.PrettyMIDI()
    for program, *notes in ((73, (60, 0.0, 1.9)), (0, (40, 1.5, 1.8), (120, 2.2, 2.9))):
        track = pretty_midi.Instrument(program)
        track.notes = [pretty_midi.Note(velocity, 76, begin, end) for velocity, begin, end in notes]
        score.instruments.append(track)
    score.write(f"{tmp_path}/2-000-flute+piano.mid")
    clip = replace(CLIP, split="seen_clean", path=f"{tmp_path}/2-000-flute+piano.mid", labels=("flute", "piano"))
    assert np.array_equal(attack(clip), render(clip))  # from 1.0 s on
    assert not attack(replace(CLIP, id="train/mixture/0-00001", labels=())).any()


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


# ---- SoundFonts in memory

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
