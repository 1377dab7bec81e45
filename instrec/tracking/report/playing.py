"""The timeline of a sound, with its player."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instrec.audio import decoding, separation
from instrec.corpus import test_sets
from instrec.errors import UserError
from instrec.inference import prediction
from instrec.inference.window_classifier import WindowClassifier
from instrec.tracking.report.mistakes import AUDIO
from instrec.util.hdf5 import open_store
from instrec.web import media
from instrec.web.player import Timeline, laid_out

LONGEST = 180.0  # seconds of sound that the page takes in: a megabyte and a half
CLIPS = 6  # test clips one after another


def file(model: WindowClassifier, path: Path) -> Timeline:
    """Lay out the timeline of an audio file.

    Raises
    ------
    UserError
        If it cannot be read as audio.
    """
    predicted = prediction.predict(path, model)
    sound = None
    if predicted.activations.duration <= LONGEST:
        rate = predicted.activations.sample_rate
        sound = media.sound(np.concatenate(list(decoding.blocks(path, rate))), rate)
    return laid_out(path.name, predicted, sound)


def clips(model: WindowClassifier, *, sample: tuple[int, ...] = ()) -> Timeline:
    """Lay out the timeline of a few solo clips one after another, of a test set with unseen sounds
    where there is one.

    Parameters
    ----------
    sample : shape of a sample of the model's clips; see `separation.axis_of`.

    Raises
    ------
    UserError
        If there is no audio of test clips, or it is a sound where the model takes a pair of parts.
    """
    unseen = [each.name for each in test_sets.TEST_SETS if each.unseen]
    paths = sorted(AUDIO.glob("*.h5"), key=lambda path: (path.stem not in unseen, path.stem))
    for path in paths:
        if path.stem not in ("train", "valid") and (chosen := _of_classes(path)):
            labels, y, rate = chosen
            if sample and y.ndim == 2:
                raise UserError(
                    "store-outdated",
                    path,
                    "holds clips of one channel, where the model takes a pair of parts; run `dvc repro synthesize`",
                )
            sound = np.concatenate([separation.whole(clip) for clip in y])
            # Clips of one part are separated already. A pair is separated again: its sum is the sound.
            known = replace(model, separate=None) if y.ndim == 2 else model
            predicted = prediction.predict(sound, known, sample_rate=rate)
            name = f"{len(labels)} solo clips of {path.stem}, one after another"
            return laid_out(name, predicted, media.sound(sound, rate), labels)
    raise UserError("audio-missing", AUDIO, "no solo clips of a test set there; make them with `dvc repro synthesize`")


def _of_classes(path: Path) -> tuple[list[str], NDArray[Any], int] | None:
    """Return a few classes, evenly spread, a solo clip of each [shape=(clips, samples) or (clips, samples, parts)], and
    their rate in Hz."""
    with open_store(path) as clips:
        solo = {clips.classes[int(clips.labels[row].argmax())]: row
                for row in reversed(range(len(clips))) if clips.ids[row].split("/")[1] == "solo"}  # fmt: skip
        if not solo:
            return None
        known = [name for name in clips.classes if name in solo]
        chosen = [known[place] for place in np.linspace(0, len(known) - 1, min(CLIPS, len(known))).astype(int)]
        y = np.concatenate([clips.read(solo[name], solo[name] + 1) for name in chosen])
        return chosen, y, int(clips.attrs["sample_rate"])
