"""The clips where a model is surest of an instrument that does not sound, to look at and to listen to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instrec import taxonomy
from instrec.audio import separation
from instrec.errors import UserError
from instrec.evaluation import example_spectrograms, metrics, protocols, test_sets
from instrec.models.classifier import Classifier
from instrec.util.hdf5 import Store, open_store
from instrec.web import media

AUDIO, SPECTROGRAMS = Path("build/audio"), Path("build/spectrograms")
OF_A_SET, OF_ALL = 4, 24  # mistakes shown, at most

Named = tuple[tuple[str, float], ...]  # instruments, and how sure the model is of each


@dataclass(frozen=True)
class Mistake:
    """A clip that a model is wrong about.

    Attributes
    ----------
    clip : its id, without the set.
    said, sounding : the predicted and the actual instruments.
    confidence : how sure the model is of the wrong one, 0..1.
    image : features of the clip.
    sound : audio of the clip; None if it is missing.
    """

    clip: str
    said: Named
    sounding: Named
    confidence: float
    image: str
    sound: str | None


@dataclass(frozen=True)
class Mistakes:
    """The mistakes of each test set, and why some have no sound."""

    sets: dict[str, list[Mistake]]
    silent: str | None


def find(classifier: Classifier, sets: Sequence[str], task: str) -> Mistakes:
    """Find the surest mistakes of each test set, no two in the same file.

    Raises
    ------
    UserError
        If the spectrograms are not there.
    """
    most = max(1, min(OF_A_SET, OF_ALL // max(1, len(sets))))
    found: dict[str, list[Mistake]] = {}
    silent = None
    for name in sets:
        with ExitStack() as stack:
            clips = stack.enter_context(open_store(SPECTROGRAMS / f"{name}.h5"))
            try:
                audio = stack.enter_context(open_store(AUDIO / f"{name}.h5"))
            except UserError as error:
                audio, silent = None, silent or str(error)
            found[name] = list(_of_set(classifier, clips, audio, task, most))
    return Mistakes(found, silent)


def _of_set(classifier: Classifier, clips: Store, audio: Store | None, task: str, most: int) -> Iterator[Mistake]:
    solo = np.array([identity.split("/")[1] == "solo" for identity in clips.ids], bool)
    asked = np.flatnonzero(solo) if task == "solo" else np.arange(len(clips))
    if not len(asked):
        return
    columns = protocols.answering(clips.classes, classifier.card.classes)
    given, _ = test_sets.outputs(clips, asked, classifier)
    presence = protocols.answers(given, columns)
    decided = protocols.answers(metrics.decide(given, classifier.card.thresholds), columns)
    decided[solo[asked]] = metrics.strongest(presence[solo[asked]])
    decided[clips.unknown[asked] > 0] = 0
    labels = clips.labels[asked]
    confidence = np.where(decided > labels, presence, 0).max(axis=1)
    for place in _surest(confidence, protocols.file_of([clips.ids[row] for row in asked]), most):
        row = int(asked[place])
        yield Mistake(
            clip=clips.ids[row].partition("/")[2],
            said=_named(clips.classes, presence[place], decided[place]),
            sounding=_named(clips.classes, presence[place], labels[place]),
            confidence=float(confidence[place]),
            image=media.heat(example_spectrograms.image(clips.read(row, row + 1)[0])),
            sound=None if audio is None else _sound(audio, clips.ids[row]),
        )


def _surest(confidence: NDArray[Any], files: NDArray[np.intp], most: int) -> list[int]:
    """Return the places of the highest values above 0, the highest first, one per file."""
    order = [int(place) for place in np.argsort(-confidence, kind="stable") if confidence[place] > 0]
    firsts = {files[place]: place for place in reversed(order)}
    return [place for place in order if firsts[files[place]] == place][:most]


def _named(classes: Sequence[str], presence: NDArray[Any], which: NDArray[Any]) -> Named:
    places = sorted(np.flatnonzero(which).tolist(), key=lambda place: -presence[place])
    return tuple((taxonomy.instrument(classes[place]).title, float(presence[place])) for place in places)


def _sound(audio: Store, identity: str) -> str | None:
    if identity not in audio.ids:
        return None
    row = audio.ids.index(identity)
    return media.sound(separation.whole(audio.read(row, row + 1)[0]), int(audio.attrs["sample_rate"]))
