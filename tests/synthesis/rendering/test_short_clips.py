"""Clips shorter than their scores still have their instruments."""

from dataclasses import replace

import numpy as np
import pretty_midi

from instrec.synthesis.rendering import Renderer
from tests.synthesis.rendering.clips import CLIP, PEAK, RATE, save


def test_a_short_clip_of_a_frozen_score_has_its_instruments(tmp_path, render):
    """The first of the places, a hop apart, that has them all."""
    flute, piano = 73, 0
    for spans, start in (
        ({flute: (0.0, 0.9)}, 0.0),
        ({flute: (1.2, 2.9)}, 1.0),
        ({flute: (2.2, 2.9)}, 2.0),
        ({flute: (0.0, 2.9), piano: (1.1, 1.9)}, 1.0),
        ({flute: (0.0, 1.5), piano: (2.2, 2.9)}, 0.0),  # never both: the first that has one
    ):
        path = tmp_path / "solo" / "flute-000.mid"
        path.parent.mkdir(exist_ok=True)
        score = pretty_midi.PrettyMIDI()
        for program, (begin, end) in spans.items():
            track = pretty_midi.Instrument(program)
            track.notes = [pretty_midi.Note(100, 76, begin, end)]
            score.instruments.append(track)
        score.write(str(path))
        y = render(replace(CLIP, split="seen_clean", path=str(path)))
        longer = replace(render.params, clip=replace(render.params.clip, seconds=4.0))
        whole = Renderer(longer, render.data)(replace(CLIP, split="seen_clean", path=str(path))).astype(float)
        expected = whole[round(start * RATE) :][:RATE]
        assert np.abs(y - expected / np.abs(expected).max() * 0.89 * 32767).max() <= 2


def test_a_clip_as_long_as_the_frozen_scores_begins_where_they_do(tmp_path, render):
    save(tmp_path / "late.mid", 73, end=2.9, start=2.0)
    longer = replace(render.params, clip=replace(render.params.clip, seconds=3.0))
    y = Renderer(longer, tmp_path)(replace(CLIP, split="seen_clean", path=f"{tmp_path}/late.mid"))
    assert not y[: round(1.95 * RATE)].any()
    assert y[round(2.1 * RATE) :].any()


def test_with_onset_a_score_is_cut_at_its_attack(tmp_path, render):
    attack = Renderer(replace(render.params, selection=replace(render.params.selection, start="onset")), tmp_path)
    save(tmp_path / "late.mid", 0, end=2.9, start=1.7)
    for clip in (
        replace(CLIP, split="seen_clean", path=f"{tmp_path}/late.mid"),
        *(replace(CLIP, id=f"train/solo/piano-{number:05}", labels=("piano",)) for number in range(8)),
    ):
        y = attack(clip).astype(float)
        level = np.sqrt(np.mean(y[: RATE // 20] ** 2))
        assert level > 0.02 * PEAK, clip.id  # it sounds from the beginning
        assert not np.array_equal(y, render(clip))


def test_with_onset_a_mixture_still_has_all_its_instruments(tmp_path, render):
    """Where they do not sound together from the attack on, the clip begins elsewhere."""
    attack = Renderer(replace(render.params, selection=replace(render.params.selection, start="onset")), tmp_path)
    score = pretty_midi.PrettyMIDI()
    for program, *notes in ((73, (60, 0.0, 1.9)), (0, (40, 1.5, 1.8), (120, 2.2, 2.9))):
        track = pretty_midi.Instrument(program)
        track.notes = [pretty_midi.Note(velocity, 76, begin, end) for velocity, begin, end in notes]
        score.instruments.append(track)
    score.write(f"{tmp_path}/2-000-flute+piano.mid")
    clip = replace(CLIP, split="seen_clean", path=f"{tmp_path}/2-000-flute+piano.mid", labels=("flute", "piano"))
    assert np.array_equal(attack(clip), render(clip))  # from 1.0 s on
    assert not attack(replace(CLIP, id="train/mixture/0-00001", labels=())).any()
