"""Where the gate cannot judge: one line, exit code 2, and a page that says so."""

from pathlib import Path

import pytest

from tests import toy_pipeline
from tests.tracking.gate.judging import gate


def assert_refuses(capsys: pytest.CaptureFixture[str], message: str, *arguments: str) -> None:
    """One line, exit code 2, and a page that says so, lest CI shows an older one."""
    code, error = gate(capsys, *arguments, "--output", "page.md")
    assert code == 2
    assert error.count("\n") == 1
    assert error.startswith(f"error: {message}")
    assert Path("page.md").read_text().startswith(f"## ❌ Gate: cannot judge\n\n{message}")


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["nope"], "nope: git knows no such commit; fetch it"),
            (["main:toy.py"], "main:toy.py: git knows no such commit"),
            (["main", "--rules", "none.yaml"], "none.yaml: no rules there"),
            (["main", "--rules", "data"], "data: cannot be read"),
        ],
    )
    def test_in_the_arguments(self, capsys, tree, arguments, message):
        assert_refuses(capsys, message, *arguments)

    @pytest.mark.parametrize(
        ("file", "text", "message"),
        [
            ("metrics/test.json", "{{", "metrics/test.json: cannot be read"),
            ("metrics/test.json", "[1]", "metrics/test.json: expected a mapping"),
            ("metrics/test.json", "", "metrics/test.json: cannot be read"),
            ("params.yaml", "a: b: c", "params.yaml: cannot be read"),
            ("data.dvc", "- a", "data.dvc: expected a mapping"),
        ],
    )
    def test_in_a_file(self, capsys, tree, file, text, message):
        (tree / file).write_text(text)
        assert_refuses(capsys, message, "main")

    def test_no_repository(self, capsys, tmp_path, monkeypatch, repository):
        monkeypatch.chdir(tmp_path)
        code, error = gate(capsys, "main", "--rules", str(repository / "gate.yaml"))
        assert code == 2
        assert "not in a git repository" in error

    def test_a_base_without_metrics(self, capsys, tree):
        toy_pipeline.run(tree, "git", "rm", "--quiet", "-r", "--cached", "metrics")
        toy_pipeline.run(tree, "git", "commit", "--quiet", "-m", "none")
        base = toy_pipeline.run(tree, "git", "rev-parse", "HEAD").strip()
        code, error = gate(capsys, base)
        assert code == 2
        assert error.startswith(f"error: {base}: has no metrics/test.json to compare with")
