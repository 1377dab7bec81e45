"""What the trained model reaches on every test set, and its MLflow mirror."""

from __future__ import annotations

import sys
from pathlib import Path

from instrec import classifier, manifest, params, report, store, tracking
from instrec.errors import UserError, run

MANIFEST, SPECTROGRAMS, MODEL, HISTORY = (
    Path("build/manifest.csv"),
    Path("build/spectrograms"),
    Path("models/classifier.keras"),
    Path("models/history.csv"),
)
METRICS = Path("metrics")


def main() -> None:
    knobs = params.load()
    known = classifier.load(MODEL)
    songs = {clip.id: clip.group for clip in manifest.read(MANIFEST)}
    parts = []
    for path in sorted(SPECTROGRAMS.glob("*.h5")):
        if path.stem not in ("train", "valid"):
            with store.open_store(path) as clips:
                parts += report.predict(path.stem, clips, known, task=knobs.task, songs=songs)
    if not parts:
        raise UserError(
            f"{SPECTROGRAMS}: holds no test set for task {knobs.task}; raise balance.composed_per_class in "
            "params.yaml and run `dvc repro`"
        )
    figures = report.write(METRICS, parts, rounds=knobs.evaluate.bootstrap_rounds, seed=knobs.seed)
    if knobs.tracking.mlflow:
        tracking.mirror(knobs, HISTORY, figures, [HISTORY, METRICS / "test.json", METRICS / "per_class.csv"])


if __name__ == "__main__":
    sys.exit(run(main))
