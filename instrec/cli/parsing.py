"""The commands with their arguments, as argparse has them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from instrec.cli import commands
from instrec.errors import UserError
from instrec.models.released import FACTS, RELEASED, TRAINED

_TRACK_HELP = "audio track, of files with several (default: the file's default one, or the first that sounds)"


class Parser(argparse.ArgumentParser):
    """A parser that tells of a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError("arguments-invalid", "", f"{message}; see `{self.prog} --help`")


def parsers() -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(prog="instrec", description="Which instruments sound in audio, and when.", allow_abbrev=False)
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def command(function: Any, summary: str, *, model: str = f"{TRAINED}, or else {RELEASED}") -> Parser:
        sub: Parser = subparsers.add_parser(function.__name__, help=summary, description=summary, allow_abbrev=False)
        sub.set_defaults(function=function)
        if model:
            sub.add_argument("--model", type=_path, help=f"model file (default: {model})")
        return sub

    sub = command(commands.predict, "name the instruments in audio files, and when they sound")
    sub.add_argument(
        "files", nargs="+", type=_path, metavar="FILE", help="audio of any format, rate and length, or a folder of it"
    )
    sub.add_argument("--format", choices=("text", "json", "csv", "jams"), help="(default: by --output, or text)")
    sub.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")
    sub.add_argument("--output", type=_path, metavar="PATH", help="a file for all, or a folder with a file for each")
    sub.add_argument(
        "--plot",
        type=_path,
        metavar="FILE.png",
        help="draw the timeline; with several files, one picture each, numbered",
    )
    sub.add_argument("--hop", type=float, metavar="SECONDS", help="from window to window (a sixth of a window)")
    sub.add_argument(
        "--threshold",
        type=_share,
        metavar="0..1",
        help="instead of the model's own; 0 lists every class",
    )
    sub.add_argument("--track", type=_track, metavar="N", help=_TRACK_HELP)
    sub = command(commands.serve, "show a page on this machine to drop audio on, and play it with its timeline")
    sub.add_argument("--port", type=_port, default=8000, help="0 for any that is free (default: 8000)")
    sub = command(commands.evaluate, "score the model on a folder of recordings, one sub-folder per class")
    sub.add_argument("folder", type=_path, metavar="FOLDER")
    sub.add_argument("--json", type=_path, metavar="OUT", help="also write every figure to this file")
    sub.add_argument("--track", type=_track, metavar="N", help=_TRACK_HELP)
    sub = command(commands.export, "write the model as ONNX or TFLite: sound in, probabilities out")
    sub.add_argument("--format", choices=("onnx", "tflite"), required=True)
    sub.add_argument("--output", type=_path, metavar="FILE", help="(default: the model's name, here)")
    sub = command(commands.card, "write the released model's card", model="")
    sub.add_argument("--facts", type=_path, default=FACTS, metavar="FILE", help=f"(default: {FACTS})")
    sub.add_argument("--output", type=_path, default=Path("docs/model_card.md"), help="(default: docs/model_card.md)")
    sub = command(commands.recipe, "print a published system as options of `dvc exp run`", model="")
    sub.add_argument("name", nargs="?", metavar="NAME", help="a recipe's name")
    sub.add_argument("--list", action="store_true", help="show every recipe: name, source, task, classes")
    sub.add_argument("--cpu", action="store_true", help="a smaller budget, for machines without a GPU")
    sub.add_argument("--data-sets", action="store_true", help="on the published datasets, not on the embedded data")
    sub.add_argument("--folder", type=_path, default=Path("recipes"), help="(default: recipes)")
    sub.add_argument("--params", type=_path, default=Path("params.yaml"), help="(default: params.yaml)")
    command(commands.corpora, "list the published datasets, and how to get them", model="")
    sub = command(commands.systems, "compare published systems: write docs/systems.md", model="")
    sub.add_argument("names", nargs="*", metavar="NAME", help="recipes to run (default: all)")
    sub.add_argument("--run", action="store_true", help="first run those that docs/systems.json lacks")
    sub.add_argument("--budget", choices=("full", "cpu"), default="full", help="(default: full)")
    sub.add_argument("--seed", type=int, default=20, help="first seed (default: 20)")
    sub.add_argument("--seeds", type=int, default=1, help="repetitions, each with a seed of its own (default: 1)")
    sub = command(commands.gate, "judge the working tree by its metrics against another commit's", model="")
    sub.add_argument("base", metavar="BASE", help="a commit, branch or tag to compare with")
    sub.add_argument("--rules", type=_path, default=Path("gate.yaml"), metavar="FILE", help="(default: gate.yaml)")
    sub.add_argument("--output", type=_path, metavar="FILE.md", help="also write the Markdown to this file")
    sub = command(
        commands.report, "write an HTML page: scores, changes, pictures, mistakes to listen to", model=str(TRAINED)
    )
    sub.add_argument("--base", metavar="REV", help="a commit, branch or tag to compare with")
    sub.add_argument("--file", type=_path, metavar="AUDIO", help="whose timeline is shown (test clips)")
    sub.add_argument("--output", type=_path, default=Path("report.html"), help="(default: report.html)")
    sub = command(commands.register, "put the model into MLflow's registry", model=str(TRAINED))
    sub.add_argument("--name", default="instrec", help="(default: instrec)")
    sub.add_argument("--alias", default="champion", help="what the version is loaded by (default: champion)")
    sub = command(commands.doctor, "say what is missing, and how to get it")
    sub.add_argument("--params", type=_path, default=Path("params.yaml"), help="(default: params.yaml)")
    return parser, dict(subparsers.choices)


class _Version(argparse.Action):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(nargs=0, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version  # looked up only when asked for

        print(f"instrec {version('instrec')}")
        parser.exit()


def _path(text: str) -> Path:
    if not text:  # a variable that is not set, for example; Path would take it for this folder
        raise argparse.ArgumentTypeError("an empty name")
    return Path(text)


def _track(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 9999:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more, found {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a number within 0..65535, found {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number within 0..1, found {text!r}") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is outside 0..1")
    return value
