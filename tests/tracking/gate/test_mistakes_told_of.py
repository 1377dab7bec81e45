"""Where the gate cannot judge: one line, exit code 2, and a page that says so."""

from pathlib import Path

import pytest

from tests import toy_pipeline
from tests.refusals import assert_one_line
from tests.tracking.gate.judging import gate


def assert_refuses(capsys: pytest.CaptureFixture[str], subject: str, *arguments: str) -> None:
    """One line, exit code 2, and a page that says so, lest CI shows an older one."""
    code, error = gate(capsys, *arguments, "--output", "page.md")
    assert code == 2
    assert_one_line(error, f"{subject}: ")
    assert Path("page.md").read_text().startswith(f"## ❌ Gate: cannot judge\n\n{subject}: ")


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "subject"),
        [
            (["nope"], "nope"),
            (["main:toy.py"], "main:toy.py"),
            (["main", "--rules", "none.yaml"], "none.yaml"),
            (["main", "--rules", "data"], "data"),
        ],
    )
    def test_in_the_arguments(self, capsys, tree, arguments, subject):
        assert_refuses(capsys, subject, *arguments)

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("metrics/test.json", "{{"),
            ("metrics/test.json", "[1]"),
            ("metrics/test.json", ""),
            ("params.yaml", "a: b: c"),
            ("data.dvc", "- a"),
        ],
    )
    def test_in_a_file(self, capsys, tree, file, text):
        (tree / file).write_text(text)
        assert_refuses(capsys, file, "main")

    def test_no_repository(self, capsys, tmp_path, monkeypatch, repository):
        monkeypatch.chdir(tmp_path)
        code, error = gate(capsys, "main", "--rules", str(repository / "gate.yaml"))
        assert code == 2
        assert_one_line(error, tmp_path)

    def test_a_base_without_metrics(self, capsys, tree):
        toy_pipeline.run(tree, "git", "rm", "--quiet", "-r", "--cached", "metrics")
        toy_pipeline.run(tree, "git", "commit", "--quiet", "-m", "none")
        base = toy_pipeline.run(tree, "git", "rev-parse", "HEAD").strip()
        code, error = gate(capsys, base)
        assert code == 2
        assert_one_line(error, base, "metrics/test.json")
