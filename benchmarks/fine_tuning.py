"""What a few recordings of your own are worth: `python -m benchmarks.fine_tuning FOLDER --output curve.json`.

Writes the metrics there, and a plot of the curve next to them.

FOLDER has a sub-folder per class, as `instrec evaluate` takes it. Two thirds of every class's groups are there to learn
from, the last third is measured on, and so with each of the thirds. With 0, 1, 5 and 20 recordings per class, the model
trained here goes on learning, beside composed clips (`synthetic`), and a network begins at random weights with the
recordings alone (`scratch`). The best epoch is chosen on composed clips and, where there are groups enough, on a fifth
of those learned from. A group is a folder within a class's, or else a file.
"""

import argparse
import json
import shutil
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from instrec import features, params
from instrec.corpus import balance, manifest, recordings
from instrec.corpus.manifest import RECORDING
from instrec.evaluation.labeled_folder import evaluate_folder, find
from instrec.inference import model as models
from instrec.models.released import TRAINED
from instrec.synthesis import rendering, writing
from instrec.synthesis.soundfonts import catalog
from instrec.training import fit
from instrec.util import seeding
from instrec.util.files import written_whole

SIZES = (1, 5, 20)


def thirds(folder: Path, classes: tuple[str, ...]) -> list[dict[str, list[list[Path]]]]:
    """Split every class's groups in three: [third][class] -> groups, each its files."""
    grouped: dict[str, dict[Path, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path, label in find(folder, classes)[0]:
        inner = path.relative_to(folder).parts
        grouped[label][Path(*inner[:2])].append(path)
    split: list[dict[str, list[list[Path]]]] = [{}, {}, {}]
    for label, groups in grouped.items():
        order = sorted(groups)
        seeding.generator(0, "thirds", label).shuffle(order)
        for third in range(3):
            split[third][label] = [groups[group] for group in order[third::3]]
    return split


def copied(groups: dict[str, list[list[Path]]], target: Path, most: int) -> Path:
    """Put up to so many files of every class into a folder, a sub-folder per group."""
    for label, of_class in groups.items():
        files = [(number, path) for number, group in enumerate(of_class) for path in group]
        for number, path in files[:most]:
            (target / label / str(number)).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target / label / str(number))
    return target


def trained(settings: params.Params, own: Path, place: Path, *, alone: bool) -> models.Model:
    """Run the pipeline from recordings to model on a folder of them; `alone` leaves composed clips out of training."""
    entries, _ = recordings.scan(own, classes=settings.classes, workers=settings.workers)
    held = catalog.held(settings.soundfonts.all, settings.soundfonts.folders)
    clips = balance.make(settings, entries, Path("data"), held)
    representation = features.from_params(settings.clip, settings.spectrogram)
    for split in ("train", "valid"):
        chosen = manifest.of_split(clips, split)
        if alone and split == "train":
            chosen = [clip for clip in chosen if clip.source == RECORDING]
        audio = place / f"audio/{split}.h5"
        writing.write(audio, chosen, rendering.Renderer(settings, Path("data")))
        features.write(place / f"inputs/{split}.h5", audio, representation)
    made = (place / name for name in ("model.keras", "history.csv", "speed.json", "backup"))
    fit.train(settings, fit.Files(place / "audio.h5", place / "inputs", place / "manifest.csv", Path("data"), *made))
    return models.load(place / "model.keras")


def study(folder: Path, settings: params.Params) -> list[dict[str, Any]]:
    split = thirds(folder, settings.classes)
    begun = replace(settings.train, start=str(TRAINED), epochs=12, learning_rate=0.001)
    scratch = replace(settings.train, epochs=40, patience=40)
    rows: list[dict[str, Any]] = []
    for third in range(3):
        learned = {label: [*split[third - 1][label], *split[third - 2][label]] for label in split[third]}
        with tempfile.TemporaryDirectory() as temporary:
            measured = copied(split[third], Path(temporary, "measured"), 10**6)
            plans = [("synthetic", number, begun) for number in (0, *SIZES)]
            plans += [("scratch", number, scratch) for number in SIZES]
            for start, number, train in plans:
                place = Path(temporary, f"{start}-{number}")
                if number:
                    own = copied(learned, place / "recordings", number)
                    model = trained(replace(settings, train=train), own, place, alone=start == "scratch")
                else:
                    model = models.load(TRAINED)
                found = evaluate_folder(measured, model)
                rows.append({"start": start, "recordings": number, "third": third, "files": found["files"],
                             "top1": found["top1"], "macro_recall": found["macro_recall"]})  # fmt: skip
                print(rows[-1], flush=True)
    return rows


def means(rows: list[dict[str, Any]], start: str, name: str) -> dict[int, float]:
    """Return a metric over the number of recordings per class, the mean of the thirds."""
    found = defaultdict(list)
    for row in rows:
        if row["start"] == start:
            found[row["recordings"]].append(row[name])
    return {number: float(np.mean(values)) for number, values in found.items()}


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the curve, each third as a dot beside it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for start, label in (("synthetic", "goes on from synthetic sound"), ("scratch", "recordings alone")):
        curve = means(rows, start, "macro_recall")
        places = [(0, *SIZES).index(number) for number in curve]
        (line,) = axes.plot(places, list(curve.values()), label=label)
        dots = [((0, *SIZES).index(row["recordings"]), row["macro_recall"]) for row in rows if row["start"] == start]
        axes.scatter([x for x, _ in dots], [y for _, y in dots], s=12, color=line.get_color())
    axes.set(
        xticks=range(4), xticklabels=(0, *SIZES), xlabel="recordings per class", ylabel="macro recall", ylim=(0, 1)
    )
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    with written_whole(path) as part:
        figure.savefig(part, format="png", dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=Path("fine_tuning.json"))
    given = parser.parse_args()
    settings = params.load()
    small = replace(settings.balance, train_per_class=60, train_mixtures=200, valid_per_class=10, valid_mixtures=50)
    small = replace(small, valid_share=0.2, test_share=0.0)
    rows = study(given.folder, replace(settings, balance=small))
    with written_whole(given.output) as part:
        part.write_text(json.dumps(rows, indent=1) + "\n")
    draw(rows, given.output.with_suffix(".png"))
    for start in ("synthetic", "scratch"):
        recall = means(rows, start, "macro_recall")
        for number, top1 in means(rows, start, "top1").items():
            print(f"{start:9} {number:3} recordings per class: top-1 {top1:.3f}, macro recall {recall[number]:.3f}")


if __name__ == "__main__":
    main()
