"""What each command of the maintainers does: `instrec dev`."""

from __future__ import annotations

import argparse
from pathlib import Path

from instrec.cli.commands import quiet_native_code
from instrec.errors import UserError, shown


def card(args: argparse.Namespace) -> int:
    """Write the released model's card."""
    from instrec.tracking import model_card as cards

    cards.write(args.output, args.facts)
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
        raise UserError("argument-missing", "", "name a recipe; `instrec dev recipe --list` shows them")
    chosen = recipes.load(args.folder, args.name)
    changes = chosen.changes(budget="cpu" if args.cpu else "full", data_sets=args.data_sets)
    recipes.settings(args.params, changes, str(args.folder / f"{args.name}.yaml"))
    print(" ".join(f"-S {override}" for override in recipes.overrides(changes)))
    return 0


def corpora(args: argparse.Namespace) -> int:
    """List the published datasets that `sources.train` and `sources.test` may name."""
    from instrec.corpus.published import CORPORA
    from instrec.util.text import aligned

    known = CORPORA.values()
    rows = [(each.name, f"{each.gigabytes:g}" if each.gigabytes else "-", each.title, each.how) for each in known]
    print("\n".join(aligned([("name", "GB", "dataset", "how to get it"), *rows], right=(1,))))
    return 0


def systems(args: argparse.Namespace) -> int:
    """Run published systems if requested, and write the page that compares them."""
    from instrec.tracking.reproductions import curves, metrics_chart, page, recipes, results, running

    folder, path = Path("recipes"), Path("docs/systems.json")
    known = recipes.compared(folder)
    names = [recipes.load(folder, name).name for name in args.names] or [each.name for each in known]
    if args.run:
        seeds = range(args.seed, args.seed + args.seeds)
        chosen = {"budget": args.budget, "seeds": seeds, "precision": args.precision}
        running.run(Path(), names, path=path, anew=args.anew, **chosen)
    written, runs = path.with_suffix(".md"), results.read(path)
    page.write(written, known, runs)
    metrics_chart.draw(page.chart_of(written), page.shown(runs), known)
    curves.draw(path.with_suffix(".svg"), page.shown(runs), known)
    print(written)
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

    with quiet_native_code():
        report.write(args.output, model=args.model or released.TRAINED, base=args.base, file=args.file)
    print(shown(args.output))
    return 0


def register(args: argparse.Namespace) -> int:
    """Put the model into MLflow's registry, and see that it loads back and predicts the same."""
    from instrec.models import released
    from instrec.tracking.mlflow import registry

    registry.check_names(args.name, args.alias)
    with quiet_native_code():
        version = registry.register(args.model or released.TRAINED, args.name, args.alias)
    print(f"models:/{args.name}@{args.alias} is version {version}: it loads back and predicts the same")
    return 0
