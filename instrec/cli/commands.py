"""What each command does: check what it is given, call the library, print."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instrec.errors import UserError, needs, shown, told
from instrec.util import processes

# Each command imports what it needs once its arguments are checked: help must not wait for keras.
if TYPE_CHECKING:
    from instrec.inference.batch import Sound
    from instrec.inference.formats import Format
    from instrec.inference.model import Model
    from instrec.inference.prediction import Prediction


_log = logging.getLogger(__name__)


def predict(args: argparse.Namespace) -> int:
    """Name the instruments of each file; a bad file is reported and the others still done."""
    from instrec.inference import batch, formats, timeline_plot

    if args.plot:
        with needs("instrec[plot]"):
            import matplotlib.figure  # noqa: F401 - before the work, not after it
    if args.plot and args.plot.suffix.lower() not in timeline_plot.SUFFIXES:
        raise UserError(
            "suffix-not-allowed", f"--plot {args.plot}", f"unknown format; allowed: {', '.join(timeline_plot.SUFFIXES)}"
        )
    if args.output == Path("-"):  # what `-` is elsewhere
        args.output = None
    denied: list[int] = []
    with _standard_input(args.files) as files:
        sounds = batch.sounds(files, lambda error: denied.append(told(error)))
        return max(_predict(args, sounds, formats.chosen(args.format, args.output)), *denied, 0)


def _predict(args: argparse.Namespace, sounds: list[Sound], form: Format) -> int:
    from instrec.inference import batch, formats

    formats.check(form, args.output, sounds, per_instrument=args.per_instrument)
    model = _model(args)
    if args.hop is not None:
        model.hop(args.hop)  # a bad one is reported once, not for every file
    code, settings = 0, {"hop_seconds": args.hop, "threshold": args.threshold, "track": args.track}
    written = formats.writing(form, args.output, per_instrument=args.per_instrument)
    with written as put, _bar(len(sounds), args.quiet) as (bar, progress):
        found = batch.predictions([sound.path for sound in sounds], model, progress=progress, **settings)
        with closing(found):
            for number, (sound, each) in enumerate(zip(sounds, found, strict=True), 1):
                plot = _numbered(args.plot, number, sound.path) if args.plot and len(sounds) > 1 else args.plot
                bar.clear()
                try:
                    _show(_named(each, sound), partial(put, sound), plot)
                except UserError as error:
                    code = told(error)
                bar.update()
    return code


def _show(each: Prediction | UserError, put: Callable[[Prediction], None], plot: Path | None) -> None:
    if isinstance(each, UserError):
        raise each
    for line in each.activations.warnings:
        _log.warning(line)
    put(each)
    if plot:
        each.plot(plot)


@contextmanager
def _standard_input(files: list[Path]) -> Iterator[list[Path]]:
    """Yield the files, with a temporary copy of standard input in place of `-`, as formats need to seek."""
    if Path("-") not in files:
        yield files
        return
    from instrec.util.files import temporary_folder

    with temporary_folder() as folder:
        with (folder / "-").open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield [folder / "-" if each == Path("-") else each for each in files]


def _named(each: Prediction | UserError, sound: Sound) -> Prediction | UserError:
    """Give what came from standard input the name `-`."""
    if sound.name != Path("-"):
        return each
    if isinstance(each, UserError):
        return UserError(each.code, "-", each.args[2])
    return replace(each, activations=replace(each.activations, file="-"))


@contextmanager
def _bar(files: int, quiet: bool) -> Iterator[tuple[Any, Callable[[float], None]]]:
    """Yield a bar of files, shown on a terminal when they take a while, and a function that adds seconds to it."""
    from instrec.util.progress import tqdm
    from instrec.util.text import clock

    total = 0.0
    with tqdm(total=files, unit="file", delay=2, disable=quiet or None, leave=False) as bar:

        def progress(seconds: float) -> None:
            nonlocal total
            total += seconds
            bar.set_postfix_str(f"{clock(total)} analyzed", refresh=bar.format_dict["elapsed"] > 2)

        yield bar, progress


def serve(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    with needs("instrec[serve]"):
        from instrec import web

    with web.bound(args.port) as socket:  # before the model, which takes seconds to load
        web.serve(_model(args), socket)
    return 0


def evaluate(args: argparse.Namespace) -> int:
    """Score the model on labeled recordings: a folder with one sub-folder per class, or a table of labels."""
    from instrec.evaluation import labeled_folder, labeled_table

    table = args.labels.suffix.lower() == ".csv"
    if table:
        labeled_table.read(args.labels, ())  # a mistake is reported before the model is loaded
        result = labeled_table.evaluate_table(args.labels, _model(args), track=args.track)
    else:
        labeled_folder.find(args.labels, ())
        result = labeled_folder.evaluate_folder(args.labels, _model(args), track=args.track)
    if args.json:
        print(json.dumps(result, indent=2))
    else:
        print(labeled_table.labels_table(result) if table else labeled_folder.evaluation_table(result))
    return 0


def export(args: argparse.Namespace) -> int:
    """Write the model as ONNX or TFLite, and see that it gives the same probabilities there."""
    from instrec.models import released

    model = released.choose(args.model, released.RELEASED)  # before packages of 2 GB are asked for
    with needs("instrec[export]"):
        from instrec import export as exporting
    output = args.output or Path(f"{model.stem}.{args.format}")
    with quiet_native_code():
        done = exporting.export(model, args.format, output, clips=args.int8)
    if not args.quiet:
        how, on = ("at most", "windows of notes, noise, silence and extremes")
        if args.int8:
            how, on = ("a mean of", f"other clips of {shown(args.int8)}")
        print(
            f"{shown(output)}: {done.size / 1e6:.2f} MB; its probabilities differ from Keras's by {how} "
            f"{done.difference:.1g} on {done.windows} {on}"
        )
    return 0


def doctor(args: argparse.Namespace) -> int:
    """Say what is there and what is missing."""
    from instrec.cli import doctor as checks
    from instrec.util.text import aligned

    with quiet_native_code():
        findings = checks.examine(args.model, args.params)
    rows = [(each.state, shown(each.what), shown(each.detail)) for each in findings]
    names = ("state", "what", "detail")
    print(json.dumps([dict(zip(names, row, strict=True)) for row in rows]) if args.json else "\n".join(aligned(rows)))
    return 2 if any(each.state == checks.MISSING for each in findings) else 0


def _model(args: argparse.Namespace) -> Model:
    from instrec.inference import model
    from instrec.models import released

    path = released.choose(args.model)
    with quiet_native_code():
        return model.load(path)


@contextmanager
def quiet_native_code() -> Iterator[None]:
    """Keep what converters and MLflow say from standard error. Python's exceptions pass through as ever."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # where something loads TensorFlow before `backend` does
    sys.stderr.flush()
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    processes.standard_error = kept
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        processes.standard_error = 2
        os.close(kept)
        os.close(sink)


def _numbered(plot: Path, number: int, file: Path) -> Path:
    return plot.with_name(f"{plot.stem}-{number}-{file.stem}{plot.suffix}")
