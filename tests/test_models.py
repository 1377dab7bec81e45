"""Every architecture keeps the same contract."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from instrec import models
from instrec.errors import UserError
from instrec.models.tasks import COUNTS
from instrec.params import Params

SHAPE, CLASSES = (64, 48, 1), 5


@pytest.fixture(params=models.TRUNKS)
def model(request: pytest.FixtureRequest, small_params: Params) -> keras.Model:
    return models.build(SHAPE, CLASSES, "count_presence", replace(small_params.model, name=request.param))


def pictures(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).random((count, *SHAPE), dtype=np.float32)


def test_outputs_are_probabilities_of_presence_and_count(model: keras.Model) -> None:
    outputs = model.predict_on_batch(pictures())
    assert outputs["presence"].shape == (3, CLASSES)
    assert outputs["count"].shape == (3, COUNTS)
    assert ((outputs["presence"] > 0) & (outputs["presence"] < 1)).all()
    np.testing.assert_allclose(outputs["count"].sum(axis=1), 1, rtol=1e-5)


def test_saved_and_loaded_it_says_the_same(model: keras.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for name, output in model.predict_on_batch(pictures()).items():
        np.testing.assert_array_equal(loaded.predict_on_batch(pictures())[name], output)


def test_half_precision_inside_single_precision_outside(small_params: Params) -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        for name in models.TRUNKS:
            model = models.build(SHAPE, CLASSES, "count_presence", replace(small_params.model, name=name))
            assert all(output.dtype == np.float32 for output in model.predict_on_batch(pictures()).values())
            assert model.layers[1].compute_dtype == "float16"
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_every_layer_is_named_so_that_files_do_not_depend_on_what_was_built_before(small_params: Params) -> None:
    for name in models.TRUNKS:
        first, second = (
            models.build(SHAPE, CLASSES, "count_presence", replace(small_params.model, name=name)) for _ in range(2)
        )
        assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]


def test_the_default_is_small(full_params: Params) -> None:
    from instrec import spectrograms

    shape = spectrograms.from_params(full_params.clip, full_params.spectrogram).shape
    assert models.build(shape, len(full_params.classes), full_params.task, full_params.model).count_params() < 300_000


def test_an_unknown_architecture_names_those_there_are(small_params: Params) -> None:
    with pytest.raises(UserError, match=r"model\.name.*compact_resnet"):
        models.build(SHAPE, CLASSES, "count_presence", replace(small_params.model, name="vgg"))
