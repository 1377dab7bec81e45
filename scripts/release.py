"""Make the trained model the released one: `make release`, or `python scripts/release.py [FOLDER] [options]`.

Takes `models/classifier.keras` of FOLDER, a working tree in which the pipeline has run (this one unless named), puts it
into `released/` with the facts that its card is written from, and as ONNX into the package: as the default model, also
with convolutions of 8 bits, or under the name that `--name` gives. What is left to do is to commit. Git has the model,
so that `dvc get`, `dvc import` and `dvc.api` find it at the address of the repository.
"""

import argparse
import datetime
import re
import shutil
import sys
from pathlib import Path

from instrec import export as exporting
from instrec.errors import UserError, run
from instrec.models.released import FAST, RELEASED, TRAINED, VALIDATION
from instrec.tracking import model_card
from instrec.tracking.mlflow.runs import md5
from instrec.tracking.model_card.facts import evaluation
from instrec.util import documents
from instrec.util.files import written_whole

LARGEST_MB = 5
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


def named(text: str) -> str:
    """Check a name for a model: it is part of files' names."""
    if not re.fullmatch("[a-z][a-z0-9_]*", text):
        raise argparse.ArgumentTypeError(f"{text!r}: lower-case letters, digits and underscores")
    return text


def store(folder: Path, name: str) -> None:
    """Put the model into `released/`, where git has it, and its ONNX with checksums into the package."""
    model = folder / TRAINED
    _pack(model, name, "at most")
    if name == RELEASED.stem:
        _pack(model, FAST, "a mean of", clips=folder / VALIDATION)
    with written_whole(RELEASED.with_stem(name)) as part:
        shutil.copyfile(model, part)


def _pack(model: Path, name: str, how: str, *, clips: Path | None = None) -> None:
    packaged = PACKAGED.with_stem(name)
    exported = exporting.export(model, "onnx", packaged, clips=clips)
    with written_whole(packaged.with_suffix(".md5")) as part:
        part.write_text(f"{md5(packaged)}  {packaged.name}\n", encoding="ascii")
    print(f"{packaged}: its probabilities differ from Keras's by {how} {exported.difference:.1g}")


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
    parser.add_argument("--name", type=named, default=RELEASED.stem, help=f"of the model (default: {RELEASED.stem})")
    parser.add_argument("--date", default=f"{datetime.date.today():%-d %B %Y}", help="(today)")
    args = parser.parse_args()
    if len(args.recordings) != len(args.of):
        raise UserError("argument-missing", "", "--recordings JSON and --of TEXT belong together")
    check(args.folder)
    recordings = [{"of": of, "figures": evaluation(path)} for of, path in zip(args.of, args.recordings, strict=True)]
    facts = {"name": args.name, **model_card.gather(args.folder, args.date, recordings)}
    text = model_card.page(facts)  # before anything is changed: it may lack a license
    store(args.folder, args.name)
    released, card = RELEASED.with_stem(args.name), model_card.card_of(args.name)
    model_card.save(released.with_suffix(".json"), facts)
    with written_whole(card) as part:
        part.write_text(text, encoding="utf-8")
    print(f"{released}: {facts['model']['bytes'] / 1e6:.2f} MB; its card is {card}")
    print(f"git add {RELEASED.parent} instrec/models {card} && git commit")


if __name__ == "__main__":
    sys.exit(run(main))
