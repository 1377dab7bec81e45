"""The commands and their arguments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from instrec.cli import commands, dev
from instrec.errors import UserError
from instrec.models.released import FACTS, NAMES, RELEASED, TRAINED, VALIDATION

PREDICTION_FORMATS = ("text", "json", "csv", "jams", "audacity", "reaper", "webvtt", "sonic-visualiser", "textgrid")
"""Names of `inference.formats.FORMATS`; help does not wait for that."""

_TRACK_HELP = "audio track of a file with several (default: the default track, or the first that is not silent)"

_QUIET_HELP = "print neither progress nor warnings, errors alone"


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line, and knows its commands."""

    commands: dict[str, Parser]

    def error(self, message: str) -> NoReturn:
        raise UserError("arguments-invalid", "", f"{message}; see `{self.prog} --help`")

    def command(self, function: Any, summary: str, *, model: str = "") -> Parser:
        """Add a command that calls a function of its name; `model` says which model it takes by default."""
        sub: Parser = self._group.add_parser(function.__name__, help=summary, description=summary, allow_abbrev=False)
        sub.set_defaults(function=function, parser=sub)
        if model:
            sub.add_argument(
                "--model", type=_path, help=f"file, .onnx or .keras, or {', '.join(NAMES)} (default: {model})"
            )
        return sub

    def grouped(self) -> Parser:
        """Make this a group of commands."""
        self._group = self.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
        self.commands = self._group.choices
        return self


def parsers() -> tuple[Parser, Parser]:
    """Return the parser of everything, and that of the maintainers' commands within it."""
    parser = Parser(prog="instrec", description="Which instruments sound in audio, and when.", allow_abbrev=False)
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    shells = ("bash", "zsh", "tcsh")
    parser.add_argument("--print-completion", action=_Completion, choices=shells, help="print a script for a shell")
    _add_users(parser.grouped())
    summary = "what maintainers of the model need: recipes, comparison, report, registry"
    group: Parser = parser._group.add_parser("dev", help=summary, description=summary, allow_abbrev=False)
    _add_maintainers(group.grouped())
    return parser, group


def _add_users(parser: Parser) -> None:
    ours = f"{TRAINED}, or else the released one"
    sub = parser.command(commands.predict, "name the instruments in audio files, and when they sound", model=ours)
    sub.add_argument(
        "files", nargs="+", type=_path, metavar="FILE",
        help="audio of any format, rate and length, a folder of it, or - for standard input",
    )  # fmt: skip
    form = sub.add_mutually_exclusive_group()
    form.add_argument("--format", choices=PREDICTION_FORMATS, help="(default: from the ending of --output, or text)")
    form.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")
    sub.add_argument(
        "--output",
        type=_path,
        metavar="PATH",
        help="one file for all results, a folder for one file each, or - for standard output",
    )
    sub.add_argument("--per-instrument", action="store_true", help="in --output FOLDER, a file for each instrument")
    sub.add_argument(
        "--plot", type=_path, metavar="FILE.png", help="draw the timeline; for several files, one numbered plot each"
    )
    sub.add_argument("--hop", type=float, metavar="SECONDS", help="distance of windows (default: a sixth of a window)")
    sub.add_argument(
        "--threshold", type=_share, metavar="0..1", help="replaces the thresholds of the model; 0 lists every class"
    )
    sub.add_argument("--track", type=_count, metavar="N", help=_TRACK_HELP)
    sub.add_argument("--quiet", action="store_true", help=_QUIET_HELP)
    summary = "show a page on this machine to drop audio on, and play it with its timeline"
    sub = parser.command(commands.serve, summary, model=ours)
    sub.add_argument("--port", type=_port, default=8000, help="0 for any that is free (default: 8000)")
    sub = parser.command(commands.evaluate, "score the model on labeled recordings", model=ours)
    sub.add_argument(
        "labels", type=_path, metavar="FOLDER|CSV",
        help="a folder with one sub-folder per class, or a table: file, labels (a;b), and perhaps absent, group",
    )  # fmt: skip
    sub.add_argument("--json", action="store_true", help="print every metric as JSON, in place of the table")
    sub.add_argument("--track", type=_count, metavar="N", help=_TRACK_HELP)
    sub.add_argument("--quiet", action="store_true", help=_QUIET_HELP)
    summary = "write the model as ONNX or TFLite: sound in, probabilities out"
    sub = parser.command(commands.export, summary, model=f"{TRAINED}, or else {RELEASED}")
    sub.add_argument("--format", choices=("onnx", "tflite"), required=True)
    sub.add_argument("--output", type=_path, metavar="FILE", help="(default: the model's name, here)")
    sub.add_argument(
        "--int8", type=_path, nargs="?", const=VALIDATION, metavar="CLIPS",
        help=f"ONNX with convolutions of 8 bits, with ranges as on these features (those in {VALIDATION})",
    )  # fmt: skip
    sub.add_argument("--quiet", action="store_true", help=_QUIET_HELP)
    sub = parser.command(commands.doctor, "say what is missing, and how to get it", model=ours)
    sub.add_argument("--json", action="store_true", help="print the findings as JSON")
    sub.add_argument("--params", type=_path, default=Path("params.yaml"), help="(default: params.yaml)")


