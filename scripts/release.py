"""Make the trained model the released one: `make release`, or `python scripts/release.py [FOLDER] [options]`.

Takes `models/classifier.keras` of FOLDER, a working tree in which the pipeline has run (this one unless named), puts it
into `released/` with the facts that its card is written from, and as ONNX into the package. What is left to do is to
commit. Git has the model, so that `dvc get`, `dvc import` and `dvc.api` find it at the address of the repository.
"""

import argparse
import datetime
import shutil
import sys
from pathlib import Path

from instrec import export as exporting
from instrec.errors import UserError, run
from instrec.models.released import FACTS, RELEASED, TRAINED
from instrec.tracking import model_card
from instrec.tracking.mlflow.runs import md5
from instrec.tracking.model_card.facts import evaluation
from instrec.util import documents
from instrec.util.files import written_whole

LARGEST_MB = 5
CARD = Path("docs/model_card.md")
PACKAGED = Path("instrec/models/classifier.onnx")  # of this working tree, whichever package is installed


def check(folder: Path) -> None:
    """Refuse a model that is too big, or that does not belong to the metrics."""
    model = folder / TRAINED
    if not model.is_file():
        raise UserError("model-missing", model, "no model there; train one with `dvc repro`")
    if (size := model.stat().st_size) > LARGEST_MB * 1e6:
        raise UserError(
            "model-too-large",
            model,
            f"{size / 1e6:.1f} MB; a released model has at most {LARGEST_MB}; lower model.width",
        )
    lock = folder / "dvc.lock"
    if not lock.is_file():
        raise UserError("file-missing", lock, "not there; name a folder in which `dvc repro` has run")
    stages = documents.load_yaml(lock)["stages"]
    outs = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ())}
    for path in (TRAINED, Path("metrics/test.json")):
        if not (folder / path).is_file() or outs.get(str(path)) != md5(folder / path):
            raise UserError(
                "file-outdated", folder / path, "not what dvc.lock says that the pipeline wrote; run `dvc repro`"
            )


def store(model: Path) -> None:
    """Put the model into `released/`, where git has it, and its ONNX into the package."""
    exported = exporting.export(model, "onnx", PACKAGED)
    print(f"{PACKAGED}: its probabilities differ from Keras's by at most {exported.difference:.1g}")
    with written_whole(RELEASED) as part:
        shutil.copyfile(model, part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="where the pipeline has run (here)")
    parser.add_argument(
        "--recordings",
        type=Path,
        metavar="JSON",
        action="append",
        default=[],
        help="what `instrec evaluate --json` wrote; its name is that of the set; may be given several times",
    )
    parser.add_argument(
        "--of", metavar="TEXT", action="append", default=[], help="what these recordings are, for the card, one per set"
    )
    parser.add_argument("--date", default=f"{datetime.date.today():%-d %B %Y}", help="(today)")
    args = parser.parse_args()
    if len(args.recordings) != len(args.of):
        raise UserError("argument-missing", "", "--recordings JSON and --of TEXT belong together")
    check(args.folder)
    recordings = [{"of": of, "figures": evaluation(path)} for of, path in zip(args.of, args.recordings, strict=True)]
    facts = model_card.gather(args.folder, args.date, recordings)
    text = model_card.page(facts)  # before anything is changed: it may lack a license
    store(args.folder / TRAINED)
    model_card.save(FACTS, facts)
    with written_whole(CARD) as part:
        part.write_text(text, encoding="utf-8")
    print(f"{RELEASED}: {facts['model']['bytes'] / 1e6:.2f} MB; its card is {CARD}")
    print(f"git add {RELEASED.parent} instrec/models {CARD} && git commit")


if __name__ == "__main__":
    sys.exit(run(main))
