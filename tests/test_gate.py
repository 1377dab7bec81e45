"""The gate: rules, intervals and marks; and what fails it, on a repository with real DVC."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import toy_pipeline
from hypothesis import given
from hypothesis import strategies as st

from instrec.cli import main
from instrec.errors import UserError
from instrec.gate import comparison, rules
from instrec.gate.comparison import Change, Figure

values = st.floats(0, 1)
spreads = st.floats(0.001, 0.2)
METRIC = "unseen_clean.solo.top1"
STALE = "`dvc.lock` is stale:"
ANOTHER = "was last run with another"
NOT_WRITTEN = "is not what stage `evaluate` wrote, by the checksum in `dvc.lock`"


@st.composite
def figures(draw: Callable) -> Figure:
    value = draw(values)
    return Figure(value, (value - draw(spreads), value + draw(spreads)))


class TestChange:
    @given(figures(), figures())
    def test_the_interval_holds_the_difference_and_is_wider_than_either_sides(self, old, new):
        low, high = Change(old, new).interval
        assert low <= new.value - old.value <= high
        for side in (old, new):
            assert high - low >= (side.interval[1] - side.interval[0]) - 1e-12

    @given(figures(), figures())
    def test_turned_round_the_interval_and_the_mark_turn_round(self, old, new):
        there, back = Change(old, new), Change(new, old)
        assert there.interval == pytest.approx([-limit for limit in reversed(back.interval)])
        opposite = {"better": "worse", "worse": "better"}
        assert back.mark == opposite.get(there.mark, there.mark)
        assert Change(old, new, -1).mark == back.mark

    def test_the_interval_of_normal_errors_covers_95_percent(self):
        rng = np.random.default_rng(1)
        old_error, new_error = 0.02, 0.03
        drawn = rng.normal([0.5, 0.5], [old_error, new_error], size=(4000, 2))
        covered = [
            low <= 0 <= high
            for old, new in drawn
            for low, high in [
                Change(
                    Figure(old, (old - 1.96 * old_error, old + 1.96 * old_error)),
                    Figure(new, (new - 1.96 * new_error, new + 1.96 * new_error)),
                ).interval
            ]
        ]
        assert np.mean(covered) == pytest.approx(0.95, abs=0.01)

    def test_a_bootstrap_interval_beside_its_value_still_holds_the_difference(self):
        low, high = Change(Figure(0.5, (0.51, 0.6)), Figure(0.4, (0.3, 0.39))).interval
        assert low < -0.1 == pytest.approx(high)

    @pytest.mark.parametrize(
        ("old", "new", "mark"),
        [
            (Figure(0.5, (0.45, 0.55)), Figure(0.52, (0.47, 0.57)), "within noise"),
            (Figure(0.5, (0.45, 0.55)), Figure(0.6, (0.55, 0.65)), "better"),
            (Figure(0.5, (0.45, 0.55)), Figure(0.4, (0.35, 0.45)), "worse"),
            (Figure(0.5, (0.45, 0.55)), Figure(0.5, (0.45, 0.55)), "same"),
            (Figure(0.5), Figure(0.4999, (0.45, 0.55)), "worse"),
            (Figure(0.5), None, "missing"),
            (None, Figure(0.5), "new"),
        ],
    )
    def test_marks(self, old, new, mark):
        assert Change(old, new).mark == mark


class TestFigures:
    def test_names_values_and_intervals(self):
        tree = {"a": {"solo": {"clips": 3, "top1": 0.5, "f1": 0.4, "intervals": {"top1": [0.4, 0.6]}}}}
        assert comparison.figures(tree) == {
            "a.solo.clips": Figure(3),
            "a.solo.top1": Figure(0.5, (0.4, 0.6)),
            "a.solo.f1": Figure(0.4),
        }

    @pytest.mark.parametrize("odd", [None, "0.5", True, float("nan"), [0.5]])
    def test_what_is_no_number_is_no_figure(self, odd):
        assert comparison.figures({"a": odd}) == {}
        assert comparison.figures({"a": 1.0, "intervals": {"a": [0, odd]}}) == {"a": Figure(1.0)}

    def test_thresholds_are_chosen_and_not_judged(self):
        assert comparison.figures({"a": {"threshold": 0.3, "thresholds": {"violin": 0.2}, "f1": 0.5}}) == {
            "a.f1": Figure(0.5)
        }

    def test_this_repositorys_rules_name_metrics_with_intervals(self, repository):
        tree = json.loads((repository / "metrics/test.json").read_text())
        found = comparison.figures(tree)
        judged = comparison.compare(found, found, {})
        assert all(judged[rule.metric].interval for rule in rules.load(repository / "gate.yaml"))

    @pytest.mark.parametrize(
        ("name", "direction"),
        [("a.top1", "higher"), ("a.val_loss", "lower"), ("a.calibration_error", "lower"), ("loss.top1", "higher")],
    )
    def test_the_better_direction_goes_by_the_name(self, name, direction):
        assert comparison.direction_of(name) == direction
        old, new = {name: Figure(0.2)}, {name: Figure(0.3)}
        assert comparison.compare(old, new, {})[name].mark == ("better" if direction == "higher" else "worse")
        assert comparison.compare(old, new, {name: "higher"})[name].mark == "better"


class TestRules:
    @pytest.mark.parametrize(
        ("rule", "new", "reason"),
        [
            ({"largest_drop": 0.02}, 0.48, None),
            ({"largest_drop": 0.02}, 0.47, "got worse by 0.0300, which is within noise (0.5000 to 0.4700); 0.02 is"),
            ({"largest_drop": 0.02}, 0.30, "got worse by 0.2000 (0.5000 to 0.3000); 0.02 is allowed"),
            ({"largest_drop": 0}, 0.5, None),
            ({"largest_drop": 0}, 0.6, None),
            ({"floor": 0.45}, 0.45, None),
            ({"floor": 0.45}, 0.44, "is 0.4400, under its floor of 0.45"),
            ({"direction": "lower", "largest_drop": 0.02}, 0.3, None),
            ({"direction": "lower", "largest_drop": 0.02}, 0.53, "got worse by 0.0300, which is within noise"),
            ({"direction": "lower", "floor": 0.55}, 0.56, "is 0.5600, above its ceiling of 0.55"),
        ],
    )
    def test_what_breaks_a_rule(self, tmp_path, rule, new, reason):
        (tmp_path / "gate.yaml").write_text(json.dumps([{"metric": METRIC, **rule}]))
        (loaded,) = rules.load(tmp_path / "gate.yaml")
        old, new = ({METRIC: Figure(value, (value - 0.05, value + 0.05))} for value in (0.5, new))
        reasons = list(loaded.broken_by(comparison.compare(old, new, {METRIC: loaded.direction})[METRIC]))
        assert len(reasons) == (reason is not None)
        assert reason is None or reasons[0].startswith(f"`{METRIC}` {reason}")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "expected a list of rules"),
            ("[]", "expected a list of rules"),
            ("rules: 1", "expected a list of rules"),
            ("- [", "cannot be read"),
            ("- top1", "rule 1: expected a mapping with the name of a metric, found 'top1'"),
            ("- {metric: 3, floor: 1}", "rule 1: expected a mapping with the name of a metric"),
            ("- {floor: 0.5}", "rule 1: expected a mapping with the name of a metric"),
            ("- {metric: a, flor: 0.5}", "rule 1, a: unknown key 'flor'; did you mean floor?"),
            ("- {metric: a, quux: 0.5}", "rule 1, a: unknown key 'quux'; allowed: metric, direction"),
            ("- {metric: a}", "rule 1, a: demands nothing; give it largest_drop, floor or both"),
            ("- {metric: a, floor: high}", "rule 1, a: floor: expected a number, found 'high'"),
            ("- {metric: a, floor: .nan}", "rule 1, a: floor: expected a number, found nan"),
            ("- {metric: a, floor: yes}", "rule 1, a: floor: expected a number, found True"),
            ("- {metric: a, floor: }", "rule 1, a: floor: expected a number, found None"),
            ("- {metric: a, largest_drop: -0.1}", "rule 1, a: largest_drop: -0.1 must not be negative"),
            ("- {metric: a, floor: 1, direction: up}", "a: direction: expected one of higher, lower, found 'up'"),
            ("- {metric: a, floor: 1}\n- {metric: a, floor: 2}", "a has 2 rules; one is allowed"),
        ],
    )
    def test_a_mistake_is_told_of(self, tmp_path, text, message):
        (tmp_path / "gate.yaml").write_text(text)
        with pytest.raises(UserError, match=r"gate\.yaml: ") as error:
            rules.load(tmp_path / "gate.yaml")
        assert message in str(error.value)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_pipeline.make(tmp_path_factory.mktemp("gate") / "repository")


@pytest.fixture
def tree(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository as committed, and the working directory; put right again in the end."""
    monkeypatch.chdir(toy)
    yield toy
    toy_pipeline.run(toy, "git", "reset", "--quiet", "--hard", "main")
    toy_pipeline.run(toy, "git", "clean", "--quiet", "--force", "-d")


def gate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["gate", *arguments])
    out, err = capsys.readouterr()
    assert (err == "") == (code != 2)
    return code, out or err


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

    def test_a_hand_on_the_remote_of_the_test_data_fails_it(self, capsys, tree):
        first, second = sorted(path for path in (tree / ".dvcstore").rglob("*") if path.is_file())[:2]
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


def test_on_this_repository_it_takes_seconds_and_no_keras(repository):
    code = (
        "import sys, time\nfrom instrec.cli import main\ncode = main(['gate', 'HEAD'])\nassert code != 2\n"
        "assert not {'keras', 'tensorflow', 'numpy', 'mlflow'} & sys.modules.keys()\n"
        "assert time.process_time() < 5, time.process_time()"  # about 1 s; the clock's own on a busy machine is longer
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("## ")
