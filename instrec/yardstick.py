"""The frozen test scores: MIDI files and noise, made once by `scripts/make_test_scores.py`, tracked by `data.dvc`.

The yardstick is data, not code: changing how scores are composed or noise is drawn cannot move the test. The same
scores are rendered, without any of the variation that training clips get, as four test sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from instrec.errors import UserError
from instrec.manifest import CLEAN, NOISY

NOISE_FILE = "noise.json"


@dataclass(frozen=True)
class TestSet:
    """A way of rendering the frozen scores: with SoundFonts heard in training or not, clean or noisy."""

    name: str
    unseen: bool
    noise: str


TEST_SETS = (
    TestSet("seen_clean", False, CLEAN),
    TestSet("seen_noisy", False, NOISY),
    TestSet("unseen_clean", True, CLEAN),
    TestSet("unseen_noisy", True, NOISY),
)


def score_files(folder: Path, classes: tuple[str, ...]) -> list[tuple[Path, tuple[str, ...]]]:
    """Give every frozen score with the classes that sound in it, in order of name.

    Scores with a class that is not among `classes` are left out.

    Raises
    ------
    UserError
        When the folder was not brought from the embedded remote yet.
    """
    files = sorted(folder.glob("solo/*.mid")) + sorted(folder.glob("mixture/*.mid"))
    if not files:
        raise UserError(f"{folder}: no test scores there; bring them: dvc pull data.dvc")
    labelled = [(file, tuple(_labels(file))) for file in files]
    return [
        (file, tuple(sorted(labels, key=classes.index))) for file, labels in labelled if set(labels) <= set(classes)
    ]


def _labels(file: Path) -> list[str]:
    """The classes stand in the file's name: `violin-003`, `2-041-piano+flute`."""
    stem = file.stem
    if file.parent.name == "solo":
        return [stem.rsplit("-", 1)[0]]
    return [label for label in stem.split("-", 2)[2].split("+") if label != "silence"]
