"""What the gate says of a change, and what fails it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from instrec.tracking.gate import rules
from tests import toy_pipeline
from tests.tracking.gate.judging import gate

METRIC = "unseen_clean.solo.top1"
STALE = "`dvc.lock` is stale:"
ANOTHER = "was last run with another"
NOT_WRITTEN = "is not what stage `evaluate` wrote, by the checksum in `dvc.lock`"


def released(tree: Path) -> Path:
    """The released model in the embedded remote."""
    md5 = yaml.safe_load((tree / "released/classifier.keras.dvc").read_text())["outs"][0]["md5"]
    return tree / ".dvcstore/files/md5" / md5[:2] / md5[2:]


def assert_fails(capsys: pytest.CaptureFixture[str], reason: str) -> None:
    code, page = gate(capsys, "main")
    assert code == 1
    reasons = [line for line in page.splitlines() if line.startswith("- ")]
    assert page.startswith(f"## ❌ Gate failed: {len(reasons)} reason")
    assert any(line.startswith(f"- {reason}") for line in reasons), page


def edit(tree: Path, change: Callable[[dict], object]) -> None:
    """Change metrics/test.json, and let dvc.lock agree."""
    file = tree / "metrics/test.json"
    metrics = json.loads(file.read_text())
    change(metrics)
    file.write_text(json.dumps(metrics))
    toy_pipeline.dvc(tree, "commit", "--force", "evaluate")


class TestVerdict:
    def test_nothing_changed(self, capsys, tree):
        code, page = gate(capsys, "main")
        assert code == 0
        assert page.startswith(f"## ✅ Gate passed: {len(rules.load(tree / 'gate.yaml'))} rules kept\n")
        assert "No params changed." in page
        assert "<details>" not in page

    def test_a_param_that_was_rebuilt_with(self, capsys, tree):
        old = json.loads((tree / "metrics/test.json").read_text())["unseen_clean"]["solo"]["top1"]
        toy_pipeline.set_learning_rate(tree, 0.0031)
        toy_pipeline.rebuild(tree)
        code, page = gate(capsys, "main", "--output", "out/page.md")
        assert code == 0
        assert "| `train.learning_rate` | `0.003` | `0.0031` |" in page
        assert f"| `{METRIC}` | {old:.4f} | {old + 0.01:.4f} | +0.0100 | -0.0261 to +0.0461 | within noise |" in page
        assert "with changes not committed, against `main`" in page
        assert (tree / "out/page.md").read_text() == page

    def test_tables_are_tables(self, capsys, tree):
        toy_pipeline.set_learning_rate(tree, 0.004)
        toy_pipeline.replace(tree, "params.yaml", "task: count_presence", "task: a|`b`")
        toy_pipeline.rebuild(tree)
        edit(tree, lambda metrics: metrics["seen_noisy"]["solo"].update(loss=1.1))
        _, page = gate(capsys, "main")
        rows = [line for line in page.splitlines() if line.startswith("|")]
        assert len(rows) > 30
        blocks = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
        for block in blocks:
            assert len({line.replace("\\|", "").count("|") for line in block}) == 1, block
        assert "| `task` | `count_presence` | `a\\|'b'` |" in page
        marks = [
            line.split("|")[-2].strip(" *") for line in page.partition("<details>")[2].splitlines() if "| `" in line
        ]
        assert marks == ["worse"] + (len(marks) - 1) * ["better"]
        assert "| `seen_clean.solo.loss` | 1.0000 | 0.9000 | -0.1000 | none | **better** |" in page

    @pytest.mark.parametrize(
        ("file", "old", "new", "reason"),
        [
            ("params.yaml", "learning_rate: 0.003", "learning_rate: 0.004", f"{STALE} stage `train` {ANOTHER} `train`"),
            ("toy.py", "0.3", "0.2", f"{STALE} stage `evaluate` {ANOTHER} `toy.py`"),
            ("dvc.yaml", "toy.py train", "toy.py  train", f"{STALE} stage `train` {ANOTHER} command"),
            ("dvc.yaml", "[toy.py, data]", "[toy.py, Makefile]", f"{STALE} stage `train` {ANOTHER} `Makefile`"),
            ("dvc.lock", "schema", "<<<<<<< HEAD", "DVC cannot read the pipeline"),
            ("metrics/test.json", "300", "301", f"`metrics/test.json` {NOT_WRITTEN}"),
            ("metrics/per_class.csv", "violin", "viola", f"`metrics/per_class.csv` {NOT_WRITTEN}"),
            ("data.dvc", "md5: ", "md5: 0", "the frozen test data changed: `data.dvc` was "),
            ("data.dvc", "md5: ", "md5: 0", f"{STALE} stage `train` {ANOTHER} `data`"),
        ],
    )
    def test_an_edit_that_fails_it(self, capsys, tree, file, old, new, reason):
        toy_pipeline.replace(tree, file, old, new)
        assert_fails(capsys, reason)

    @pytest.mark.parametrize("text", ["outs: 3", "outs: [data]", "outs:"])
    def test_damaged_test_data_fail_it(self, capsys, tree, text):
        (tree / "data.dvc").write_text(text)
        assert_fails(capsys, "the frozen test data changed")

    @pytest.mark.parametrize(
        ("file", "reason"),
        [
            ("dvc.lock", STALE),
            ("toy.py", f"{STALE} stage `train` {ANOTHER} `toy.py`"),
            (
                "data.dvc",
                "the frozen test data changed: `data.dvc` was ",
            ),
            ("metrics/test.json", "missing, though the base has them: `seen_clean.solo.top1`"),
            ("metrics/per_class.csv", f"`metrics/per_class.csv` {NOT_WRITTEN}"),
            ("metrics/plots/f1.csv", f"`metrics/plots` {NOT_WRITTEN}"),
        ],
    )
    def test_a_missing_file_fails_it(self, capsys, tree, file, reason):
        (tree / file).unlink()
        assert_fails(capsys, reason)

    def test_a_released_model_that_left_the_remote_does_not(self, capsys, tree):
        released(tree).unlink()
        tracked = tree / "released/classifier.keras.dvc"
        tracked.write_text(f"outs:\n- md5: {'d' * 32}\n  path: classifier.keras\n")
        assert gate(capsys, "main")[0] == 0

    def test_a_hand_on_the_remote_of_the_test_data_fails_it(self, capsys, tree):
        files = {path for path in (tree / ".dvcstore").rglob("*") if path.is_file()}
        first, second, *_ = sorted(files - {released(tree)})
        first.chmod(0o644)
        first.write_text("an easier score")
        name = first.relative_to(tree)
        assert_fails(capsys, f"the frozen test data were tampered with: `{name}` changed")
        second.unlink()
        assert_fails(capsys, f"the frozen test data were tampered with: `{name}` and 1 more changed")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (
                lambda metrics: metrics.pop("seen_noisy"),
                "missing, though the base has them: "
                "`seen_noisy.solo.top1`, `seen_noisy.solo.macro_f1`, `seen_noisy.solo.loss` and 6 more",
            ),
            (
                lambda metrics: metrics["seen_noisy"]["solo"].update(clips=30),
                "another test set: `seen_noisy.solo.clips` was 300 and is 30",
            ),
            (
                lambda metrics: metrics["unseen_clean"]["solo"].update(top1=0.5),
                f"`{METRIC}` is 0.5000, under its floor",
            ),
            (
                lambda metrics: metrics["unseen_clean"]["solo"].update(top1=None),
                f"missing, though the base has them: `{METRIC}`",
            ),
        ],
    )
    def test_figures_that_fail_it(self, capsys, tree, change, reason):
        edit(tree, change)
        assert_fails(capsys, reason)

    def test_rules_for_what_a_side_lacks(self, capsys, tree):
        edit(tree, lambda metrics: metrics.update(recordings={"solo": {"clips": 9, "top1": 0.4}}))
        (tree / "other.yaml").write_text(
            "- {metric: recordings.solo.top1, floor: 0.3}\n- {metric: nowhere.top1, floor: 0.3}"
        )
        code, page = gate(capsys, "main", "--rules", "other.yaml")
        assert code == 1
        assert "- `recordings.solo.top1` has a rule, but the base has no such metric; add the rule once it has" in page
        assert "- `nowhere.top1` has a rule, but neither side has such a metric" in page
        assert "> Judged by the rules of `other.yaml`, which are not those of `main`." in page

    def test_the_verdict_is_the_same_without_data_and_with_other_data(self, capsys, tree, tmp_path, monkeypatch):
        there = gate(capsys, "main")
        (tree / "models/classifier.keras").unlink()
        (tree / "models/classifier.keras").write_text("of another branch")
        assert gate(capsys, "main") == there
        toy_pipeline.dvc(tree, "checkout", "--force", "--quiet")
        toy_pipeline.run(tree, "git", "clone", "--quiet", ".", str(tmp_path / "clone"))
        monkeypatch.chdir(tmp_path / "clone")
        assert not (tmp_path / "clone/data").exists()
        assert gate(capsys, "main") == there
        assert toy_pipeline.run(tmp_path / "clone", "git", "status", "--porcelain") == ""

    def test_a_metric_that_is_new_does_not_fail(self, capsys, tree):
        edit(tree, lambda metrics: metrics.update(recordings={"solo": {"clips": 9, "top1": 0.4}}))
        code, page = gate(capsys, "main")
        assert code == 0
        assert "| `recordings.solo.top1` | - | 0.4000 | - | - | **new** |" in page


def test_on_this_repository_it_takes_seconds_and_no_keras(repository):
    code = (
        "import sys, time\nfrom instrec.cli import main\ncode = main(['dev', 'gate', 'HEAD'])\nassert code != 2\n"
        "assert not {'keras', 'tensorflow', 'numpy', 'mlflow'} & sys.modules.keys()\n"
        "assert time.process_time() < 5, time.process_time()"  # about 1 s; the clock's own on a busy machine is longer
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("## ")
