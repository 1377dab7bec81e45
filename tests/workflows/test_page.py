"""The commands and rules of docs/pull-requests.md."""

import re

from instrec.tracking.gate import rules
from tests import toy_pipeline

BLOCKS = re.findall(
    r"(?:^    .*\n|^\n(?=    ))+", (toy_pipeline.ROOT / "docs/pull-requests.md").read_text(), re.MULTILINE
)


def test_its_commands_run(origin, tmp_path):
    commands = [block for block in BLOCKS if "instrec dev gate main " in block]
    assert len(commands) == 1
    folder = toy_pipeline.clone(origin, tmp_path / "clone", "better")
    toy_pipeline.run(folder, "git", "branch", "main", "origin/main")
    printed = toy_pipeline.run(folder, "bash", "-ec", f"PATH=$PWD/.venv/bin:$PATH\n{commands[0]}")
    assert printed.count("## ✅ Gate passed") == 3
    assert (folder / "gate.md").read_text() * 3 == printed
    # The pages it shows are laid out as pages are.
    headings = re.findall(r"^#+ [^:\n]+|^\| metric.*|^\| param.*|^<details>.*?:", printed, re.MULTILINE)
    shown = "".join(BLOCKS)
    assert [each for each in headings if each not in shown] == []


def test_its_rules_are_rules(tmp_path):
    (text,) = [block for block in BLOCKS if "- {metric" in block]
    (tmp_path / "gate.yaml").write_text(text)
    assert [rule.direction for rule in rules.load(tmp_path / "gate.yaml")] == ["higher", "lower"]
