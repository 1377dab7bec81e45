"""A row of the manifest says all: the same row gives the same bytes, in any process, among any others."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from instrec.corpus import balance, manifest
from instrec.corpus.manifest import CLEAN, NOISY, RECORDING
from instrec.synthesis import writing
from instrec.synthesis.rendering import Renderer
from instrec.util import hdf5
from tests.synthesis.rendering.clips import CLIP, PEAK, RATE, held, tone


def test_workers_and_engine_change_no_byte(tmp_path, small_params, data, cluster):
    """All splits, clean and noisy, composed, frozen and recorded, in one process, in three and on a cluster."""
    soundfile.write(tmp_path / "a.wav", tone(440, 2.5), 44100)
    own = replace(CLIP, id="recordings/solo/a", split="train", source=RECORDING, path=f"{tmp_path}/a.wav", onset=1.0)
    clips = [*balance.make(small_params, [], data, held(small_params)), own, replace(own, id="noisy", noise=NOISY)]
    for name, engine in (("1", {"workers": 1}), ("3", {"workers": 3}), ("cluster", {"cluster": cluster.address})):
        writing.write(tmp_path / f"{name}.h5", clips, Renderer(replace(small_params, **engine), data))
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


@pytest.mark.parametrize("change", [{}, {"labels": ("flute", "piano"), "soundfont": "TimGM6mb.sf2 + sf_GMbank.sf2"}])
def test_a_noisy_twin_is_its_original_and_noise(render, change):
    clip = replace(CLIP, **change)
    original, twin = manifest.with_noisy_twins([clip])
    assert (original, twin.noise) == (clip, NOISY)
    assert not np.array_equal(render(twin), render(original))
    assert render(replace(twin, noise=CLEAN)).tobytes() == render(original).tobytes()


def test_the_order_of_labels_does_not(render):
    one, other = (replace(CLIP, labels=labels) for labels in (("flute", "piano"), ("piano", "flute")))
    assert np.array_equal(render(one), render(other))


def test_programs_are_composed_for_and_labelled_as_such_and_tested_as_instruments(tmp_path, small_params, data):
    bounds = replace(small_params.balance, train_per_class=1, train_mixtures=0, composed_per_class=1)
    classes = ("gm_000", "gm_040", "gm_047", "gm_073")
    params = replace(small_params, classes=classes, balance=bounds)
    clips = balance.make(params, [], data, held(params))
    for split, columns in (
        ("train", classes),
        ("composed_noisy", classes),
        ("unseen_clean", ("violin", "flute", "piano")),
        ("unseen_excerpts", ("violin", "flute", "piano")),
    ):
        own = [clip for clip in clips if clip.split == split]
        writing.write(tmp_path / f"{split}.h5", own, Renderer(params, data))
        with hdf5.open_store(tmp_path / f"{split}.h5") as written:
            assert written.classes == columns
            named = [tuple(np.array(columns)[row.astype(bool)]) for row in written.labels]
            assert named == [clip.labels for clip in own]
            assert all(np.abs(row).max() > 0 for row in written.read(0, len(own)))


def test_splits_written_together_are_those_written_alone(tmp_path, small_params, data):
    renderer = Renderer(replace(small_params, workers=2), data)
    clips = [clip for clip in balance.make(small_params, [], data, held(small_params)) if "excerpt" not in clip.id][::7]
    writing.write_splits(tmp_path, clips, renderer)
    splits = manifest.splits(clips)
    assert len(splits) > 3
    assert sorted(path.stem for path in tmp_path.glob("*.h5")) == sorted(splits)
    for split in splits:
        writing.write(tmp_path / "alone.h5", manifest.of_split(clips, split), renderer)
        assert (tmp_path / f"{split}.h5").read_bytes() == (tmp_path / "alone.h5").read_bytes()
