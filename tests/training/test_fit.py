"""Training: repeatable, taken up again after a kill, stopped early; on JAX in test_devices.py."""

import csv
import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from instrec.models import architectures, classifier
from instrec.params import Params, TrainParams
from instrec.training import calibration, checkpoints, fit, weight_averaging
from instrec.training.batches import Batches
from instrec.util import hdf5
from tests.refusals import refused

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("eager")]

SHAPE, CLIPS = (33, 24, 1), 48


@pytest.fixture(scope="module")
def params(small_params: Params) -> Params:
    return replace(
        small_params,
        model=replace(small_params.model, width=4),
        train=replace(small_params.train, epochs=4, batch_size=24, patience=4),
    )


@pytest.fixture(scope="module")
def spectrograms(module_folder: Path, params: Params) -> Path:
    """Inputs with a bright band whose place tells the class; not to be changed."""
    rng = np.random.default_rng(7)
    for name in ("train", "valid"):
        owner = np.arange(CLIPS) % len(params.classes)
        inputs = rng.random((CLIPS, *SHAPE)) * 0.3
        for image, own in zip(inputs, owner, strict=True):
            image[:, 5 * own : 5 * own + 3] += 0.6
        with hdf5.create(
            module_folder / "spectrograms" / f"{name}.h5",
            name="features",
            shape=SHAPE,
            dtype=np.float16,
            ids=[f"{name}/solo/{number}" for number in range(CLIPS)],
            labels=np.eye(len(params.classes), dtype=np.uint8)[owner],
            classes=params.classes,
        ) as writer:
            writer.append(inputs.astype(np.float16))
    return module_folder / "spectrograms"


def files_in(folder: Path, spectrograms: Path) -> fit.Files:
    written = (folder / name for name in ("classifier.keras", "history.csv", "speed.json", "backup"))
    return fit.Files(folder / "audio.h5", spectrograms, folder / "manifest.csv", folder / "data", *written)


def train(params: Params, spectrograms: Path, folder: Path) -> tuple[bytes, str]:
    files = files_in(folder, spectrograms)
    fit.train(params, files)
    return files.model.read_bytes(), files.history.read_text()


@pytest.fixture(scope="module")
def trained(params: Params, spectrograms: Path, module_folder: Path) -> Path:
    """Where a training has ended."""
    train(params, spectrograms, module_folder / "trained")
    return module_folder / "trained"


def written(folder: Path) -> tuple[bytes, str]:
    return (folder / "classifier.keras").read_bytes(), (folder / "history.csv").read_text()


def last_row(folder: Path) -> dict[str, str]:
    *_, last = csv.DictReader(written(folder)[1].splitlines())
    return last


def test_two_runs_give_the_same_bytes_and_learn(
    params: Params, spectrograms: Path, trained: Path, tmp_path: Path
) -> None:
    assert train(params, spectrograms, tmp_path) == written(trained)
    rows = [line.split(",") for line in written(trained)[1].splitlines()]
    losses = [float(row[rows[0].index("loss")]) for row in rows[1:]]
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    card = classifier.load(trained / "classifier.keras").card
    assert card.classes == params.classes
    assert len(card.thresholds) == len(params.classes)
    assert not list((trained / "backup").iterdir())
    speed = json.loads((trained / "speed.json").read_text())
    assert speed["epochs"] == 4
    assert speed["clips_per_second"] == pytest.approx(4 * CLIPS / speed["seconds"], rel=0.2)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_what_trained_in_half_precision_learns_as_well_and_computes_in_float32(
    params: Params, spectrograms: Path, trained: Path, tmp_path: Path, precision: str
) -> None:
    half = replace(params, train=replace(params.train, precision=precision))
    train(half, spectrograms, tmp_path)
    one, other = (classifier.load(folder / "classifier.keras") for folder in (trained, tmp_path))
    assert [layer.get_config() for layer in other.model.layers] == [layer.get_config() for layer in one.model.layers]
    losses = [float(last_row(folder)["loss"]) for folder in (trained, tmp_path)]
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=0.1)


def test_the_first_step_makes_no_variables(params: Params, spectrograms: Path) -> None:
    """TensorFlow would trace it twice."""
    with hdf5.open_store(spectrograms / "train.h5") as clips:
        batch = Batches(clips, params, 0)[0]
    model = fit.compiled(params, architectures.build(SHAPE, len(params.classes), params.task, params.model), 1)
    fit.make_variables(model, *batch)
    ready = len(model.optimizer.variables), len(model.metrics_variables)
    assert min(ready) > 2
    model.train_on_batch(*batch)
    assert (len(model.optimizer.variables), len(model.metrics_variables)) == ready


