"""Training that goes on from a model: its weights are taken, and only where they mean the same."""

from dataclasses import replace

import numpy as np
import pytest

from instrec.models import architectures, classifier
from instrec.models.classifier import Card
from instrec.training import warm_start
from tests.refusals import refused

SHAPE = (33, 24, 1)


@pytest.fixture
def params(small_params):
    return replace(small_params, model=replace(small_params.model, width=4))


def built(params):
    return architectures.build(SHAPE, len(params.classes), params.task, params.model)


@pytest.fixture
def learned(params, tmp_path, monkeypatch):
    """A model, saved where params.yaml may name it, in the working directory."""
    monkeypatch.chdir(tmp_path)
    model = built(params)
    card = Card(params.classes, params.clip, params.spectrogram, (0.5,) * len(params.classes))
    classifier.save(tmp_path / "learned.keras", model, card)
    return model


def starting_from(params, start):
    return replace(params, train=replace(params.train, start=start))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_its_weights_are_taken(params, learned, tmp_path, monkeypatch):
    for start in ("learned.keras", str(tmp_path / "learned.keras")):
        model = built(params)
        assert not same(model, learned)
        warm_start.take_weights(model, starting_from(params, start), params.classes)
        assert same(model, learned)
    # In a folder that DVC throws away, the repository's own file.
    (tmp_path / "apart").mkdir()
    monkeypatch.chdir(tmp_path / "apart")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    model = built(params)
    warm_start.take_weights(model, starting_from(params, "learned.keras"), params.classes)
    assert same(model, learned)


def test_the_prior_is_what_an_untrained_model_answers(params):
    model = built(params)
    labels = np.array([[1, 0, 0, 0]] * 6 + [[1, 1, 0, 0]] * 2 + [[0, 0, 0, 1]] * 12, dtype=np.uint8)
    warm_start.set_prior(model, labels)
    for name in ("presence", "count"):
        layer = model.get_layer(name)
        layer.set_weights([np.zeros_like(layer.get_weights()[0]), layer.get_weights()[1]])
    answers = model.predict_on_batch(np.zeros((1, *SHAPE), np.float32))
    assert answers["presence"][0] == pytest.approx([0.4, 0.1, 1 / 20, 0.6])  # never among 20 counts as once
    assert answers["count"][0, 1:3] / answers["count"][0, 1:3].sum() == pytest.approx([0.9, 0.1])


def test_inputs_may_have_another_hop(params, learned):
    finer = replace(params, spectrogram=replace(params.spectrogram, hop=params.spectrogram.hop // 2))
    model = architectures.build((2 * SHAPE[0] - 1, *SHAPE[1:]), len(params.classes), params.task, params.model)
    warm_start.take_weights(model, starting_from(finer, "learned.keras"), params.classes)
    assert same(model, learned)


def test_other_classes_take_what_both_have(params, learned):
    others = replace(params, classes=("drums", "tuba", "flute"))
    model = built(others)
    random = model.get_layer("presence").get_weights()
    warm_start.take_weights(model, starting_from(others, "learned.keras"), others.classes)
    for own, new, its in zip(
        model.get_layer("presence").get_weights(), random, learned.get_layer("presence").get_weights(), strict=True
    ):
        known = params.classes.index("drums"), params.classes.index("flute")
        np.testing.assert_array_equal(own[..., [0, 2]], its[..., known])
        np.testing.assert_array_equal(own[..., 1], new[..., 1])
    for name in ("stem", "count"):
        assert same(model.get_layer(name), learned.get_layer(name))


def test_none_leaves_random_ones(params):
    model = built(params)
    before = model.get_weights()
    warm_start.take_weights(model, params, params.classes)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_file_that_is_missing_is_named(params, learned):
    with refused("model-missing", "other.keras", "`dvc repro`"):
        warm_start.take_weights(built(params), starting_from(params, "other.keras"), params.classes)


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("clip", lambda params: replace(params, clip=replace(params.clip, seconds=2.0))),
        ("spectrogram", lambda params: replace(params, spectrogram=replace(params.spectrogram, mels=24))),
        ("classes", lambda params: replace(params, classes=("cello", "oboe"))),
        (
            "classes",
            lambda params: replace(
                params, classes=("violin", "flute", "piano", "organ"), train=replace(params.train, start_share=0.5)
            ),
        ),
    ],
)
def test_one_that_hears_or_tells_apart_something_else_is_refused(params, learned, section, change):
    other = change(starting_from(params, "learned.keras"))
    with refused("model-mismatch", "params.yaml: train.start", "learned.keras", section):
        warm_start.take_weights(built(other), other, other.classes)


@pytest.mark.parametrize("change", [{"width": 8}, {"name": "segal"}])
def test_another_network_is_refused(params, learned, change):
    other = starting_from(replace(params, model=replace(params.model, **change)), "learned.keras")
    with refused("model-mismatch", "params.yaml: train.start", "learned.keras", "task and model"):
        warm_start.take_weights(built(other), other, other.classes)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_share_of_the_start_stays(params, learned, share):
    settings = starting_from(params, "learned.keras")
    settings = replace(settings, train=replace(settings.train, start_share=share))
    model = built(params)
    trained = model.get_weights()
    warm_start.keep_share(model, settings)
    for now, before, after in zip(model.get_weights(), learned.get_weights(), trained, strict=True):
        np.testing.assert_allclose(now, share * before + (1 - share) * after, atol=1e-6)


def test_without_a_share_nothing_stays(params, learned):
    model = built(params)
    trained = model.get_weights()
    warm_start.keep_share(model, starting_from(params, "learned.keras"))
    assert all(np.array_equal(a, b) for a, b in zip(trained, model.get_weights(), strict=True))
