"""The command line: `instrec predict | evaluate | recipe | corpora | systems | gate | report | register | doctor`."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from instrec.errors import UserError, run

# Each command imports what it needs once its arguments are checked: help must not wait for keras.
if TYPE_CHECKING:
    from instrec.classifier import Classifier

MODEL = Path("models/classifier.keras")
INTERRUPTED = 130  # what `run` gives after Ctrl-C


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; give the exit code: 0, 2 for what the user must mend, 1 where `gate` fails."""
    try:
        return run(lambda: _dispatch(sys.argv[1:] if argv is None else argv))
    except BrokenPipeError:  # the reader, `head` say, has gone; what is still buffered must not raise again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # the shell's own code for it


def predict(args: argparse.Namespace) -> int:
    """Name the instruments of each file; a bad file is told of and the others still done."""
    from instrec import listening, timeline

    if args.plot and args.plot.suffix.lower() not in timeline.SUFFIXES:
        raise UserError(f"--plot {args.plot}: unknown format; allowed: {', '.join(timeline.SUFFIXES)}")
    classifier = _classifier(args.model)
    listening.hop_samples(classifier.card.clip, args.hop)  # a bad one is told of once, not for every file
    code = 0
    for number, file in enumerate(args.files, 1):
        plot = _numbered(args.plot, number, file) if args.plot and len(args.files) > 1 else args.plot
        code = max(code, run(partial(_predict_file, file, plot, classifier, args)))
        if code == INTERRUPTED:
            break
    return code


def _predict_file(file: str, plot: Path | None, classifier: Classifier, args: argparse.Namespace) -> None:
    from instrec import inference, timeline
    from instrec.text import prediction_table

    prediction = inference.predict(file, classifier, hop_seconds=args.hop, threshold=args.threshold)
    print(json.dumps(prediction.as_dict()) if args.json else prediction_table(prediction), flush=True)
    if plot:
        timeline.draw(prediction, plot)


def evaluate(args: argparse.Namespace) -> int:
    """Score the model on a folder of labelled recordings."""
    from instrec import evaluation
    from instrec.files import written_whole
    from instrec.text import evaluation_table

    evaluation.find(args.folder, ())  # a mistaken folder is told of before the model is loaded
    result = evaluation.evaluate_folder(args.folder, _classifier(args.model))
    if args.json:
        with written_whole(args.json) as part:
            part.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(evaluation_table(result))
    return 0


def recipe(args: argparse.Namespace) -> int:
    """Print a published system as what `dvc exp run` has to change, or list them."""
    from instrec import recipes
    from instrec.text import aligned

    known = recipes.names(args.folder)
    if args.list:
        rows = recipes.rows(recipes.load(args.folder, name) for name in known)
        print("\n".join(aligned([("recipe", "source", "task", "classes"), *rows])))
        return 0
    if not args.name:
        raise UserError("name a recipe; `instrec recipe --list` shows them")
    chosen = recipes.load(args.folder, args.name)
    changes = chosen.changes(budget="cpu" if args.cpu else "full", data_sets=args.data_sets)
    recipes.settings(args.params, changes, str(args.folder / f"{args.name}.yaml"))
    print(" ".join(f"-S {override}" for override in recipes.overrides(changes)))
    return 0


def corpora(args: argparse.Namespace) -> int:
    """List the published data sets that `sources.train` and `sources.test` may name."""
    from instrec.sources.corpora import table
    from instrec.text import aligned

    rows = [(each.name, f"{each.gigabytes:g}" if each.gigabytes else "-", each.title, each.how) for each in table()]
    print("\n".join(aligned([("name", "GB", "data set", "how to get it"), *rows], right=(1,))))
    return 0


def systems(args: argparse.Namespace) -> int:
    """Run published systems where told to, and write the page that compares them."""
    from instrec import recipes
    from instrec.systems import results, running, table

    folder, path = Path("recipes"), Path("docs/systems.json")
    known = recipes.names(folder)
    names = [recipes.load(folder, name).name for name in args.names] or known
    if args.run:
        seeds = range(args.seed, args.seed + args.seeds)
        running.run(Path(), names, budget=args.budget, seeds=seeds, path=path)
    page = path.with_suffix(".md")
    table.write(page, [recipes.load(folder, name) for name in known], results.read(path))
    print(page)
    return 0


def gate(args: argparse.Namespace) -> int:
    """Judge the working tree by its metrics against another commit's; 1 says that it failed."""
    from instrec.files import written_whole
    from instrec.gate import judge, markdown, rules

    def publish(page: str) -> None:
        if args.output:
            with written_whole(args.output) as part:
                part.write_text(page, encoding="utf-8")

    try:
        judgement = judge(Path(), args.base, rules.load(args.rules), args.rules)
    except UserError as error:
        publish(markdown.refusal(str(error)))  # what CI shows must not be an older page
        raise
    page = markdown.page(judgement)
    publish(page)
    print(page, end="")
    return 1 if judgement.reasons else 0


def report(args: argparse.Namespace) -> int:
    """Write a page of what the model reaches, what changed, and what it sounds like."""
    from instrec import page

    with _quiet_native_code():
        page.write(args.output, model=args.model, base=args.base, file=args.file)
    print(args.output)
    return 0


def register(args: argparse.Namespace) -> int:
    """Put the model into MLflow's registry, and see that it loads back and predicts the same."""
    from instrec import registry

    registry.check_names(args.name, args.alias)
    with _quiet_native_code():
        version = registry.register(args.model, args.name, args.alias)
    print(f"models:/{args.name}@{args.alias} is version {version}: it loads back and predicts the same")
    return 0


