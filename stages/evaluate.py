"""What the trained model reaches on every test set, what plots draw of it, and its MLflow mirror."""

from __future__ import annotations

from pathlib import Path

from instrec.processes import stage

MANIFEST, SPECTROGRAMS, MODEL, HISTORY = (
    Path("build/manifest.csv"),
    Path("build/spectrograms"),
    Path("models/classifier.keras"),
    Path("models/history.csv"),
)
METRICS = Path("metrics")


def main() -> None:
    from instrec import classifier, examples, manifest, params, plots, scoring, tracking

    knobs = params.load()
    known = classifier.load(MODEL)
    songs = {clip.id: clip.group for clip in manifest.read(MANIFEST)}
    predicted = scoring.predict_all(SPECTROGRAMS, known, task=knobs.task, songs=songs)
    validation = predicted.pop(scoring.VALIDATION, [])
    parts = [part for own in predicted.values() for part in own]
    settings = {"rounds": knobs.evaluate.bootstrap_rounds, "seed": knobs.seed}
    figures = scoring.write(METRICS, parts, **settings)
    plots.write(METRICS / "plots", parts, validation, known.card.thresholds, **settings)
    examples.draw(METRICS / "plots" / "spectrograms.png", SPECTROGRAMS, list(predicted))
    if knobs.tracking.mlflow:
        inputs = {"model": MODEL, "manifest": MANIFEST, "data": Path("data.dvc")}
        tracking.mirror(knobs, HISTORY, figures, METRICS, inputs=inputs)


if __name__ == "__main__":
    stage(main, "evaluate")
