"""What the trained model reaches on every test set, what plots draw of it, and its MLflow mirror."""

from __future__ import annotations

import shutil
from pathlib import Path

from instrec.util.processes import stage

MANIFEST, SPECTROGRAMS, MODEL, HISTORY = (
    Path("build/manifest.csv"),
    Path("build/spectrograms"),
    Path("models/classifier.keras"),
    Path("models/history.csv"),
)
METRICS = Path("metrics")


def main() -> None:
    from instrec import params
    from instrec.corpus import manifest
    from instrec.evaluation import example_spectrograms, plot_tables, test_sets
    from instrec.models import classifier
    from instrec.tracking.mlflow import runs

    parameters = params.load()
    known = classifier.load(MODEL)
    songs = {clip.id: clip.group for clip in manifest.read(MANIFEST)}
    predicted = test_sets.predict_all(SPECTROGRAMS, known, task=parameters.task, songs=songs)
    validation = predicted.pop(test_sets.VALIDATION, [])
    parts = [part for own in predicted.values() for part in own]
    settings = {"rounds": parameters.evaluate.bootstrap_rounds, "seed": parameters.seed}
    figures = test_sets.write(METRICS, parts, **settings)
    plot_tables.write(METRICS / "plots", parts, validation, known.card.thresholds, **settings)
    # In git, as the other tables: a clone has no file of DVC's to draw the learning curves of.
    shutil.copyfile(HISTORY, METRICS / "plots" / HISTORY.name)
    example_spectrograms.draw(METRICS / "plots" / "spectrograms.png", SPECTROGRAMS, list(predicted))
    if parameters.tracking.mlflow:
        inputs = {"model": MODEL, "manifest": MANIFEST, "data": Path("data.dvc")}
        runs.mirror(parameters, HISTORY, figures, METRICS, inputs=inputs)


if __name__ == "__main__":
    stage(main, "evaluate")