def test_probabilities_are_calibrated_before_thresholds_are_chosen(
    params: Params, spectrograms: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "calibrate", lambda *_: None)
    train(params, spectrograms, tmp_path)
    one, bare = (classifier.load(folder / "classifier.keras") for folder in (trained, tmp_path))
    with hdf5.open_store(spectrograms / "valid.h5") as valid:
        given, raw = (known.predict(valid.read(0, CLIPS))[0].astype(float) for known in (one, bare))
        degrees = calibration.temperature(valid.labels, raw)
        expected = calibration.best_thresholds(valid.labels, given)
    assert degrees != pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(np.log(given / (1 - given)), np.log(raw / (1 - raw)) / degrees, rtol=1e-3, atol=1e-3)
    assert one.card.thresholds == pytest.approx(expected, abs=1e-4)


def test_a_killed_training_goes_on_to_the_same_end(
    params: Params,
    spectrograms: Path,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keep = checkpoints.keep

    def keep_then_die(
        train: TrainParams, place: Path, model: object, history: list[checkpoints.Row], *, best: bool
    ) -> None:
        keep(train, place, model, history, best=best)
        if len(history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "keep", keep_then_die)
        with pytest.raises(KeyboardInterrupt):
            train(params, spectrograms, tmp_path / "killed")
    assert not (tmp_path / "killed/classifier.keras").exists()
    caplog.set_level(logging.INFO)
    assert train(params, spectrograms, tmp_path / "killed") == written(trained)
    assert "going on after epoch 2" in caplog.messages


def test_the_last_epochs_are_averaged_unless_the_best_is_asked_for(
    params: Params, spectrograms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    average = weight_averaging.average
    monkeypatch.setattr(
        weight_averaging,
        "average",
        lambda files, batches: asked.append([each.stem for each in files]) or average(files, batches),
    )
    for share, epochs in ((0.5, [["epoch-3", "epoch-4"]]), (0.0, [])):
        asked.clear()
        train(replace(params, train=replace(params.train, average_share=share)), spectrograms, tmp_path / str(share))
        assert asked == epochs
    one, other = ((tmp_path / share / "classifier.keras").read_bytes() for share in ("0.5", "0.0"))
    assert one != other


def test_the_mean_with_the_start_is_calibrated_anew(
    params: Params, spectrograms: Path, trained: Path, tmp_path: Path
) -> None:
    """Thresholds are those of the mean; the prior of the counts, which both lack, is not taken out again."""
    start = str(trained / "classifier.keras")
    alone = replace(params, seed=7, train=replace(params.train, start=start))
    train(alone, spectrograms, tmp_path / "alone")
    train(replace(alone, train=replace(alone.train, start_share=0.5)), spectrograms, tmp_path / "mean")
    folders = (trained, tmp_path / "alone", tmp_path / "mean")
    before, after, mean = (classifier.load(folder / "classifier.keras") for folder in folders)
    biases = [each.model.get_layer("count").get_weights()[1] for each in (before, after, mean)]
    np.testing.assert_allclose(biases[2], (biases[0] + biases[1]) / 2, atol=1e-6)
    heads = [each.model.get_layer("presence").get_weights()[0] for each in (before, after, mean)]
    ratio = heads[2] / ((heads[0] + heads[1]) / 2)
    np.testing.assert_allclose(ratio, ratio.flat[0], rtol=1e-3)  # one temperature for all
    with hdf5.open_store(spectrograms / "valid.h5") as validation:
        presence = mean.predict(validation.read(0, len(validation)))[0]
        expected = calibration.best_thresholds(validation.labels, presence)
        assert calibration.temperature(validation.labels, presence) == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(mean.card.thresholds, expected, atol=1e-3)


def test_it_stops_when_validation_gets_no_better(params: Params, spectrograms: Path, tmp_path: Path) -> None:
    """A learning rate far too high never finds its way."""
    settings = replace(params.train, learning_rate=0.5, patience=2, epochs=30)
    _, history = train(replace(params, train=settings), spectrograms, tmp_path)
    rows = [line.split(",") for line in history.splitlines()]
    losses = [float(row[rows[0].index("val_loss")]) for row in rows[1:]]
    assert len(losses) < 30
    assert int(np.argmin(losses)) == len(losses) - 1 - 2


def test_no_clips_to_learn_from_is_the_users_to_mend(params: Params, spectrograms: Path, tmp_path: Path) -> None:
    spectrograms = shutil.copytree(spectrograms, tmp_path / "spectrograms")
    with hdf5.create(
        spectrograms / "valid.h5",
        name="features",
        shape=SHAPE,
        dtype=np.float16,
        ids=[],
        labels=np.zeros((0, len(params.classes)), dtype=np.uint8),
        classes=params.classes,
    ):
        pass
    with refused("clips-missing", "", "balance.valid_per_class"):
        train(params, spectrograms, tmp_path)


def test_a_training_that_diverges_is_the_users_to_mend(params: Params, spectrograms: Path, tmp_path: Path) -> None:
    wild = replace(params, train=replace(params.train, learning_rate=1e30))
    with refused("training-diverged", "", "epoch 1", "train.learning_rate"):
        train(wild, spectrograms, tmp_path)
    assert not (tmp_path / "classifier.keras").exists()
