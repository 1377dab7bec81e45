"""What each command does: check what it is given, call the library, print."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instrec.errors import UserError, shown, told

# Each command imports what it needs once its arguments are checked: help must not wait for keras.
if TYPE_CHECKING:
    from instrec.inference.model import Model
    from instrec.inference.prediction import Prediction


def predict(args: argparse.Namespace) -> int:
    """Name the instruments of each file; a bad file is reported and the others still done."""
    from instrec.inference import batch, formats, timeline_plot

    if args.plot and args.plot.suffix.lower() not in timeline_plot.SUFFIXES:
        raise UserError(
            "suffix-not-allowed", f"--plot {args.plot}", f"unknown format; allowed: {', '.join(timeline_plot.SUFFIXES)}"
        )
    sounds, form = batch.sounds(args.files), formats.chosen(args.format, args.output)
    formats.check(form, args.output, sounds)
    model = _model(args.model)
    if args.hop is not None:
        model.hop(args.hop)  # a bad one is reported once, not for every file
    code, settings = 0, {"hop_seconds": args.hop, "threshold": args.threshold, "track": args.track}
    with formats.writing(form, args.output) as put, _bar(len(sounds)) as (bar, heard):
        found = batch.predictions([sound.path for sound in sounds], model, progress=heard, **settings)
        with closing(found):
            for number, (sound, each) in enumerate(zip(sounds, found, strict=True), 1):
                plot = _numbered(args.plot, number, sound.path) if args.plot and len(sounds) > 1 else args.plot
                bar.clear()
                try:
                    _show(each, partial(put, sound), plot)
                except UserError as error:
                    code = told(error)
                bar.update()
    return code


def _show(each: Prediction | UserError, put: Callable[[Prediction], None], plot: Path | None) -> None:
    from instrec.inference import timeline_plot

    if isinstance(each, UserError):
        raise each
    for line in each.heard.warnings:
        _warn(line)
    put(each)
    if plot:
        timeline_plot.draw(each, plot)


def _warn(line: str) -> None:
    from tqdm import tqdm

    tqdm.write(f"warning: {' '.join(line.splitlines())}", file=sys.stderr)  # above a bar, where there is one


@contextmanager
def _bar(files: int) -> Iterator[tuple[Any, Callable[[float], None]]]:
    """Yield a bar of files, shown on a terminal when they take a while, and a function that adds seconds to it."""
    from instrec.util.progress import tqdm
    from instrec.util.text import clock

    total = 0.0
    with tqdm(total=files, unit="file", delay=2, disable=None, leave=False) as bar:

        def heard(seconds: float) -> None:
            nonlocal total
            total += seconds
            bar.set_postfix_str(f"{clock(total)} heard", refresh=bar.format_dict["elapsed"] > 2)

        yield bar, heard


def serve(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from instrec import web

    with web.bound(args.port) as socket:  # before the model, which takes seconds to load
        web.serve(_model(args.model), socket)
    return 0


def evaluate(args: argparse.Namespace) -> int:
    """Score the model on a folder of labeled recordings."""
    from instrec.audio import decoding
    from instrec.evaluation import recordings
    from instrec.util.files import written_whole

    if args.json and args.json.suffix.lower() in decoding.SUFFIXES:
        raise UserError("suffix-not-allowed", f"--json {args.json}", "has a sound's ending; name a .json file")
    recordings.find(args.folder, ())  # a mistaken folder is reported before the model is loaded
    result = recordings.evaluate_folder(args.folder, _model(args.model), track=args.track, warn=_warn)
    print(recordings.evaluation_table(result))
    if args.json:  # last: where it cannot be written, the table is not lost
        with written_whole(args.json) as part:
            part.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def export(args: argparse.Namespace) -> int:
    """Write the model as ONNX or TFLite, and see that it gives the same probabilities there."""
    from instrec import export as exporting
    from instrec.models import released

    model = released.choose(args.model, released.RELEASED)
    output = args.output or Path(f"{model.stem}.{args.format}")
    with _quiet_native_code():
        done = exporting.export(model, args.format, output)
    print(
        f"{shown(output)}: {done.size / 1e6:.2f} MB; its probabilities differ from Keras's by at most "
        f"{done.difference:.1g} on {done.windows} windows of notes, noise, silence and extremes"
    )
    return 0


def card(args: argparse.Namespace) -> int:
    """Write the released model's card."""
    from instrec.tracking import model_card as cards

    cards.write(args.output, cards.read(args.facts))
    print(shown(args.output))
    return 0


