"""The whole page, of projects in miniature: what it holds, and what it says where something is missing."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import keras
import pytest
import yaml

from instrec import features
from instrec.cli import main
from instrec.models import classifier
from instrec.tracking import report
from tests.refusals import assert_one_line, refused
from tests.report_project import add_set, git
from tests.tone_model import CARD, tone
from tests.tone_model import written as written_music

MODEL = Path("models/classifier.keras")
SECTIONS = ["metrics", "changes", "training", "sets", "mistakes", "timeline", "pipeline"]


class Reader(HTMLParser):
    """What a page holds: tags with their attributes, the text, and whether every tag is closed."""

    VOID = frozenset(("meta", "link", "img", "path", "rect", "use", "polygon", "line", "circle"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1:] not in (["script"], ["style"]):
            self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def written(path: Path, **options) -> Reader:
    report.write(path, model=MODEL, **options)
    return Reader(path.read_text(encoding="utf-8"))


@pytest.fixture
def copied(project, tmp_path, monkeypatch) -> Path:
    """A project of your own; without the tables of charts, which are most of a page's work."""
    shutil.copytree(project, tmp_path / "project")
    shutil.rmtree(tmp_path / "project/metrics/plots")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.mark.parametrize("task", ["count_presence", "multilabel", "solo"])
def test_every_task_has_its_page(projects, tmp_path, monkeypatch, task):
    monkeypatch.chdir(projects(task))
    found = written(tmp_path / "report.html")
    assert [each["id"] for each in found.of("section")] == SECTIONS
    assert "Not here" not in found.text
    assert f"task {task}, 3 classes" in found.text
    assert ("mixtures" in found.text) == (task != "solo")
    assert ("count accuracy" in found.text) == (task == "count_presence")
    assert len(found.of("audio")) == 2  # the one mistake, and the timeline
    assert (tmp_path / "report.html").stat().st_size < 1_000_000


def test_it_stands_alone_and_is_accessible(report_file):
    found = Reader(report_file.read_text(encoding="utf-8"))
    for tag, attrs in found.tags:
        for name in ("src", "href", "xlink:href"):
            assert name not in attrs or attrs[name].startswith(("data:", "#")), (tag, attrs[name][:80])
    assert "url(http" not in report_file.read_text(encoding="utf-8")
    assert all(each["alt"] for each in found.of("img"))
    assert all(each["aria-label"] for each in found.of("audio"))
    assert all(each.get("aria-label") for each in found.of("svg"))
    assert len(found.of("h1")) == 1
    assert found.of("html")[0]["lang"] == "en"
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_sure_mistake_is_shown_with_its_sound(report_file):
    found = Reader(report_file.read_text(encoding="utf-8"))
    part = found.text[found.text.index("The surest mistakes") : found.text.index("The timeline")]
    assert "solo/violin-9" in part
    assert re.search(r"predicted\s*flute", part)
    assert re.search(r"is\s*violin", part)
    assert "None: every instrument it names does sound." in part  # of the excerpts


def test_names_from_files_are_escaped(copied, tmp_path):
    add_set(copied, "a<b>&c", [("solo/x<i>", ("violin",), ("flute",))])
    metrics = copied / "metrics/test.json"
    metrics.write_text(metrics.read_text().replace('"unseen_clean"', '"a<b>&c"'))
    found = written(tmp_path / "report.html")
    assert "a<b>&c" in found.text
    assert "solo/x<i>" in found.text
    assert not found.of("b")


def test_a_base_shows_what_changed(copied, tmp_path):
    metrics = copied / "metrics/test.json"
    metrics.write_text(metrics.read_text().replace('"top1": 0.8571', '"top1": 0.1'))
    assert '"top1": 0.1' in metrics.read_text()
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["train"]["learning_rate"] = 0.125
    Path("params.yaml").write_text(yaml.safe_dump(params))
    found = written(tmp_path / "report.html", base="HEAD")
    part = found.text[found.text.index("What changed") : found.text.index("Training and")]
    assert re.search(r"train.learning_rate\s*0.003\s*0.125", part)
    assert re.search(r"1 (worse|within noise)", part)
    assert re.search(r"unseen_clean.solo.top1\s*0.8571\s*0.1000\s*-0.7571", part)


