"""Stage spectrograms: every split's audio becomes features; nothing to do is said."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from instrec import params
from instrec.util import hdf5
from stages import spectrograms
from tests.refusals import refused

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copy(PARAMS, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_split_is_transformed(folder):
    samples = params.load().clip.samples
    for number, split in enumerate(("train", "unseen_noisy")):
        with hdf5.create(
            folder / "build" / "audio" / f"{split}.h5",
            name="audio",
            shape=(samples,),
            dtype=np.int16,
            ids=[f"{split}/solo/flute-0001"],
            labels=np.ones((1, 1), np.uint8),
            classes=("flute",),
        ) as writer:
            writer.append(np.random.default_rng(number).integers(-9999, 9999, (1, samples), dtype=np.int16))
    spectrograms.main()
    for split in ("train", "unseen_noisy"):
        with hdf5.open_store(folder / "build" / "spectrograms" / f"{split}.h5") as features:
            assert features.ids == [f"{split}/solo/flute-0001"]
            assert 0 < features.read(0, 1).mean() < 1


def test_no_audio_names_the_stage_to_run(folder):
    with refused("audio-missing", "build/audio", "`dvc repro synthesize`"):
        spectrograms.main()
