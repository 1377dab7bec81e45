"""How much the score on labeled recordings falls under white noise: `python -m benchmarks.noise FOLDER`.

Every file is scored as it is and with noise of the given ratio added, at the model's own sample rate; the folder is one
that `instrec evaluate` takes.
"""

import argparse
import tempfile
from pathlib import Path

import soundfile
from tqdm import tqdm

from instrec.audio import decoding
from instrec.evaluation import labeled_folder
from instrec.inference import model as models
from instrec.synthesis.noise import effects


def make_noisy(folder: Path, copy: Path, model: models.Model, snr_db: float) -> None:
    """Write every scored file again, noise of its own under it, in the same sub-folders."""
    rate = model.sample_rate
    labeled, _ = labeled_folder.find(folder, labeled_folder.asked(model.classes))
    for number, (path, label) in enumerate(tqdm(labeled, unit="file", disable=None, leave=False)):
        y = decoding.load(path, rate)
        if len(y):
            y = effects.add_background(y, rate, seed=number, color="white", snr_db=snr_db, silence_dbfs=-60.0)
            (copy / label).mkdir(parents=True, exist_ok=True)
            soundfile.write(copy / label / f"{number}.wav", y, rate, subtype="FLOAT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--snr-db", type=float, default=20.0)
    parser.add_argument("--model", type=Path, default=Path("models/classifier.keras"))
    given = parser.parse_args()
    model = models.load(given.model)
    with tempfile.TemporaryDirectory() as copy:
        make_noisy(given.folder, Path(copy), model, given.snr_db)
        clean, noisy = (labeled_folder.evaluate_folder(folder, model) for folder in (given.folder, Path(copy)))
    for name in ("top1", "macro_recall"):
        drop = clean[name] - noisy[name]
        print(f"{name}: {clean[name]:.3f}, at {given.snr_db:g} dB {noisy[name]:.3f}: {100 * drop:.1f} points less")


if __name__ == "__main__":
    main()
