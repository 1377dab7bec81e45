"""Every representation keeps the contract, whatever its part and scale."""

import pickle
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.features import REPRESENTATIONS, from_params
from instrec.params import ClipParams
from tests.features.music_clips import CLIP, KINDS, PARTS, SCALES, SPECTROGRAM, fitted, music
from tests.refusals import refused


@pytest.fixture(params=SCALES, scope="module")
def scale(request):
    return request.param


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind.name}-{kind.part}", scope="module")
def representation(request, scale):
    return from_params(CLIP, replace(request.param, scale=scale))


def test_every_representation_is_tested():
    assert {kind.name for kind in KINDS} == REPRESENTATIONS.keys()


def test_shape_type_and_range(representation):
    computed = representation(fitted(music(), representation))
    assert computed.shape == representation.shape
    assert computed.dtype == np.float32
    assert 0 <= computed.min() < computed.max() <= 1


@pytest.mark.parametrize("samples", [0, 1, CLIP.samples])
def test_silence_gives_zeros(representation, samples):
    assert not representation(fitted(np.zeros(samples, np.float32), representation)).any()


@settings(max_examples=6)
@given(samples=st.integers(1, CLIP.samples), gain=st.floats(1e-30, 1e6), seed=st.integers(0, 99))
def test_any_length_and_loudness_gives_numbers_in_range(representation, samples, gain, seed):
    computed = representation(fitted(np.float32(gain) * music(samples, seed), representation))
    assert np.isfinite(computed).all()
    assert 0 <= computed.min() <= computed.max() <= 1


@pytest.mark.parametrize(
    "y", [np.eye(1, CLIP.samples, 3000)[0], np.ones(CLIP.samples)], ids=["click", "direct current"]
)
def test_sounds_at_the_edge_give_numbers_in_range(representation, y):
    computed = representation(fitted(y.astype(np.float32), representation))
    assert np.isfinite(computed).all()
    assert 0 <= computed.min() <= computed.max() <= 1


def test_shorter_is_padded_with_silence(representation):
    y = fitted(music(5000), representation)
    padded = np.concatenate([y, np.zeros((CLIP.samples - 5000, *y.shape[1:]), np.float32)])
    assert np.array_equal(representation(y), representation(padded))


def test_longer_is_an_error(representation):
    with pytest.raises(ValueError, match=f"at most {CLIP.samples}"):
        representation(fitted(np.zeros(CLIP.samples + 1, np.float32), representation))


def test_another_number_of_parts_is_an_error(representation):
    for shape in ((100, 3), (100, 2) if len(representation.sound) == 1 else (100,)):
        with pytest.raises(ValueError, match=re.escape(f"in shape {representation.sound}")):
            representation(np.zeros(shape, np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_an_error(representation, bad):
    y = fitted(music(), representation)
    y[100] = bad
    with pytest.raises(ValueError, match="NaN"):
        representation(y)


def test_batches_and_threads_change_no_byte(representation):
    y = np.stack([fitted(music(seed=seed), representation) for seed in range(5)])
    alone = np.stack([representation(clip) for clip in y])
    for threads in (1, 2, 16):
        assert np.array_equal(representation.batch(y, threads=threads), alone)
    assert np.array_equal(np.concatenate([representation.batch(y[:3]), representation.batch(y[3:])]), alone)
    assert representation.batch(y[:0]).shape == (0, *representation.shape)


def test_a_worker_process_can_be_given_one(representation):
    y = fitted(music(), representation)
    assert np.array_equal(pickle.loads(pickle.dumps(representation))(y), representation(y))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.name}-{kind.part}")
@pytest.mark.parametrize(("rate", "window"), [(8000, 512), (12000, 512), (44100, 2048), (96000, 4096)])
def test_any_rate_and_a_tenth_of_a_second(kind, rate, window):
    """Nor does a library warn of what is not the user's to mend."""
    clip = ClipParams(rate, 0.1)
    spectrogram = replace(kind, window=window, hop=window // 2, mels=40, min_hz=100.0, max_hz=rate / 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        representation = from_params(clip, spectrogram)
        computed = representation(fitted(music(clip.samples), representation))
    assert computed.shape == representation.shape
    assert 0 <= computed.min() < computed.max() <= 1


@pytest.mark.parametrize(
    ("change", "key", "named"),
    [
        ({"max_hz": 12000.0}, "max_hz", ("12000", "11025", "clip.sample_rate")),
        ({"min_hz": 11025.0}, "min_hz", ("11025", "max_hz")),
        ({"mels": 400}, "mels", ("400", "31", "spectrogram.window, 1024")),
        ({"frames": 27}, "frames", ("27", "26", "spectrogram.hop, 256")),
        ({"name": "multi_resolution", "frames": 27}, "frames", ("27", "26")),
        ({"name": "image", "pixels": 0}, "pixels", ("0", "image")),
        ({"name": "phase_image", "pixels": 0}, "pixels", ("0", "phase_image")),
        ({"name": "phase_image", "frames": 5}, "frames", ("5", "phase_image", "only 0")),
        ({"name": "phase_image", "window": 6500}, "window", ("6500 samples", "256 windows")),
        (
            {"name": "phase_image", "window": 8, "min_hz": 3000.0, "max_hz": 5000.0},
            "window",
            ("8 samples", "5000 Hz"),
        ),
        ({"name": "waveform", "frames": 5}, "frames", ("5", "waveform", "only 0")),
        *[
            ({"name": name, "part": part}, "part", (part, name, "whole"))
            for name in ("phase_image", "waveform")
            for part in PARTS[1:]
        ],
        *[({"name": "image", "part": part}, "part", (part,)) for part in PARTS[5:]],
    ],
    ids=str,
)
def test_parameters_that_do_not_fit_are_the_users_to_mend(change, key, named):
    with refused("parameters-conflict", f"params.yaml: spectrogram.{key}", *named):
        from_params(CLIP, replace(SPECTROGRAM, **change))
