"""Pictures of metrics/plots: what is drawn, for few classes and for many, and what is left out."""

import csv

import pytest
from matplotlib.patches import Rectangle

from instrec import taxonomy
from instrec.evaluation import figures


def write(folder, name, classes, confusions, f1):
    with (folder / f"f1_{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("class", "f1"), *zip(classes, f1, strict=True)])
    with (folder / f"confusion_{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("actual", "predicted"), *confusions])


def test_a_set_is_drawn_with_shares_and_f1(tmp_path):
    classes = ("violin", "flute", "drums")
    confusions = [("violin", "violin")] * 3 + [("violin", "drums")] + [("flute", "drums")] * 2
    write(tmp_path, "unseen_clean", classes, confusions, (0.75, 0.0, 1.0))
    ((name, figure),) = figures.draw(tmp_path)
    assert name == "unseen_clean"
    matrix, bars = figure.axes
    assert {(*text.get_position(), text.get_text()) for text in matrix.texts} == {
        (0, 0, "75"),
        (2, 0, "25"),
        (2, 1, "100"),
    }
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["violin", "flute", "drums"]
    assert [bar.get_width() for bar in bars.patches if isinstance(bar, Rectangle)] == [0.75, 0.0, 1.0]
    figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000


@pytest.mark.parametrize("count", [1, 41, 128])
def test_any_number_of_classes_fits_a_picture(tmp_path, count):
    classes = list(taxonomy.PROGRAMS)[:count]
    write(tmp_path, "many", classes, [(name, name) for name in classes], [0.5] * count)
    ((_, figure),) = figures.draw(tmp_path)
    assert max(figure.get_size_inches()) < 25
    # Numbers that would run into each other are left out.
    assert len([text for text in figure.axes[0].texts if text.get_text()]) == (count if count < 41 else 0)


def test_sets_without_solo_clips_and_other_files_are_left_out(tmp_path):
    assert list(figures.draw(tmp_path / "nowhere")) == []
    (tmp_path / "calibration_unseen_clean.csv").write_text("bin,share\n")
    assert list(figures.draw(tmp_path)) == []