def test_a_base_without_metrics_is_said(copied, tmp_path):
    git(copied, "rm", "-q", "--cached", "metrics/test.json")
    git(copied, "commit", "-qm", "no metrics")
    found = written(tmp_path / "report.html", base="HEAD")
    assert "HEAD has no metrics/test.json" in found.text
    assert "No params changed." in found.text


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("build/audio", ["build/audio/unseen_clean.h5: missing", "dvc repro synthesize"]),
        ("build", ["build/spectrograms/unseen_clean.h5: missing", "dvc repro spectrograms"]),
        ("models", ["models/history.csv: cannot be read", "no model there", "dvc repro"]),
        ("dvc.yaml", ["dvc.yaml: cannot be read"]),
        ("docs", ["docs/dag.svg: missing", "bash scripts/draw_dag.sh"]),
    ],
)
def test_what_is_missing_is_said_with_the_command_that_brings_it(copied, tmp_path, gone, said):
    path = copied / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    said = [*said, "metrics/plots: holds no tables", "metrics/plots/spectrograms.png: missing", "dvc repro evaluate"]
    found = written(tmp_path / "report.html")
    assert [each["id"] for each in found.of("section")] == SECTIONS
    for words in said:
        assert words in found.text


def test_clips_of_one_channel_are_not_those_of_a_model_of_a_pair(copied, tmp_path):
    card = replace(CARD, spectrogram=replace(CARD.spectrogram, part="harmonic_percussive_of_file"))
    inputs = keras.Input(features.from_params(card.clip, card.spectrogram).shape)
    presence = keras.layers.Dense(len(card.classes), "sigmoid")(keras.layers.Flatten()(inputs))
    classifier.save(MODEL, keras.Model(inputs, {"presence": presence}), card)
    found = written(tmp_path / "report.html")
    part = found.text[found.text.index("The timeline") :]
    assert "build/audio/unseen_clean.h5: holds clips of one channel" in part
    assert "dvc repro synthesize" in part


def test_outside_git_and_without_a_base_there_is_a_page(copied, tmp_path):
    shutil.rmtree(copied / ".git")
    assert "the working tree" in written(tmp_path / "report.html").text


@pytest.mark.parametrize(
    ("options", "code", "subject"),
    [
        ({"base": "nowhere"}, "commit-unknown", "nowhere"),
        ({"file": Path("none.wav")}, "file-unreadable", "none.wav"),
        ({"file": Path("params.yaml")}, "audio-undecodable", "params.yaml"),
    ],
)
def test_what_was_asked_for_and_cannot_be_is_an_error(project, tmp_path, options, code, subject):
    with refused(code, subject):
        written(tmp_path / "report.html", **options)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"unseen_clean": {"solo": {}}}', '{"a": 3}'])
def test_without_metrics_there_is_nothing_to_report(copied, tmp_path, content):
    path = copied / "metrics/test.json"
    path.unlink() if content is None else path.write_text(content)
    with refused("document-unreadable", "metrics/test.json", "`dvc repro`"):
        written(tmp_path / "report.html")


def test_the_command_says_where_the_page_is(copied, tmp_path, capsys):
    music = written_music(tmp_path, tone("violin", 2))
    assert main(["dev", "report", "--base", "HEAD", "--file", str(music), "--output", "out/page.html"]) == 0
    assert capsys.readouterr() == ("out/page.html\n", "")
    assert "music.wav" in Path("out/page.html").read_text()


def test_the_commands_of_its_document_work(copied, repository, capsys):
    git(copied, "branch", "-M", "main")
    written_music(copied, tone("violin", 2), name="song.wav")
    lines = (repository / "docs/report.md").read_text(encoding="utf-8").splitlines()
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("    instrec ")]
    assert len(commands) == 4
    for command in commands:
        assert main(command) == 0
    assert capsys.readouterr().out == "report.html\n" * 3 + "out/page.html\n"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--base", "nowhere"], ("nowhere", "`git branch --all`")),
        (["--file", "none.wav"], ("none.wav",)),
        (["--output", "params.yaml/page.html"], ("params.yaml/page.html",)),
        (["--bse", "HEAD"], ("'--bse'", "--base?")),
    ],
)
def test_a_mistake_in_the_command_is_one_line(project, capsys, options, named):
    assert main(["dev", "report", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert_one_line(err, *named)


def test_a_timeline_asked_for_needs_the_model(copied, tmp_path):
    shutil.rmtree("models")
    with refused("model-missing", "models/classifier.keras", "`dvc repro`"):
        written(tmp_path / "report.html", file=Path("x.wav"))


def test_the_same_state_gives_the_same_bytes(report_file, project, tmp_path):
    report.write(tmp_path / "again.html", model=MODEL, base="HEAD")
    assert (tmp_path / "again.html").read_bytes() == report_file.read_bytes()