def doctor(args: argparse.Namespace) -> int:
    """Say what is there and what is missing."""
    from instrec import doctor as checks
    from instrec.text import aligned

    with _quiet_native_code():
        findings = checks.examine(args.model, args.params)
    print("\n".join(aligned([(each.state, each.what, each.detail) for each in findings])))
    return 2 if any(each.state == checks.MISSING for each in findings) else 0


def _dispatch(argv: Sequence[str]) -> int:
    parser, commands = _parsers()
    command = next((word for word in argv if not word.startswith("-")), None)
    if command is not None and command not in commands:
        raise UserError(f"unknown command {command!r}; {_suggestion(command, commands, 'instrec --help')}")
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        options = commands[args.command]._option_string_actions  # argparse offers no public list
        hint = _suggestion(unknown[0], options, f"instrec {args.command} --help")
        raise UserError(f"unknown argument {unknown[0]!r}; {hint}")
    return int(args.function(args))


class _Parser(argparse.ArgumentParser):
    """A parser that tells of a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see `{self.prog} --help`")


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(prog="instrec", description="Which instruments sound in audio, and when.", allow_abbrev=False)
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(function: Any, summary: str, *, model: bool = True) -> _Parser:
        sub: _Parser = subparsers.add_parser(function.__name__, help=summary, description=summary, allow_abbrev=False)
        sub.set_defaults(function=function)
        if model:
            sub.add_argument("--model", type=Path, default=MODEL, help=f"model file (default: {MODEL})")
        return sub

    sub = command(predict, "name the instruments in audio files, and when they sound")
    sub.add_argument("files", nargs="+", metavar="FILE", help="audio of any format, rate and length")
    sub.add_argument("--json", action="store_true", help="one JSON object a file, one line each")
    sub.add_argument(
        "--plot",
        type=Path,
        metavar="FILE.png",
        help="draw the timeline; with several files, one picture each, numbered",
    )
    sub.add_argument("--hop", type=float, metavar="SECONDS", help="from window to window (half a window)")
    sub.add_argument(
        "--threshold",
        type=_share,
        metavar="0..1",
        help="instead of the model's own; 0 lists every class",
    )
    sub = command(evaluate, "score the model on a folder of recordings, one sub-folder a class")
    sub.add_argument("folder", type=Path, metavar="FOLDER")
    sub.add_argument("--json", type=Path, metavar="OUT", help="also write every figure to this file")
    sub = command(recipe, "print a published system as options of `dvc exp run`", model=False)
    sub.add_argument("name", nargs="?", metavar="NAME", help="a recipe's name")
    sub.add_argument("--list", action="store_true", help="show every recipe: name, source, task, classes")
    sub.add_argument("--cpu", action="store_true", help="a smaller budget, for machines without a GPU")
    sub.add_argument("--data-sets", action="store_true", help="on the published data sets, not on the embedded data")
    sub.add_argument("--folder", type=Path, default=Path("recipes"), help="(default: recipes)")
    sub.add_argument("--params", type=Path, default=Path("params.yaml"), help="(default: params.yaml)")
    command(corpora, "list the published data sets, and how to get them", model=False)
    sub = command(systems, "compare published systems: write docs/systems.md", model=False)
    sub.add_argument("names", nargs="*", metavar="NAME", help="recipes to run (default: all)")
    sub.add_argument("--run", action="store_true", help="first run those that docs/systems.json lacks")
    sub.add_argument("--budget", choices=("full", "cpu"), default="full", help="(default: full)")
    sub.add_argument("--seed", type=int, default=20, help="first seed (default: 20)")
    sub.add_argument("--seeds", type=int, default=1, help="repetitions, each with a seed of its own (default: 1)")
    sub = command(gate, "judge the working tree by its metrics against another commit's", model=False)
    sub.add_argument("base", metavar="BASE", help="a commit, branch or tag to compare with")
    sub.add_argument("--rules", type=Path, default=Path("gate.yaml"), metavar="FILE", help="(default: gate.yaml)")
    sub.add_argument("--output", type=Path, metavar="FILE.md", help="also write the Markdown to this file")
    sub = command(report, "write an HTML page: scores, changes, pictures, mistakes to listen to")
    sub.add_argument("--base", metavar="REV", help="a commit, branch or tag to compare with")
    sub.add_argument("--file", type=Path, metavar="AUDIO", help="whose timeline is shown (test clips)")
    sub.add_argument("--output", type=Path, default=Path("report.html"), help="(default: report.html)")
    sub = command(register, "put the model into MLflow's registry")
    sub.add_argument("--name", default="instrec", help="(default: instrec)")
    sub.add_argument("--alias", default="champion", help="what the version is loaded by (default: champion)")
    sub = command(doctor, "say what is missing, and how to get it")
    sub.add_argument("--params", type=Path, default=Path("params.yaml"), help="(default: params.yaml)")
    return parser, dict(subparsers.choices)


class _Version(argparse.Action):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(nargs=0, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version  # looked up only when asked for

        print(f"instrec {version('instrec')}")
        parser.exit()


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number within 0..1, found {text!r}") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is outside 0..1")
    return value


def _suggestion(word: str, known: Iterable[str], help_command: str) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"see `{help_command}`"


def _classifier(path: Path) -> Classifier:
    from instrec import classifier

    with _quiet_native_code():
        return classifier.load(path)


@contextmanager
def _quiet_native_code() -> Iterator[None]:
    """Keep TensorFlow's native code from writing to standard error while it loads.

    It does so before it reads TF_CPP_MIN_LOG_LEVEL. Python's exceptions pass through as ever.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def _numbered(plot: Path, number: int, file: str) -> Path:
    return plot.with_name(f"{plot.stem}-{number}-{Path(file).stem}{plot.suffix}")


if __name__ == "__main__":
    sys.exit(main())
