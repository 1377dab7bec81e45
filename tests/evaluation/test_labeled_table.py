"""Files with several labels, in a table: what is unlabeled counts for nothing, and intervals are over groups."""

import json

import numpy as np
import pytest
import soundfile

from instrec.cli import main
from instrec.evaluation import labeled_table
from tests.refusals import refused
from tests.tone_model import CARD, RATE, silence, tone

CLASSES = tuple(CARD.classes)


@pytest.fixture(scope="session")
def model(tones) -> str:
    return str(tones)


@pytest.fixture
def folder(tmp_path):
    sounds = {"both": tone("violin", 2) + tone("flute", 2), "flute": tone("flute", 2), "bass": tone("double_bass", 2)}
    for name, sound in (sounds | {"silent": silence(2)}).items():
        for copy in (name, f"{name}_2"):
            soundfile.write(tmp_path / f"{copy}.wav", sound, RATE)
    (tmp_path / "bad.wav").write_text("no audio" * 40)
    return tmp_path


def evaluated(folder, model, capsys, text: str) -> dict:
    (folder / "labels.csv").write_text(text)
    assert main(["evaluate", str(folder / "labels.csv"), "--json", "--model", model]) == 0
    return json.loads(capsys.readouterr().out)


def test_all_labels_right(folder, model, capsys):
    text = "file,labels\nboth.wav,Violin;flute\nflute.wav,flute\nbass.wav,contrabass\nsilent.wav,\n"
    result = evaluated(folder, model, capsys, text)
    assert (result["files"], result["groups"], result["skipped"]) == (4, 4, [])
    assert result["micro_f1"] == result["macro_f1"] == result["lrap"] == 1
    assert result["per_class"]["flute"] == {"precision": 1, "recall": 1, "f1": 1, "files": 2}
    assert main(["evaluate", str(folder / "labels.csv"), "--model", model]) == 0
    printed = capsys.readouterr().out
    assert "4 scored, in 4 groups: micro F1 100.0 % (100.0 to 100.0), macro F1 100.0 %" in printed


def test_what_is_unlabeled_is_not_absent(folder, model, capsys):
    """The violin of the first file has no label; called absent, it is a mistake."""
    closed = evaluated(folder, model, capsys, "file,labels\nboth.wav,flute\n")
    assert closed["micro_precision"] == 0.5
    opened = evaluated(folder, model, capsys, "file,labels,absent\nboth.wav,flute,double_bass\n")
    assert opened["micro_precision"] == opened["lrap"] == 1
    assert list(opened["per_class"]) == ["double_bass", "flute"]
    wrong = evaluated(folder, model, capsys, "file,labels,absent\nboth.wav,flute,violin\n")
    assert wrong["micro_precision"] == 0.5


def test_intervals_are_over_groups(folder, model, capsys):
    rows = "both.wav,violin,{0}\nflute.wav,flute,{1}\nboth_2.wav,violin,{0}\nflute_2.wav,flute,{1}\n"
    one = evaluated(folder, model, capsys, "file,labels,group\n" + rows.format("a", "a"))
    assert one["groups"] == 1
    assert one["intervals"]["micro_f1"] == [one["micro_f1"]] * 2
    two = evaluated(folder, model, capsys, "file,labels,group\n" + rows.format("a", "b"))
    low, high = two["intervals"]["micro_f1"]
    assert two["micro_f1"] == one["micro_f1"] == pytest.approx(0.8)
    assert low == pytest.approx(2 / 3) and high == 1


def test_one_label_per_file_is_scored_by_the_strongest_class_too(folder, model, capsys):
    single = "file,labels,group\nflute.wav,flute,a\nbass.wav,double_bass,b\nbass_2.wav,violin,c\n"
    result = evaluated(folder, model, capsys, single)
    assert (result["top1"], result["macro_recall"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert result["intervals"]["top1"] == [0, 1]
    assert main(["evaluate", str(folder / "labels.csv"), "--model", model]) == 0
    printed = capsys.readouterr().out
    assert "3 groups: top-1 66.7 % (0.0 to 100.0), macro recall 66.7 % (0.0 to 100.0), micro F1" in printed
    for several in ("flute.wav,flute\nboth.wav,flute;violin\n", "flute.wav,flute\nsilent.wav,\n"):
        assert "top1" not in evaluated(folder, model, capsys, f"file,labels\n{several}")


def test_windows_are_closer_than_in_a_folder(tmp_path, model, capsys):
    """At a hop of half a window the flute is strongest, at a sixth the violin, as docs/evaluate.md warns."""
    (tmp_path / "flute").mkdir()
    soundfile.write(tmp_path / "flute/a.wav", np.concatenate([tone("violin", 1.8), tone("flute", 1.7)]), RATE)
    table = evaluated(tmp_path, model, capsys, "file,labels\nflute/a.wav,flute\n")
    assert main(["evaluate", str(tmp_path), "--json", "--model", model]) == 0
    assert (table["top1"], json.loads(capsys.readouterr().out)["top1"]) == (0, 1)


def test_what_is_left_out_is_told(folder, model, capsys):
    text = "file,labels\nbass.wav,double bass;theremin\nbad.wav,flute\nno.wav,flute\n"
    result = evaluated(folder, model, capsys, text)
    assert result["files"] == 1
    assert [each["file"].rpartition("/")[2] for each in result["skipped"]] == ["bass.wav", "bad.wav", "no.wav"]
    assert result["skipped"][0]["reason"] == "label 'theremin': no class of the model's"


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("", "", ["file and labels"]),
        ("file,labels\n", "", ["file and labels"]),
        ("path,labels\na.wav,flute\n", "", ["file and labels"]),
        ("file;labels\na.wav;flute\n", "", ["commas"]),
        ("file,labels,labels\na.wav,flute,violin\n", "", ["each once"]),
        ("file,labels,absent\na.wav,flute,flute\n", ": line 2", ["flute"]),
        ("file,labels\na.wav\n", ": line 2", ["2 cells"]),
        ("file,labels\nb.wav,flute\na.wav,flute,violin\n", ": line 3", ["2 cells", "`;`"]),
        ("file,labels\na.wav,flute\nb.wav,flute\na.wav,violin\n", ": line 4", ["a.wav", "line 2", "a;b"]),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, line, named):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with refused("table-invalid", f"{path}{line}", *named):
        labeled_table.read(path, CLASSES)


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    with refused("table-invalid", tmp_path / "none.csv", "check the name"):
        labeled_table.read(tmp_path / "none.csv", CLASSES)
    (tmp_path / "latin.csv").write_bytes(b"file,labels\ncaf\xe9.wav,flute\n")
    with refused("table-invalid", tmp_path / "latin.csv", "UTF-8"):
        labeled_table.read(tmp_path / "latin.csv", CLASSES)


def test_a_name_that_no_file_can_have_is_left_out(folder, model, capsys):
    result = evaluated(folder, model, capsys, f"file,labels\nno\0.wav,flute\n{'a' * 300}.wav,flute\nflute.wav,flute\n")
    assert result["files"] == 1
    assert len(result["skipped"]) == 2


def test_nothing_to_score_is_one_line(folder, model, capsys):
    (folder / "labels.csv").write_text("file,labels\nbad.wav,flute\n")
    assert main(["evaluate", str(folder / "labels.csv"), "--model", model]) == 2
    assert "no file can be scored" in capsys.readouterr().err
