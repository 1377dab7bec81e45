"""A store of clips becomes one of spectrograms."""

from dataclasses import replace

import numpy as np

from instrec.features import from_params, write
from instrec.util import hdf5
from tests.features.music_clips import CLIP, SPECTROGRAM, music
from tests.refusals import refused


def audio_store(path, clips=70):
    """A store of int16 clips: music, and silence last."""
    sound = np.stack([music(seed=seed) for seed in range(clips - 1)] + [np.zeros(CLIP.samples, np.float32)])
    ids = [f"train/solo/flute-{number}" for number in range(clips)]
    labels = np.array([[number % 2] for number in range(clips)], np.uint8)
    rows = np.round(sound / np.abs(sound).max() * 32767).astype(np.int16)
    with hdf5.create(
        path,
        name="audio",
        shape=(CLIP.samples,),
        dtype=np.int16,
        ids=ids,
        labels=labels,
        classes=("flute",),
        unknown=1 - labels,
    ) as writer:
        writer.append(rows)
    return rows


def test_a_store_of_audio_becomes_one_of_features(tmp_path, cluster):
    rows = audio_store(tmp_path / "audio.h5")
    representation = from_params(CLIP, SPECTROGRAM)
    for workers in (0, 1, 3):
        write(tmp_path / f"{workers}.h5", tmp_path / "audio.h5", representation, workers=workers)
    write(tmp_path / "cluster.h5", tmp_path / "audio.h5", representation, cluster=cluster.address)
    assert len({(tmp_path / f"{name}.h5").read_bytes() for name in ("0", "1", "3", "cluster")}) == 1
    with hdf5.open_store(tmp_path / "0.h5") as features, hdf5.open_store(tmp_path / "audio.h5") as audio:
        assert (features.ids, features.classes) == (audio.ids, audio.classes)
        assert np.array_equal(features.labels, audio.labels)
        assert np.array_equal(features.unknown, 1 - audio.labels)
        assert (features.shape, features.dtype) == (representation.shape, np.float16)
        assert features.attrs["name"] == "features"
        expected = representation.batch(rows.astype(np.float32) / 32768)
        assert np.array_equal(features.read(0, len(rows)), expected.astype(np.float16))
        assert not features.read(len(rows) - 1, len(rows)).any()


def test_audio_of_another_shape_is_the_users_to_mend(tmp_path):
    audio_store(tmp_path / "audio.h5", clips=2)
    longer = from_params(replace(CLIP, seconds=1.0), SPECTROGRAM)
    pair = from_params(CLIP, replace(SPECTROGRAM, part="solo_accompaniment_of_file"))
    for other, shape in ((longer, "(22050,)"), (pair, "(6615, 2)")):
        with refused("store-outdated", tmp_path / "audio.h5", shape, "`dvc repro synthesize`"):
            write(tmp_path / "features.h5", tmp_path / "audio.h5", other)
    assert not (tmp_path / "features.h5").exists()
