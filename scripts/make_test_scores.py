"""Make the frozen test scores anew: `python scripts/make_test_scores.py FOLDER`.

Only for a new yardstick: figures measured on another one cannot be compared with it. What is tracked by `data.dvc` was
made with the params.yaml and the code of the commit that added it.
"""

import json
import sys
from pathlib import Path

from instrec import noise, params, scores, seeding
from instrec.errors import UserError, run
from instrec.files import written_whole
from instrec.yardstick import NOISE_FILE

SOLOS_PER_CLASS, MIXTURES_PER_COUNT, COUNTS = 30, 75, (0, 1, 2, 3)


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
        raise UserError("usage: python scripts/make_test_scores.py FOLDER")
    make(Path(sys.argv[1]), params.load())
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
