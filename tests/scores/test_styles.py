"""The styles that params.yaml can name."""

from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np

from instrec import scores
from instrec.corpus.manifest import CLEAN, SCORE, Clip
from instrec.params import ScoreParams
from instrec.scores import idiomatic
from instrec.synthesis.rendering import Renderer


def test_every_style_that_params_allow_has_a_composer():
    assert tuple(scores.STYLES) == get_args(get_type_hints(ScoreParams)["style"])
    assert scores.STYLES["idiomatic"] is scores.compose is idiomatic.compose


def test_clips_are_composed_in_the_style_of_params(tmp_path, small_params):
    """Uniform notes sound from a clip's beginning to its end; idiomatic ones have rests now and then."""
    plain = replace(small_params.synth, preroll_seconds=0.0, envelope_timecents=0.0)
    filled = {}
    for style in scores.STYLES:
        render = Renderer(replace(small_params, scores=ScoreParams(style), synth=plain), tmp_path)
        levels = []
        for number in range(20):
            row = Clip(f"train/solo/{number}", "train", SCORE, "", 0.0, ("violin",), "", "TimGM6mb.sf2", CLEAN, 20)
            levels += [np.abs(part).max() for part in np.array_split(render(row).astype(int), 8)]
        filled[style] = np.mean(np.array(levels) > 300)
    assert filled["uniform"] == 1 > filled["idiomatic"]


def test_in_an_ensemble_several_seldom_play_single_sounds_and_one_plays_as_before():
    def single(style: str, classes: tuple[str, ...]) -> float:
        rngs = (np.random.default_rng(seed) for seed in range(200))
        tracks = [track for rng in rngs for track in scores.STYLES[style](rng, classes, 3.0).instruments]
        return float(np.mean([len(track.notes) == 1 for track in tracks]))

    pair = ("flute", "cello")
    assert single("ensemble", pair) < single("idiomatic", pair) / 2
    assert single("ensemble", ("flute",)) == single("idiomatic", ("flute",))
