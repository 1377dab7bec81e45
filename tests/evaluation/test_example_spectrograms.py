"""The image of example spectrograms, of real stores."""

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.image import imread
from scipy.ndimage import label

from instrec.evaluation import example_spectrograms
from instrec.util import hdf5

CLASSES = ("cello", "drums", "flute", "piano", "organ", "violin")


def write_set(folder, name, kind="solo", classes=CLASSES, level=0.5):
    labels = np.eye(len(classes), dtype=np.uint8).repeat(2, axis=0)
    rows = np.full((len(labels), 20, 12, 2), level, np.float16)
    with hdf5.create(
        folder / f"{name}.h5",
        name="features",
        shape=rows.shape[1:],
        dtype=rows.dtype,
        ids=[f"{name}/{kind}/{row}" for row in range(len(labels))],
        labels=labels,
        classes=classes,
    ) as writer:
        writer.append(rows)
    return name


def panels(path) -> int:
    """How many images there are: patches of the color that the level of all clips has."""
    color = np.array(colormaps["magma"](0.5)[:3])
    return int(label(np.abs(imread(path)[..., :3] - color).max(axis=2) < 0.04)[1])


def test_a_row_a_set_and_a_column_a_class(tmp_path):
    sets = [write_set(tmp_path, name) for name in ("seen_clean", "unseen_clean")]
    example_spectrograms.draw(tmp_path / "two.png", tmp_path, sets)
    assert panels(tmp_path / "two.png") == 2 * example_spectrograms.CLASSES
    example_spectrograms.draw(tmp_path / "one.png", tmp_path, sets[:1])
    assert panels(tmp_path / "one.png") == example_spectrograms.CLASSES


def test_sets_of_other_classes_share_columns_where_they_can(tmp_path):
    sets = [write_set(tmp_path, "a"), write_set(tmp_path, "b", classes=("flute", "tuba"))]
    example_spectrograms.draw(tmp_path / "one.png", tmp_path, sets)
    assert panels(tmp_path / "one.png") == 2


def test_many_sets_and_programs_stay_a_small_image(tmp_path):
    classes = tuple(f"gm_{program:03}" for program in range(128))
    sets = [write_set(tmp_path, f"set{number}", classes=classes) for number in range(example_spectrograms.SETS + 2)]
    example_spectrograms.draw(tmp_path / "many.png", tmp_path, sets)
    assert panels(tmp_path / "many.png") == example_spectrograms.SETS * example_spectrograms.CLASSES
    assert (tmp_path / "many.png").stat().st_size < 100_000


def test_without_solo_clips_there_is_none(tmp_path):
    example_spectrograms.draw(tmp_path / "none.png", tmp_path, [write_set(tmp_path, "irmas", kind="excerpt")])
    assert not (tmp_path / "none.png").exists()


def test_the_same_spectrograms_give_the_same_bytes(tmp_path):
    sets = [write_set(tmp_path, "a")]
    for name in ("once.png", "twice.png"):
        example_spectrograms.draw(tmp_path / name, tmp_path, sets)
    assert (tmp_path / "once.png").read_bytes() == (tmp_path / "twice.png").read_bytes()


@pytest.mark.parametrize("bins", [3, 7])
def test_low_bins_are_at_the_bottom(bins):
    features = np.arange(bins)[None, :, None].repeat(5, axis=0).astype(np.float32)
    image = example_spectrograms.image(features)
    assert image.shape == (bins, 5)
    assert (image[-1] == 0).all()
    assert (image[0] == bins - 1).all()