def recipe(args: argparse.Namespace) -> int:
    """Print a published system as what `dvc exp run` has to change, or list them."""
    from instrec.tracking.reproductions import recipes
    from instrec.util.text import aligned

    known = recipes.names(args.folder)
    if args.list:
        rows = recipes.rows(recipes.load(args.folder, name) for name in known)
        print("\n".join(aligned([("recipe", "source", "task", "classes"), *rows])))
        return 0
    if not args.name:
        raise UserError("argument-missing", "", "name a recipe; `instrec recipe --list` shows them")
    chosen = recipes.load(args.folder, args.name)
    changes = chosen.changes(budget="cpu" if args.cpu else "full", data_sets=args.data_sets)
    recipes.settings(args.params, changes, str(args.folder / f"{args.name}.yaml"))
    print(" ".join(f"-S {override}" for override in recipes.overrides(changes)))
    return 0


def corpora(args: argparse.Namespace) -> int:
    """List the published datasets that `sources.train` and `sources.test` may name."""
    from instrec.corpus.published import table
    from instrec.util.text import aligned

    rows = [(each.name, f"{each.gigabytes:g}" if each.gigabytes else "-", each.title, each.how) for each in table()]
    print("\n".join(aligned([("name", "GB", "dataset", "how to get it"), *rows], right=(1,))))
    return 0


def systems(args: argparse.Namespace) -> int:
    """Run published systems where told to, and write the page that compares them."""
    from instrec.tracking.reproductions import recipes, results, running, table

    folder, path = Path("recipes"), Path("docs/systems.json")
    known = recipes.published(folder)
    names = [recipes.load(folder, name).name for name in args.names] or [each.name for each in known]
    if args.run:
        seeds = range(args.seed, args.seed + args.seeds)
        running.run(Path(), names, budget=args.budget, seeds=seeds, path=path)
    page = path.with_suffix(".md")
    table.write(page, known, results.read(path))
    print(page)
    return 0


def gate(args: argparse.Namespace) -> int:
    """Judge the working tree by its metrics against another commit's; 1 says that it failed."""
    from instrec.tracking.gate import judge, markdown, rules
    from instrec.util.files import written_whole

    def publish(page: str) -> None:
        if args.output:
            with written_whole(args.output) as part:
                part.write_text(page, encoding="utf-8")

    try:
        judgment = judge(Path(), args.base, rules.load(args.rules), args.rules)
    except UserError as error:
        publish(markdown.refusal(str(error)))  # what CI shows must not be an older page
        raise
    page = markdown.page(judgment)
    publish(page)
    print(page, end="")
    return 1 if judgment.reasons else 0


def report(args: argparse.Namespace) -> int:
    """Write a page of what the model reaches, what changed, and what it sounds like."""
    from instrec.models import released
    from instrec.tracking import report

    with _quiet_native_code():
        report.write(args.output, model=args.model or released.TRAINED, base=args.base, file=args.file)
    print(shown(args.output))
    return 0


def register(args: argparse.Namespace) -> int:
    """Put the model into MLflow's registry, and see that it loads back and predicts the same."""
    from instrec.models import released
    from instrec.tracking.mlflow import registry

    registry.check_names(args.name, args.alias)
    with _quiet_native_code():
        version = registry.register(args.model or released.TRAINED, args.name, args.alias)
    print(f"models:/{args.name}@{args.alias} is version {version}: it loads back and predicts the same")
    return 0


def doctor(args: argparse.Namespace) -> int:
    """Say what is there and what is missing."""
    from instrec.cli import doctor as checks
    from instrec.util.text import aligned

    with _quiet_native_code():
        findings = checks.examine(args.model, args.params)
    print("\n".join(aligned([(each.state, shown(each.what), shown(each.detail)) for each in findings])))
    return 2 if any(each.state == checks.MISSING for each in findings) else 0


def _model(named: Path | None) -> Model:
    from instrec.inference import model
    from instrec.models import released

    path = released.choose(named)
    with _quiet_native_code():
        return model.load(path)


@contextmanager
def _quiet_native_code() -> Iterator[None]:
    """Keep what converters and MLflow say from standard error. Python's exceptions pass through as ever."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # where something loads TensorFlow before `backend` does
    sys.stderr.flush()
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def _numbered(plot: Path, number: int, file: Path) -> Path:
    return plot.with_name(f"{plot.stem}-{number}-{file.stem}{plot.suffix}")
