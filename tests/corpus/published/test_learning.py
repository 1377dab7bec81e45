"""Datasets, balanced and learned from: what tests, what trains."""

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from instrec import features, params
from instrec.corpus import balance, manifest, published
from instrec.corpus.published import CORPORA
from instrec.models import architectures
from instrec.synthesis import rendering, writing
from instrec.synthesis.soundfonts import catalog
from instrec.training import fit
from instrec.training.batches import Batches
from instrec.util.hdf5 import open_store
from tests.corpus.published.miniature_sizes import ALL, FOUND, sources


def test_a_data_set_that_trains_keeps_its_partition_whether_or_not_it_tests(bring):
    for test in ((), ("medley_solos_db",)):
        entries, _ = published.scan(sources(train=("medley_solos_db",), test=test), classes=ALL, workers=1)
        assert Counter(entry.split for entry in entries) == FOUND["medley_solos_db"][1]


def test_one_that_only_tests_does_so_with_its_test_part_or_all_of_it(bring):
    entries, excluded = published.scan(sources(test=("medley_solos_db", "good_sounds")), classes=ALL, workers=1)
    assert {entry.split for entry in entries} == {"test"}
    assert Counter(entry.source for entry in entries) == {"medley_solos_db": 8, "good_sounds": 48}
    assert any(each.reason.startswith("24 files: not of the dataset's test part") for each in excluded)


@pytest.fixture(scope="module")
def settings(small_params) -> params.Params:
    """Every class, two training clips each, in two batches."""
    bounds = {"train_per_class": 2, "train_mixtures": 0, "valid_per_class": 1, "valid_mixtures": 0}
    return replace(
        small_params,
        task="multilabel",
        classes=ALL,
        balance=replace(small_params.balance, **bounds, noisy_share=0.0),
        train=replace(small_params.train, batch_size=len(ALL)),
    )


@pytest.fixture(scope="module")
def model(settings):
    """One model for all datasets: compiled once."""
    shape = features.from_params(settings.clip, settings.spectrogram)(np.zeros(settings.clip.samples)).shape
    built = architectures.build(shape, len(ALL), settings.task, settings.model)
    return fit.compiled(settings, built, 2)


@pytest.mark.parametrize("name", CORPORA)
def test_from_files_to_two_steps_of_training(name, bring, settings, model, score_of):
    bring(name)
    for file in ("data/solo/violin-000.mid", "data/excerpt/000-violin.mid"):
        Path(file).parent.mkdir(parents=True)
        score_of(40, (60, 0.0, 2.0)).write(file)
    settings = replace(settings, sources=sources(train=(name,)))
    if name == "openmic":  # all of it is mixtures
        bounds = replace(settings.balance, train_mixtures=2 * len(ALL), fill_up=False)
        settings = replace(settings, balance=bounds)
    entries, _ = published.scan(settings.sources, classes=ALL, workers=1)
    held = catalog.held(settings.soundfonts.all, settings.soundfonts.folders)
    clips = balance.make(settings, entries, Path("data"), held)
    own = [clip for clip in clips if clip.group.startswith(f"{name}/")]
    groups = defaultdict(set)
    for clip in own:
        groups[clip.group].add(clip.split)
    assert all(len(splits) == 1 for splits in groups.values())
    assert {clip.split for clip in own} >= {"train", name} or name == "medleydb"
    assert all(clip.source == manifest.RECORDING for clip in own)

    trained = manifest.of_split(clips, "train")
    assert any(clip in own for clip in trained)
    writing.write(Path("audio.h5"), trained, rendering.Renderer(settings, Path("data")))
    representation = features.from_params(settings.clip, settings.spectrogram)
    features.write(Path("inputs.h5"), Path("audio.h5"), representation, workers=1)
    with open_store(Path("inputs.h5")) as store:
        batches = Batches(store, settings, epoch=0)
        assert len(batches) == 2
        before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]
        losses = [model.train_on_batch(*batches[step], return_dict=True)["loss"] for step in range(2)]
    assert np.isfinite(losses).all()
    after = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