def _add_maintainers(parser: Parser) -> None:
    sub = parser.command(dev.card, "write the released model's card")
    sub.add_argument("--facts", type=_path, default=FACTS, metavar="FILE", help=f"(default: {FACTS})")
    sub.add_argument("--output", type=_path, default=Path("docs/model_card.md"), help="(default: docs/model_card.md)")
    sub = parser.command(dev.recipe, "print a published system as options of `dvc exp run`")
    sub.add_argument("name", nargs="?", metavar="NAME", help="a recipe's name")
    sub.add_argument("--list", action="store_true", help="show every recipe: name, source, task, classes")
    sub.add_argument("--cpu", action="store_true", help="use the smaller budget, for machines without a GPU")
    sub.add_argument("--data-sets", action="store_true", help="use the published datasets, not the embedded data")
    sub.add_argument("--folder", type=_path, default=Path("recipes"), help="(default: recipes)")
    sub.add_argument("--params", type=_path, default=Path("params.yaml"), help="(default: params.yaml)")
    parser.command(dev.corpora, "list the published datasets, and how to get them")
    sub = parser.command(dev.systems, "compare published systems: write docs/systems.md")
    sub.add_argument("names", nargs="*", metavar="NAME", help="recipes to run (default: all)")
    sub.add_argument("--run", action="store_true", help="first run the recipes that docs/systems.json lacks")
    sub.add_argument("--budget", choices=("full", "cpu"), default="full", help="(default: full)")
    sub.add_argument("--seed", type=int, default=20, help="first seed (default: 20)")
    sub.add_argument("--seeds", type=_count, default=3, help="repetitions, each with a seed of its own (default: 3)")
    sub.add_argument("--anew", action="store_true", help="also run what docs/systems.json has from other commits")
    precisions = ("float32", "mixed_float16", "mixed_bfloat16")
    sub.add_argument("--precision", choices=precisions, help="of training (default: as in the recipe and params.yaml)")
    sub = parser.command(dev.gate, "judge the working tree by its metrics against another commit's")
    sub.add_argument("base", metavar="BASE", help="a commit, branch or tag to compare with")
    sub.add_argument("--rules", type=_path, default=Path("gate.yaml"), metavar="FILE", help="(default: gate.yaml)")
    sub.add_argument("--output", type=_path, metavar="FILE.md", help="also write the Markdown to this file")
    summary = "write an HTML page: scores, changes, images, mistakes to listen to"
    sub = parser.command(dev.report, summary, model=str(TRAINED))
    sub.add_argument("--base", metavar="REV", help="a commit, branch or tag to compare with")
    sub.add_argument("--file", type=_path, metavar="AUDIO", help="audio file for the timeline (default: test clips)")
    sub.add_argument("--output", type=_path, default=Path("report.html"), help="(default: report.html)")
    sub = parser.command(dev.register, "put the model into MLflow's registry", model=str(TRAINED))
    sub.add_argument("--name", default="instrec", help="(default: instrec)")
    sub.add_argument("--alias", default="champion", help="what the version is loaded by (default: champion)")


class _Completion(argparse.Action):
    """Prints what a shell needs to complete commands, options and files."""

    def __call__(self, parser: argparse.ArgumentParser, _: Any, shell: Any, __: str | None = None) -> NoReturn:
        import shtab

        waiting = [parser]
        while waiting:
            for action in waiting.pop()._actions:
                if isinstance(action.choices, dict):
                    waiting += action.choices.values()
                elif action.type is _path:
                    action.complete = shtab.FILE  # type: ignore[attr-defined]
        print(shtab.complete(parser, shell))
        parser.exit()


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


def _count(text: str) -> int:
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
