"""The frozen test scores: MIDI files and noise, made once by `python -m instrec.yardstick` and tracked by `data.dvc`.

The yardstick is data, not code: changing how scores are composed or noise is drawn cannot move the test. The same scores are
rendered, without any of the variation that training clips get, as four test sets.
"""

from __future__ import annotations

import functools
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from instrec import noise, params, scores, seeding
from instrec.errors import UserError, run
from instrec.files import written_whole
from instrec.manifest import CLEAN, NOISY

SOLOS_PER_CLASS, MIXTURES_PER_COUNT, COUNTS = 30, 75, (0, 1, 2, 3)
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


@functools.cache
def frozen_noise(folder: Path) -> dict[str, noise.Noise]:
    """Give the noise that belongs to each frozen score, by the score's path inside `folder`."""
    try:
        return {name: noise.from_json(spec) for name, spec in json.loads((folder / NOISE_FILE).read_text()).items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / NOISE_FILE}: cannot be read ({error}); bring it: dvc pull data.dvc") from error


def make(folder: Path, settings: params.Params) -> None:
    """Compose the test scores and draw their noise."""
    rng = seeding.generator(settings.seed, "yardstick")
    spec = {}
    names = [(f"solo/{name}-{number:03}", (name,)) for name in settings.classes for number in range(SOLOS_PER_CLASS)]
    for count in COUNTS:
        for number in range(MIXTURES_PER_COUNT):
            chosen = sorted(rng.choice(len(settings.classes), size=count, replace=False).tolist())
            labels = tuple(settings.classes[index] for index in chosen)
            names.append((f"mixture/{count}-{number:03}-{'+'.join(labels) or 'silence'}", labels))
    for name, labels in names:
        score = scores.compose(seeding.generator(settings.seed, "yardstick", name), labels, settings.clip.seconds)
        with written_whole(folder / f"{name}.mid") as part:
            score.write(str(part))
        drawn = noise.draw(
            seeding.generator(settings.seed, "yardstick", name, "noise"),
            settings.noise,
            settings.clip.sample_rate,
        )
        spec[f"{name}.mid"] = noise.to_json(drawn)
    with written_whole(folder / NOISE_FILE) as part:
        part.write_text(json.dumps(spec, indent=1) + "\n")


def main() -> int:
    """Make the test scores anew in the folder named; only for a new yardstick, which makes old figures incomparable."""
    if len(sys.argv) != 2:
        raise UserError("usage: python -m instrec.yardstick FOLDER")
    make(Path(sys.argv[1]), params.load())
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
