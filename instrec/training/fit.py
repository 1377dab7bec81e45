"""Training: seeded, on all GPUs, resumed after a kill, with early stopping on validation data."""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instrec.errors import UserError
from instrec.models import architectures
from instrec.models.backend import keras
from instrec.models.classifier import Card, Classifier, save
from instrec.models.heads import TASKS, labels_of
from instrec.params import Params, TrainParams
from instrec.training import (
    calibration,
    checkpoints,
    clip_rounds,
    devices,
    optimizers,
    precision,
    regeneration,
    teacher,
    warm_start,
    weight_averaging,
)
from instrec.training.batches import Batches
from instrec.training.checkpoints import Row
from instrec.util.files import written_whole
from instrec.util.hdf5 import Store, open_store
from instrec.util.progress import tqdm

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Files:
    """Files that training reads and writes.

    Attributes
    ----------
    audio : store of the training clips' sound, only for a teacher.
    spectrograms : folder with `train.h5` and `valid.h5`.
    manifest, data : file of the clips and folder of the frozen scores, only for the synthesis loop.
    model : the trained model with its card.
    history : one row per epoch.
    speed : speed of this training; not a result, so DVC does not track it.
    backup : folder that DVC does not track, so that a killed training resumes after its last epoch.
    """

    audio: Path
    spectrograms: Path
    manifest: Path
    data: Path
    model: Path
    history: Path
    speed: Path
    backup: Path


def train(params: Params, files: Files) -> None:
    """Train a model, and write it with its card and the history of its training."""
    for name in ("train", "valid"):
        with open_store(files.spectrograms / f"{name}.h5") as clips:
            if not len(clips):
                raise UserError(
                    "clips-missing", "", f"no clips for {name}; raise balance.{name}_per_class in params.yaml"
                )
    devices.prepare(params.seed)
    place = files.backup / checkpoints.key(params, files.spectrograms)
    done = place.with_suffix(".done")
    shutil.rmtree(done, ignore_errors=True)
    with open_store(files.spectrograms / "valid.h5") as validation:
        history = _fit(params, files, validation, place)
        model = precision.single(teacher.detach(_chosen(params, files, place, len(history))))
        labels = labels_of(validation)
        calibration.calibrate(model, labels, _presence(model, validation))
        if params.train.start_share:
            warm_start.keep_share(model, params)
            calibration.temper(model, labels, _presence(model, validation))
        thresholds = calibration.best_thresholds(labels, _presence(model, validation)).round(4)
        card = Card(validation.classes, params.clip, params.spectrogram, tuple(thresholds.tolist()))
    save(files.model, model, card)
    _write_speed(files.speed, model, history)
    _write_history(files.history, history)
    place.rename(done)  # at once: what a kill leaves of a state half removed must not be taken up again
    shutil.rmtree(done)


def _fit(params: Params, files: Files, validation: Store, place: Path) -> list[Row]:
    """Train epoch by epoch, and return the history.

    After each epoch, `place` holds all that is needed to resume: the model with its optimizer, earlier models that are
    averaged with it, the best model, and the history, from which early stopping follows. (Keras's BackupAndRestore
    keeps only the first.)
    """
    history = checkpoints.resumed(params.train, place)
    epochs, patience = params.train.epochs, params.train.patience
    embeddings = place / "teacher.h5" if params.train.teacher_weight else None
    if embeddings and not embeddings.exists():
        teacher.write(embeddings, files.audio, params.clip)
    first = files.spectrograms / "train.h5"
    sources = clip_rounds.Sources(params, files.manifest, files.data, first, embeddings)
    model = None
    with (
        devices.all_at_once(params.train.batch_size) as number,
        regeneration.Rounds(sources, place) as loop,
        tqdm(total=epochs, initial=len(history), desc="train", unit="epoch") as bar,
    ):
        zeros = np.zeros((len(validation), teacher.SIZE), np.float32) if embeddings else None  # they teach nothing
        valid = Batches(validation, params, embeddings=zeros, multiple=number)
        while len(history) < epochs and len(history) - _best(params.train, history) < patience:
            path = loop.store(len(history))
            taught = loop.embeddings(len(history))
            targets = teacher.targets(taught) if taught else None
            with open_store(path) as training:
                batches = Batches(training, params, len(history), embeddings=targets, multiple=number)
                if model is None:
                    model = _started(params, training, place, history)
                    if number == 1:
                        make_variables(model, *batches[0])
                history.append(_epoch(model, batches, valid, len(history)))
            best = _best(params.train, history) == len(history)
            checkpoints.keep(params.train, place, model, history, best=best)
            shown = {name: f"{history[-1][name]:.3f}" for name in ("loss", "val_loss", "val_presence_f1")}
            bar.set_postfix(shown, refresh=False)
            bar.update()
    return history


