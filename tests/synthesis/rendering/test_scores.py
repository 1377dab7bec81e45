"""Scores of the user, frozen scores, and windows of excerpts."""

from dataclasses import replace

import numpy as np
import pytest

from instrec import scores
from instrec.corpus.manifest import CLEAN, NOISY
from instrec.params import ScoreParams
from instrec.scores import midi
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.rendering import Renderer
from instrec.synthesis.soundfonts import catalog
from tests.synthesis.rendering.clips import CLIP, PEAK, RATE, hertz, save


def test_a_users_score_is_cut_at_its_onset(tmp_path, render):
    path = tmp_path / "song.mid"
    save(path, 73, end=5.0)
    clip = replace(CLIP, path=str(path), onset=3.0)
    assert abs(hertz(render(clip)) / 440 - round(hertz(render(clip)) / 440)) < 0.05
    assert np.array_equal(render(clip), render(clip))
    assert not render(replace(clip, onset=6.0)).any()


def test_frozen_scores_are_rendered_plain(render, data):
    """Neither id nor seed nor params.synth matters: only the score, the SoundFont and its own noise."""
    clip = replace(CLIP, id="seen_clean/solo/violin-000", split="seen_clean", path=f"{data}/solo/violin-000.mid")
    assert np.array_equal(render(clip), render(replace(clip, id="x", seed=1)))
    other = replace(render.params, synth=replace(render.params.synth, reverb_probability=1.0, detune_cents=50.0))
    assert np.array_equal(render(clip), Renderer(other, data)(clip))


def test_frozen_noise_is_that_of_the_file(render, data):
    clip = replace(CLIP, id="x", split="seen_noisy", path=f"{data}/solo/violin-000.mid", noise=NOISY)
    louder = replace(render.params.noise, background_probability=1.0, sethi_probability=1.0)
    y = render(clip)
    assert np.array_equal(y, Renderer(replace(render.params, noise=louder), data)(clip))
    assert not np.array_equal(y, render(replace(clip, split="seen_clean", noise=CLEAN)))
    # Hard clipping by 18 dB flattens the peaks.
    assert (np.abs(y.astype(int)) > 0.99 * PEAK).mean() > 0.1


def test_windows_of_an_excerpt_are_slices_of_it(render, data):
    """Whatever was rendered in between; leveled one by one, as all clips are."""
    path = data / "excerpt/000-piano.mid"
    clip = replace(CLIP, split="unseen_excerpts", path=str(path), labels=("piano",))
    synth = Synth(catalog.find(CLIP.soundfont, render.params.soundfonts.folders), RATE)
    whole = synth.render(midi.load(path), 4.0)
    onsets = [0.0, 0.25, 0.5, 1.0, 1.8, 2.5]
    windows = {onset: render(replace(clip, id=str(onset), onset=onset)) for onset in onsets}
    for onset, y in windows.items():
        expected = whole[round(onset * RATE) :][:RATE]
        assert np.abs(y - expected / np.abs(expected).max() * 0.89 * 32767).max() <= 1
        render(CLIP)
        assert np.array_equal(render(replace(clip, onset=onset)), y)


@pytest.mark.parametrize("labels", [("flute",), ("flute", "piano"), ()])
def test_composed_clips_are_played_plainly_and_are_one_score_clean_and_noisy(render, labels):
    group = "composed/mixture/x-00001"
    clip = replace(CLIP, id="composed_clean/mixture/x-00001", split="composed_clean", labels=labels, group=group)
    plain = replace(render.params, synth=replace(render.params.synth, reverb_probability=1.0, detune_cents=50.0))
    y = render(clip)
    assert np.array_equal(y, Renderer(plain, render.data)(clip))
    assert y.any() == bool(labels)
    noisy = replace(clip, id="composed_noisy/mixture/x-00001", split="composed_noisy")
    assert np.array_equal(render(noisy), y)  # while there is no noise
    assert not np.array_equal(render(replace(noisy, noise=NOISY)), y) or not labels
    if labels:
        assert not np.array_equal(render(replace(clip, group="composed/mixture/x-00002")), y)


@pytest.mark.parametrize(("split", "labels"), [("train", ("violin",)), ("composed_unseen", ("violin",)), ("train", ())])
def test_a_note_that_the_soundfont_lacks_is_drawn_again(render, monkeypatch, split, labels):
    """Silent ones are played for the first two draws; other styles, and clips without instruments, are drawn once."""
    drawn = []

    def compose(rng, classes, seconds):
        drawn.append(rng.random())
        return scores.compose(rng, classes if len(drawn) > 2 else (), seconds)

    monkeypatch.setitem(scores.STYLES, "notes", compose)
    monkeypatch.setitem(scores.STYLES, "uniform", compose)
    for style, draws in (("notes", 3 if labels else 1), ("uniform", 1)):
        drawn.clear()
        renderer = replace(render, params=replace(render.params, scores=ScoreParams(style)))
        y = renderer(replace(CLIP, split=split, labels=labels))
        assert (len(drawn), y.any()) == (draws, draws == 3)
