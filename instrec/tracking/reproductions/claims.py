"""The conclusions of the papers, each as a comparison of two metrics that are measured here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from instrec.tracking.reproductions.recipes import BUDGETS
from instrec.tracking.reproductions.results import Figure, Run, figure, of_budget

TOP1 = "unseen_clean.solo.top1"
EARLY = "history.val_presence_f1.5"
S2_MICRO = "unseen_excerpts.excerpts.s2_global.micro_f1"
COUNT, SOUNDING = "count_macro_f1", "by_count_micro_f1"

Side = tuple[str, str]
"""A recipe's name, and a metric's way through test.json."""


@dataclass(frozen=True)
class Claim:
    """One conclusion: `first` is better than `second`, or about as good where `equal`."""

    source: str
    text: str
    first: Side
    second: Side
    equal: bool = False


def _composed(noise: str, metric: str) -> str:
    return f"composed_{noise}.mixtures.{metric}"


CLAIMS = (
    Claim("Segal 2016", "ReLU beats leaky ReLU", ("segal2016", TOP1), ("segal2016_leaky", TOP1)),
    Claim(
        "thesis",
        "one dense layer: plain momentum beats Nesterov's",
        ("thesis_irv2", TOP1),
        ("thesis_irv2_nesterov", TOP1),
    ),
    Claim(
        "thesis",
        "two dense layers: Nesterov's momentum beats plain",
        ("thesis_irv2_two_layers_nesterov", TOP1),
        ("thesis_irv2_two_layers", TOP1),
    ),
    Claim(
        "thesis",
        "with Nesterov's momentum two dense layers beat one",
        ("thesis_irv2_two_layers_nesterov", TOP1),
        ("thesis_irv2_nesterov", TOP1),
    ),
    Claim(
        "thesis",
        "with plain momentum one and two dense layers are about equal",
        ("thesis_irv2", TOP1),
        ("thesis_irv2_two_layers", TOP1),
        equal=True,
    ),
    Claim(
        "Yun and Bi",
        "LeNet: 3x8 kernels learn faster than 5x5 (validation F1 after 5 epochs)",
        ("yun_bi_lenet_3x8", EARLY),
        ("yun_bi_lenet_5x5", EARLY),
    ),
    Claim(
        "Yun and Bi",
        "LeNet: 3x8 and 5x5 end about equal",
        ("yun_bi_lenet_3x8", TOP1),
        ("yun_bi_lenet_5x5", TOP1),
        equal=True,
    ),
    Claim(
        "Yun and Bi",
        "LeNet 5x5: 128 bands beat 64",
        ("yun_bi_lenet_5x5", TOP1),
        ("yun_bi_lenet_5x5_64_bands", TOP1),
    ),
    Claim(
        "Yun and Bi",
        "LeNet 3x8: 128 bands beat 64",
        ("yun_bi_lenet_3x8", TOP1),
        ("yun_bi_lenet_3x8_64_bands", TOP1),
    ),
    Claim("Yun and Bi", "LSTM: 64 bands beat 128", ("yun_bi_lstm_128", TOP1), ("yun_bi_lstm_128_128_bands", TOP1)),
    Claim("Yun and Bi", "LSTM: 128 units beat 64", ("yun_bi_lstm_128", TOP1), ("yun_bi_lstm_64", TOP1)),
    Claim("Yun and Bi", "LSTM: two layers beat one", ("yun_bi_lstm_128_128", TOP1), ("yun_bi_lstm_128", TOP1)),
    Claim(
        "Yun and Bi",
        "LSTM: 128-128 and 128-64 are about equal",
        ("yun_bi_lstm_128_128", TOP1),
        ("yun_bi_lstm_128_64", TOP1),
        equal=True,
    ),
    Claim(
        "Yun and Bi",
        "LeNet learns faster than LSTM (validation F1 after 5 epochs)",
        ("yun_bi_lenet_5x5", EARLY),
        ("yun_bi_lstm_128_128", EARLY),
    ),
    Claim(
        "Yun and Bi", "LeNet ends slightly higher than LSTM", ("yun_bi_lenet_5x5", TOP1), ("yun_bi_lstm_128_128", TOP1)
    ),
    Claim(
        "Sethi 2018",
        "new clips beat the same clips again (count)",
        ("sethi2018", _composed("clean", COUNT)),
        ("sethi2018_no_loop", _composed("clean", COUNT)),
    ),
    Claim(
        "Sethi 2018",
        "new clips beat the same clips again (instruments)",
        ("sethi2018", _composed("clean", SOUNDING)),
        ("sethi2018_no_loop", _composed("clean", SOUNDING)),
    ),
    Claim(
        "Sethi 2018",
        "AlexNet beats GoogLeNet (count)",
        ("sethi2018", _composed("clean", COUNT)),
        ("sethi2018_googlenet", _composed("clean", COUNT)),
    ),
    *(
        Claim(
            "Sethi 2018",
            f"tested {noise}, training on clean clips beats training on noisy ones ({what})",
            ("sethi2018", _composed(noise, metric)),
            ("sethi2018_noisy", _composed(noise, metric)),
        )
        for noise in ("clean", "noisy")
        for what, metric in (("count", COUNT), ("instruments", SOUNDING))
    ),
    Claim("Han 2017", "leaky ReLU beats ReLU", ("gomez2018_leaky", S2_MICRO), ("gomez2018", S2_MICRO)),
    Claim(
        "Han 2017",
        "S2 beats S1",
        ("gomez2018", S2_MICRO),
        ("gomez2018", S2_MICRO.replace("s2", "s1")),
    ),
    Claim(
        "Gómez 2018",
        "a threshold per class beats a global one (macro F1)",
        ("gomez2018", "unseen_excerpts.excerpts.s2_class.macro_f1"),
        ("gomez2018", "unseen_excerpts.excerpts.s2_global.macro_f1"),
    ),
    Claim(
        "Gómez 2018",
        "two branches with a threshold per class beat one with a global one",
        ("gomez2018_two_branch", "unseen_excerpts.excerpts.s2_class.micro_f1"),
        ("gomez2018", S2_MICRO),
    ),
    Claim(
        "Gómez 2018",
        "two branches beat one (by itself unpublished)",
        ("gomez2018_two_branch", S2_MICRO),
        ("gomez2018", S2_MICRO),
    ),
    Claim(
        "Gómez 2018",
        "three windows beat one (tried there, figures unpublished)",
        ("gomez2018_multi_resolution", S2_MICRO),
        ("gomez2018", S2_MICRO),
    ),
    Claim("Gómez 2018", "the solo part beats the whole", ("gomez2018_solo", S2_MICRO), ("gomez2018", S2_MICRO)),
)


def verdict(claim: Claim, runs: Mapping[str, Sequence[Run]]) -> tuple[Figure, Figure, str] | None:
    """Compare both sides, and say whether the conclusion holds here; None where they were not run with one budget.

    Where the difference's 95 % interval holds 0 it is too close to tell. The sides' errors count as independent, which
    makes that verdict more frequent than it need be where both were scored on the same clips.
    """
    for budget in BUDGETS:
        first, second = (
            figure(of_budget(runs.get(name, ()), budget), metric) for name, metric in (claim.first, claim.second)
        )
        if first and second:
            return first, second, _said(claim, first, second)
    return None


def _said(claim: Claim, first: Figure, second: Figure) -> str:
    difference, margin = first.mean - second.mean, math.hypot(first.margin, second.margin)
    if math.isnan(margin):
        return "points that way" if difference > 0 else "points the other way"
    told_apart = abs(difference) > margin
    if claim.equal:
        return "does not hold" if told_apart else "holds: no difference found"
    if not told_apart:
        return "too close to tell"
    return "holds" if difference > 0 else "the reverse holds"
