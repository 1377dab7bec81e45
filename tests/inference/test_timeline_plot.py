from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from instrec.inference import timeline_plot
from instrec.inference.activations import Activations
from instrec.inference.prediction import Prediction
from instrec.inference.whole_file import Sounding
from tests.refusals import refused


def predicted(*instruments: Sounding, cells: int = 20) -> Prediction:
    classes = ("violin", "flute", "drums")
    activity = np.zeros((cells, len(classes)))
    for each in instruments:
        for start, end in each.segments:
            activity[int(start) : int(end), classes.index(each.name)] = each.probability
    activations = Activations(
        file="folder/music.wav", classes=classes, sample_rate=100, window=200, hop=100, total=100 * cells,
        onsets=np.arange(cells) * 100, presence=activity, rms=np.ones(cells),
        envelope=np.abs(np.sin(np.arange(100 * cells) / 40)), frame=1,
    )  # fmt: skip
    return Prediction(activations, activity, instruments)


def marked_columns(path) -> np.ndarray:
    """Columns of the image that the bar of the first instrument covers."""
    pixels = imread(path)[..., :3]
    marked = np.abs(pixels - to_rgb(timeline_plot.COLORS[0])).max(axis=2) < 0.02
    return marked[marked.sum(axis=1).argmax()].nonzero()[0]  # the bar, which is wider than the name


def test_segments_are_marked_where_they_are(tmp_path):
    predicted(Sounding("violin", 0.9, ((0.0, 20.0),), 1.0)).plot(tmp_path / "all.png")
    predicted(Sounding("violin", 0.9, ((5.0, 10.0),), 0.25)).plot(tmp_path / "part.png")
    whole, part = marked_columns(tmp_path / "all.png"), marked_columns(tmp_path / "part.png")
    width = whole[-1] - whole[0]
    assert width > 700
    assert (part[0] - whole[0]) / width == pytest.approx(0.25, abs=0.01)
    assert (part[-1] - whole[0]) / width == pytest.approx(0.5, abs=0.01)


def test_every_instrument_has_its_row(tmp_path):
    one, three = tmp_path / "one.png", tmp_path / "three.png"
    spans = ((2.0, 8.0),)
    predicted(Sounding("violin", 0.9, spans, 0.5)).plot(one)
    predicted(*(Sounding(name, 0.9, spans, 0.5) for name in ("violin", "flute", "drums"))).plot(three)
    assert imread(three).shape[0] > imread(one).shape[0] + 50


@pytest.mark.parametrize("cells", [1, 20, 5000])
def test_silence_and_any_length_can_be_drawn(tmp_path, cells):
    predicted(cells=cells).plot(tmp_path / "empty.png")
    assert imread(tmp_path / "empty.png").std() > 0
    assert not len(marked_columns(tmp_path / "empty.png"))


def test_the_ending_chooses_the_format(tmp_path):
    predicted().plot(tmp_path / "image.svg")
    assert "<svg" in (tmp_path / "image.svg").read_text()


@pytest.mark.parametrize("name", ["image", "image.nothing"])
def test_an_ending_that_matplotlib_does_not_know_is_refused(tmp_path, name):
    with refused("suffix-not-allowed", tmp_path / name, *timeline_plot.SUFFIXES):
        predicted().plot(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [r"$\foo$.wav", "$x$_1^2.wav", "日本.wav"])
def test_a_name_is_drawn_as_it_is(tmp_path, name):
    """Matplotlib takes what stands between two dollars for mathematics, and warns of letters that its font lacks."""
    drawn = predicted()
    figure = replace(drawn, activations=replace(drawn.activations, file=f"folder/{name}")).plot(tmp_path / "image.svg")
    assert figure.get_suptitle() == f"{name}   0:20"


def test_a_image_that_cannot_be_written_is_told_of(tmp_path):
    (tmp_path / "image.png").mkdir()
    with refused("file-unwritable", tmp_path / "image.png"):
        predicted().plot(tmp_path / "image.png")
