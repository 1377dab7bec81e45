"""The teacher: its embeddings do not depend on the sample rate, and the trained model has nothing of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soxr

from instrec.models import classifier
from instrec.params import ClipParams, Params
from instrec.synthesis import rendering, writing
from instrec.training import clip_rounds, fit, teacher
from instrec.training.batches import Batches
from instrec.util import hdf5
from tests.models.architectures import test_efficient_at
from tests.refusals import refused
from tests.training import test_fit, test_regeneration

pytestmark = pytest.mark.usefixtures("eager")

# Random weights in the place of AudioSet's, fetched by git from this disk.
trained, upstream, checkpoint = test_efficient_at.trained, test_efficient_at.upstream, test_efficient_at.checkpoint
params, spectrograms, sources = test_fit.params, test_fit.spectrograms, test_regeneration.sources


@pytest.fixture
def taught(params: Params) -> Params:
    return replace(params, train=replace(params.train, teacher_weight=1.0))


@pytest.fixture
def audio(params: Params, spectrograms: Path, tmp_path: Path) -> Path:
    """A store of a tone for each of the inputs."""
    with hdf5.open_store(spectrograms / "train.h5") as inputs:
        owner = inputs.labels.argmax(axis=1)
        t = np.arange(params.clip.samples) / params.clip.sample_rate
        sounds = 20000 * np.sin(2 * np.pi * 220 * 2 ** owner[:, np.newaxis] * t)
        with hdf5.create(
            tmp_path / "audio.h5",
            name="audio",
            shape=(params.clip.samples,),
            dtype=np.int16,
            ids=inputs.ids,
            labels=inputs.labels,
            classes=inputs.classes,
        ) as writer:
            writer.append(sounds.astype(np.int16))
    return tmp_path / "audio.h5"


@pytest.mark.usefixtures("checkpoint")
def test_a_sound_has_its_embedding_at_any_sample_rate() -> None:
    rng = np.random.default_rng(4)
    high = soxr.resample(rng.normal(0, 3000, (5, 16000)).T, 16000, 32000).T
    low = soxr.resample(high.T, 32000, 22050).T
    embeddings = [
        teacher.Teacher(ClipParams(rate, 1.0)).embeddings(np.rint(sound).astype(np.int16)).astype(np.float32)
        for rate, sound in ((32000, high), (22050, low))
    ]
    assert embeddings[0].shape == (5, teacher.SIZE)
    apart = np.abs(embeddings[0] - embeddings[0].mean(axis=0)).mean()
    assert np.abs(embeddings[1] - embeddings[0]).mean() < 0.2 * apart


@pytest.mark.usefixtures("checkpoint")
def test_a_pair_of_parts_has_the_embedding_of_its_sum() -> None:
    y = np.random.default_rng(5).normal(0, 3000, (3, 16000)).astype(np.int16)
    network = teacher.Teacher(ClipParams(16000, 1.0))
    assert np.array_equal(network.embeddings(np.stack([y - y // 4, y // 4], axis=-1)), network.embeddings(y))


def test_targets_are_standardized(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scales, ids = np.geomspace(0.05, 5, teacher.SIZE), [str(number) for number in range(200)]
    scales[7] = 0  # a filter that no clip moves
    raw = 3 + scales * rng.standard_normal((len(ids), teacher.SIZE))
    with teacher.create(tmp_path / "teacher.h5", ids, np.ones((len(ids), 1), np.uint8), ("flute",)) as writer:
        writer.append(raw.astype(np.float16))
    targets = teacher.targets(tmp_path / "teacher.h5")
    np.testing.assert_allclose(targets.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(np.delete(targets, 7, axis=1).std(axis=0), 1, atol=0.03)
    assert not targets[:, 7].any()


def test_a_mixed_clip_has_no_embedding_to_learn(spectrograms: Path, params: Params) -> None:
    mixing = replace(params, train=replace(params.train, mix_probability=0.5, batch_size=test_fit.CLIPS))
    with hdf5.open_store(spectrograms / "train.h5") as store:
        ones = np.ones((len(store), teacher.SIZE), np.float32)
        _, targets = Batches(store, mixing, 0, embeddings=ones)[0]
    assert set(targets[teacher.HEAD].sum(axis=1)) == {0, teacher.SIZE}
    mixed = targets["presence"].sum(axis=1) > 1
    assert mixed.any()
    assert not targets[teacher.HEAD][mixed].any()
    loss = teacher.loss()
    assert float(loss(np.zeros((3, 4)), np.ones((3, 4)))) == pytest.approx(0)
    assert float(loss(np.ones((3, 4)), np.ones((3, 4)))) == pytest.approx(-1)


@pytest.mark.usefixtures("checkpoint")
def test_a_model_learns_the_embedding_and_keeps_nothing_of_the_teacher(
    taught: Params, params: Params, spectrograms: Path, audio: Path, tmp_path: Path
) -> None:
    fit.train(taught, replace(test_fit.files_in(tmp_path / "taught", spectrograms), audio=audio))
    fit.train(params, test_fit.files_in(tmp_path / "alone", spectrograms))
    one, other = (classifier.load(tmp_path / name / "classifier.keras").model for name in ("taught", "alone"))
    assert set(one.output) == {"presence", "count"}
    assert one.name == other.name
    assert [each.shape for each in one.weights] == [each.shape for each in other.weights]
    assert not all(map(np.array_equal, one.get_weights(), other.get_weights()))
    names, *rows = (line.split(",") for line in (tmp_path / "taught/history.csv").read_text().splitlines())
    column = [float(row[names.index("embedding_loss")]) for row in rows]
    assert column[-1] < column[0] - 0.03
    assert {float(row[names.index("val_embedding_loss")]) for row in rows} == {0}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("checkpoint")
def test_a_round_has_the_embeddings_of_its_sounds(sources: clip_rounds.Sources, tmp_path: Path, workers: int) -> None:
    clip = sources.params.clip
    teacher.write(tmp_path / "first.h5", sources.first.with_name("audio.h5"), clip)
    changed = replace(sources, params=replace(sources.params, workers=workers), embeddings=tmp_path / "first.h5")
    clip_rounds.write(tmp_path / "round-1.h5", changed, 1)
    renderer = rendering.Renderer(sources.params, sources.data)
    writing.write(tmp_path / "audio.h5", test_regeneration.clips_of(sources, 1), renderer)
    teacher.write(tmp_path / "expected.h5", tmp_path / "audio.h5", clip)
    assert clip_rounds.embeddings_of(tmp_path / "round-1.h5").exists()
    with (
        hdf5.open_store(clip_rounds.embeddings_of(tmp_path / "round-1.h5")) as found,
        hdf5.open_store(tmp_path / "expected.h5") as expected,
    ):
        assert found.ids == expected.ids
        np.testing.assert_allclose(found.read(0, len(found)), expected.read(0, len(found)), rtol=0.01, atol=1e-3)


def test_without_its_weights_training_says_how_to_do_without(
    taught: Params,
    spectrograms: Path,
    audio: Path,
    tmp_path: Path,
    checkpoint: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    with refused("download-failed", test_efficient_at.URL, "train.teacher_weight: 0"):
        fit.train(taught, replace(test_fit.files_in(tmp_path, spectrograms), audio=audio))


def test_a_task_without_the_count_has_no_teacher(taught: Params) -> None:
    with refused("parameters-conflict", "params.yaml: train.teacher_weight"):
        replace(taught, task="multilabel")
