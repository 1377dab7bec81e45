"""Facts and evaluations that are damaged or of another type give one line, and no card is written."""

import json

import pytest

from instrec.cli import main
from instrec.models.released import FACTS
from instrec.tracking.model_card.facts import evaluation
from tests.refusals import assert_one_line, refused
from tests.tracking.model_card.test_card import EVALUATION

NOT_OF_A_MODEL = json.dumps(dict.fromkeys(("date", "model", "classes", "params", "clips", "epochs", "scores"), 3))


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", '{"model": {}}', NOT_OF_A_MODEL[:-1] + ', "recordings": 3}', "no JSON"]
)
def test_damaged_facts_are_one_line(tmp_path, capsys, content):
    if content is not None:
        (tmp_path / "facts.json").write_text(content)
    assert main(["dev", "card", "--facts", str(tmp_path / "facts.json"), "--output", str(tmp_path / "card.md")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert_one_line(err, tmp_path / "facts.json")
    assert not (tmp_path / "card.md").exists()


@pytest.mark.parametrize(
    "other",
    [
        *(
            {"files": 3},
            {"files": 10**12},
            {"confusion": 3},
            {"confusion": {"matrix": [[2, "x"]]}},
        ),
        *({"confusion": {"matrix": [[2**31, 0], [0, 0]]}, "files": 2**31}, {"confusion": {"matrix": []}}),
        *({"confusion": {"matrix": [[4, 0]]}}, {"confusion": {"matrix": [4]}}),
    ],
)
def test_a_damaged_evaluation_is_named(tmp_path, other):
    (tmp_path / "evaluation.json").write_text(json.dumps(EVALUATION | other))
    with refused("document-unreadable", tmp_path / "evaluation.json", "write it again"):
        evaluation(tmp_path / "evaluation.json")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("date", 3),
        ("date", None),
        ("model.bytes", "2867934"),
        ("model.md5", 5.0),
        ("classes", []),
        ("classes.piano", "0.5"),
        ("classes.piano", None),
        ("params.clip.seconds", "3"),
        ("params.train.start", None),
        ("params.spectrogram", "log_mel"),
        ("clips.train.noisy", 0.5),
        ("clips.valid.soundfonts", ["A320U.sf2"]),
        ("epochs", True),
        ("scores", []),
        ("scores.seen_clean", 0.9),
        ("scores.seen_clean.solo", {"top1": 0.9}),
        ("scores.seen_clean.solo.top1", "0.9"),
        ("scores.seen_clean.solo.top1", {"a": [0.8, 0.9]}),
        ("scores.seen_clean.solo.intervals.top1", [0.9]),
        ("scores.seen_clean.solo.intervals", 0.9),
        ("recordings", "none"),
        ("recordings", [{"of": "four takes"}]),
    ],
)
def test_facts_of_another_type_are_one_line(repository, tmp_path, capsys, place, value):
    facts = json.loads((repository / FACTS).read_text())
    *sections, name = place.split(".")
    section = facts
    for each in sections:
        section = section[each]
    assert name in section
    section[name] = value
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    assert main(["dev", "card", "--facts", str(tmp_path / "facts.json"), "--output", str(tmp_path / "card.md")]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {tmp_path / 'facts.json'}: {sections[0] if sections else name}")
    assert name in err
    assert err.count("\n") == 1
    assert not (tmp_path / "card.md").exists()
