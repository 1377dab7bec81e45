"""A picture of what the recipes reach: one metric of each, with its seeds, its interval and what chance reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from instrec.evaluation.figures import BLUE, FAINT, GREEN, INK
from instrec.tracking.reproductions import recipes
from instrec.tracking.reproductions.baselines import BASELINES, expected
from instrec.tracking.reproductions.curves import saved
from instrec.tracking.reproductions.estimates import estimate
from instrec.tracking.reproductions.recipes import OURS, Recipe
from instrec.tracking.reproductions.results import Run, value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of each task, the metric on sounds that training does not have.
METRICS = {
    "solo": ("top-1, unseen SoundFont", "unseen_clean.solo.top1"),
    "multilabel": ("micro F1, unseen SoundFont, S2 with one threshold", "unseen_excerpts.excerpts.s2_global.micro_f1"),
    "count_presence": ("micro F1 of instruments in new mixtures", "composed_clean.mixtures.by_count_micro_f1"),
}
_WIDTH, _ROW, _HEAD = 7.5, 0.2, 0.62  # inches: of the picture, of a recipe, of what a panel has besides


def draw(
    path: Path,
    shown: Mapping[str, Sequence[Run]],
    chosen: Sequence[Recipe],
    *,
    params_file: Path = Path("params.yaml"),
    data: Path = Path("data"),
) -> None:
    """Write an SVG with a panel per publication and a line per recipe.

    Parameters
    ----------
    shown : the runs of each recipe, with one budget.
    chosen : recipes, in the order of the lines; those of one publication follow one another.
    params_file, data : as in `page.write`.

    Raises
    ------
    UserError
        If the frozen scores are not there.
    """
    from matplotlib.figure import Figure

    blocks = [list(group) for _, group in groupby(chosen, lambda each: each.block)]
    heights = [_HEAD + _ROW * len(group) for group in blocks]
    figure = Figure((_WIDTH, sum(heights)), layout="constrained")
    panels = figure.subplots(len(blocks), 1, squeeze=False, gridspec_kw={"height_ratios": heights}).flat
    for group, axes in zip(blocks, panels, strict=True):
        title, metric = METRICS[group[0].task]
        budget = next((own[0].budget for each in group if (own := shown.get(each.name))), recipes.BUDGETS[0])
        _, params = recipes.settings(params_file, group[0].changes(budget=budget), f"recipe {group[0].name}")
        bars = [values[metric] for name in BASELINES if metric in (values := expected(params, data, name))]
        _panel(axes, group, shown, metric)
        axes.set_title(f"{group[0].block}: {title}", fontsize=9, color=INK, loc="left")
        if bars:
            axes.axvline(max(bars), color=FAINT, linestyle="--", linewidth=1)
    saved(figure, path)


def _panel(axes: Axes, group: Sequence[Recipe], shown: Mapping[str, Sequence[Run]], metric: str) -> None:
    for place, each in enumerate(group):
        runs = shown.get(each.name, ())
        found, color = estimate(runs, metric), GREEN if each.source == OURS else BLUE
        if found is None:
            axes.text(0.5, place, "not run", fontsize=7, color=FAINT, ha="center", va="center")
            continue
        seeds = [one for run in runs if (one := value(run, metric)) is not None]
        if not math.isnan(found.margin):
            axes.hlines(
                place, found.mean - found.margin, found.mean + found.margin, color=color, alpha=0.35, linewidth=5
            )
        axes.plot(seeds, [place] * len(seeds), "|", color=color, markersize=5)
        axes.plot(found.mean, place, "o", color=color, markersize=4)
    axes.set_yticks(range(len(group)), [each.name for each in group], fontsize=8, color=INK)
    axes.set(xlim=(0, 1), ylim=(len(group) - 0.4, -0.6))
    axes.tick_params(length=0, labelsize=8)
    axes.grid(axis="x", color=FAINT, alpha=0.25, linewidth=0.6)
    axes.spines[:].set_visible(False)
