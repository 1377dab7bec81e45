"""The frozen test scores: MIDI files and noise, made once by `scripts/make_test_scores.py`, tracked by `data.dvc`.

    data/solo/violin-003.mid              three seconds of one class
    data/mixture/2-041-piano+flute.mid    three seconds of none to three classes
    data/excerpt/017-cello+voice.mid      five to twenty seconds of one to three classes
    data/noise.json                       what makes each solo and mixture noisy

The test sets are data, not code: changing how scores are composed or noise is drawn cannot move the test. The same
scores are rendered, without any of the variation that training clips get, as several test sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from instrec.corpus.manifest import CLEAN, NOISY
from instrec.errors import UserError
from instrec.params import SoundFontParams
from instrec.taxonomy import INSTRUMENTS, columns_of

NOISE_FILE = "noise.json"
SECONDS = 3.0  # length of solos and mixtures
SOLO, MIXTURE, EXCERPT = "solo", "mixture", "excerpt"  # kinds of clips: sub-folders, and the second part of clips' ids


@dataclass(frozen=True)
class TestSet:
    """A rendering of test scores: with seen or unseen SoundFonts, clean or noisy, and the kinds of clips."""

    name: str
    unseen: bool
    noise: str
    kinds: tuple[str, ...] = (SOLO, MIXTURE)

    def fonts(self, known: SoundFontParams) -> tuple[str, ...]:
        """Return the SoundFonts that render it, in turn."""
        return (known.unseen,) if self.unseen else known.train


TEST_SETS = (
    TestSet("seen_clean", False, CLEAN),
    TestSet("seen_noisy", False, NOISY),
    TestSet("unseen_clean", True, CLEAN),
    TestSet("unseen_noisy", True, NOISY),
    TestSet("unseen_excerpts", True, CLEAN, (EXCERPT,)),
)

COMPOSED = {
    each.name: each
    for each in (
        TestSet("composed_clean", False, CLEAN),
        TestSet("composed_noisy", False, NOISY),
        TestSet("composed_unseen", True, CLEAN, (SOLO,)),
    )
}
"""Test sets of new scores in the model's own classes and style, if `balance.composed_*` ask for them, by name."""


def target_classes(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the instruments that a model of these classes is asked about: the classes, unless some are programs."""
    if all(name in INSTRUMENTS for name in classes):
        return classes
    return tuple(name for name in INSTRUMENTS if columns_of(name, classes))


def label_columns(split: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes that clips of a split are labeled with: the model's own where it learns or is composed for."""
    return classes if split in ("train", "valid", *COMPOSED) else target_classes(classes)


def standing_for(names: tuple[str, ...], split: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes among `label_columns` of a split that stand for any of these names, in order."""
    columns = label_columns(split, classes)
    return tuple(columns[place] for place in sorted({place for name in names for place in columns_of(name, columns)}))


def score_files(
    folder: Path, classes: tuple[str, ...], kinds: tuple[str, ...] = (SOLO, MIXTURE)
) -> list[tuple[Path, tuple[str, ...]]]:
    """Return every frozen score of some kinds with the classes that sound in it, in order of kind and name.

    Scores with a class that is not among `classes` are left out; labels are in the order of `classes`.

    Raises
    ------
    UserError
        If the folder was not brought from the embedded remote yet.
    """
    files = [file for kind in kinds for file in sorted(folder.glob(f"{kind}/*.mid"))]
    if not files:
        raise UserError(
            "scores-missing", folder, f"no test scores ({', '.join(kinds)}) there; bring them: dvc pull data.dvc"
        )
    labeled = [(file, tuple(_labels(file))) for file in files]
    return [(file, tuple(sorted(labels, key=classes.index))) for file, labels in labeled if set(labels) <= set(classes)]


def _labels(file: Path) -> list[str]:
    """Return the classes in a file's name: `violin-003`, `2-041-piano+flute`, `017-cello+voice`."""
    if file.parent.name == SOLO:
        return [file.stem.rsplit("-", 1)[0]]
    return [label for label in file.stem.rsplit("-", 1)[1].split("+") if label != "silence"]