def _started(params: Params, training: Store, place: Path, history: list[Row]) -> Any:
    """Build the model, or load the one that a killed training left."""
    if history:
        _log.info("going on after epoch %d", len(history))
        return keras.models.load_model(checkpoints.saved(place, len(history)))
    frames, bins, channels = training.shape
    with precision.building(params.train):
        shape = frames, bins, channels
        model = precision.fused(architectures.build(shape, len(training.classes), params.task, params.model))
        warm_start.prepare(model, params, training)
        if params.train.teacher_weight:
            model = teacher.attach(model)
    return compiled(params, model, len(Batches(training, params)))


def make_variables(model: Any, features: Any, targets: Any, _weights: Any = None) -> None:
    """Make what the first step would make: TensorFlow traces a step twice if it has made variables."""
    outputs = model(features[:1], training=False)
    targets = keras.tree.map_structure(lambda each: each[:1], targets)
    model.optimizer.build(model.trainable_variables)
    model.compute_loss(y=targets, y_pred=outputs)
    model.compute_metrics(features[:1], targets, outputs)
    model.reset_metrics()


def _chosen(params: Params, files: Files, place: Path, epochs: int) -> Any:
    """Return the final model of a training: the mean of the last epochs, or the best one."""
    last = range(max(0, epochs - weight_averaging.epochs(params.train)) + 1, epochs + 1)
    if not last:
        return keras.models.load_model(place / "best.keras")
    with open_store(files.spectrograms / "train.h5") as training:
        models = [checkpoints.saved(place, number) for number in last]
        return weight_averaging.average(models, Batches(training, params, epochs))


def _epoch(model: Any, batches: Batches, valid: Batches, epoch: int) -> Row:
    started = time.monotonic()
    record = model.fit(
        batches,
        validation_data=valid,
        initial_epoch=epoch,
        epochs=epoch + 1,
        shuffle=False,  # Keras's own depends on what a kill forgets; `Batches` has done it
        verbose=0,
    )
    row = {"epoch": epoch + 1, **{name: float(values[-1]) for name, values in record.history.items()}}
    if not np.isfinite([row["loss"], row["val_loss"]]).all():
        raise UserError(
            "training-diverged", "", f"training diverged in epoch {epoch + 1}; lower train.learning_rate in params.yaml"
        )
    return row | {"clips": batches.clips, "seconds": time.monotonic() - started}


def compiled(params: Params, model: Any, steps: int) -> Any:
    """Compile a model for training; `steps` is the number of batches in an epoch."""
    task = TASKS[params.task]
    losses, weights = task.losses(params.train, model.output[calibration.HEAD].shape[-1])
    if params.train.teacher_weight:
        losses, weights = losses | {teacher.HEAD: teacher.loss()}, weights | {teacher.HEAD: params.train.teacher_weight}
    model.compile(
        optimizer=optimizers.make(params.train, steps), loss=losses, loss_weights=weights, metrics=task.metrics()
    )
    return model


def _gain(train: TrainParams, row: Row) -> float:
    """Return the metric that patience monitors; higher is better."""
    return -row["val_loss"] if train.monitor == "loss" else row[f"val_{train.monitor}"]


def _best(train: TrainParams, history: list[Row]) -> int:
    """Return the best epoch, counted from 1; 0 before the first. A gain below `min_delta` does not count."""
    best = 0
    for number, row in enumerate(history, 1):
        if not best or _gain(train, row) > _gain(train, history[best - 1]) + train.min_delta:
            best = number
    return best


def _presence(model: Any, validation: Store) -> npt.NDArray[np.float32]:
    classifier = Classifier(model, Card(validation.classes, None, None, ()))  # type: ignore[arg-type]
    return np.concatenate([classifier.predict(features)[0] for features in validation.batches(256)])


# What a row of the history holds beside results: how fast it was.
_SPEED = ("clips", "seconds")


def _write_history(path: Path, history: list[Row]) -> None:
    with written_whole(path) as part:
        names = [name for name in history[0] if name not in _SPEED]  # the same training gives the same file
        rows = [",".join(f"{row[name]:.6g}" for name in names) for row in history]
        part.write_text("\n".join([",".join(names), *rows]) + "\n")


def _write_speed(path: Path, model: Any, history: list[Row]) -> None:
    clips, seconds = (sum(row[name] for row in history) for name in _SPEED)
    speed = {
        "weights": model.count_params(),
        "epochs": len(history),
        "seconds": round(seconds, 1),
        "clips_per_second": round(clips / seconds, 1),
    }
    with written_whole(path) as part:
        part.write_text(json.dumps(speed) + "\n")
