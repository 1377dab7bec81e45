"""An image of example features: the same few classes in every test set, side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instrec import taxonomy
from instrec.util.files import written_whole
from instrec.util.hdf5 import Store, open_store

CLASSES, SETS = 4, 4  # at most so many columns and rows
COLORS = 64  # of the PNG's palette: a quarter of the bytes, and no visible difference

Pixels = NDArray[np.float32]


def draw(path: Path, folder: Path, sets: Sequence[str]) -> None:
    """Draw the first solo clip of a few classes in each test set; write no file if no set has solo clips.

    Parameters
    ----------
    path : the PNG file; the same spectrograms give the same bytes.
    folder : where spectrograms lie, one file per set.
    sets : names of the test sets.
    """
    found: dict[str, dict[str, Pixels]] = {}
    for name in sets:
        with open_store(folder / f"{name}.h5") as clips:
            if rows := _first_of_classes(clips):
                found[name] = {label: image(clips.read(row, row + 1)[0]) for label, row in rows.items()}
        if len(found) == SETS:
            break
    if found:
        known = dict.fromkeys(label for own in found.values() for label in own)
        common = [label for label in known if all(label in own for own in found.values())] or list(known)
        places = np.linspace(0, len(common) - 1, min(CLASSES, len(common))).astype(int)
        _write(path, found, [common[place] for place in places])


def image(features: NDArray[np.floating]) -> Pixels:
    """Return the first channel of features (frames, bins, channels) as an image, the highest bin on top; 0..1
    [shape=(bins, frames)]."""
    return np.asarray(features[:, ::-1, 0].T, np.float32)


def _first_of_classes(clips: Store) -> dict[str, int]:
    """Return the index of the first solo clip of each class."""
    solo = {row for row, identity in enumerate(clips.ids) if identity.split("/")[1] == "solo"}
    columns = ((name, np.flatnonzero(column)) for name, column in zip(clips.classes, clips.labels.T, strict=True))
    firsts = {name: next((row for row in rows.tolist() if row in solo), None) for name, rows in columns}
    return {name: row for name, row in firsts.items() if row is not None}


def _write(path: Path, found: dict[str, dict[str, Pixels]], classes: Sequence[str]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(1.35 * len(classes) + 0.4, 1.0 * len(found) + 0.5), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(found), len(classes), squeeze=False)
    for row, (name, images) in zip(grid, found.items(), strict=True):
        row[0].set_ylabel(name, fontsize=8)
        for axes, label in zip(row, classes, strict=True):
            axes.set_xticks([])
            axes.set_yticks([])
            if label in images:
                axes.imshow(images[label], cmap="magma", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    for axes, label in zip(grid[0], classes, strict=True):
        axes.set_title(taxonomy.instrument(label).title, fontsize=10)
    figure.supxlabel("time", fontsize=9)
    figure.supylabel("frequency", fontsize=9)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    with written_whole(path) as part:
        colors = Image.open(drawn).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
        colors.save(part, format="png", optimize=True)
