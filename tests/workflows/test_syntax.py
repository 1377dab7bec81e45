"""Every step is a pinned action or a make target, and nothing that may write runs for a fork."""

import re

import pytest
import yaml

from tests import toy_pipeline
from tests.workflows.github import WORKFLOWS


@pytest.mark.parametrize("file", sorted(WORKFLOWS.iterdir()), ids=lambda file: file.name)
def test_every_step_is_a_pinned_action_or_a_make_target(file):
    workflow = yaml.safe_load(file.read_text())
    assert workflow.keys() <= {"name", True, "permissions", "concurrency", "jobs"}  # YAML reads `on` as true
    assert workflow["permissions"]["contents"] in ("read", "write")  # what is not named is denied
    targets = re.findall(r"^([\w ]+):", (toy_pipeline.ROOT / "Makefile").read_text(), re.MULTILINE)
    for job in workflow["jobs"].values():
        assert {"runs-on", "steps", "timeout-minutes"} <= job.keys() <= {
            "if", "runs-on", "steps", "timeout-minutes", "env", "environment"
        }  # fmt: skip
        for step in job["steps"]:
            assert step.keys() <= {"uses", "with", "run", "if", "env"}
            if "uses" in step:
                assert re.fullmatch(r"actions/\w[\w-]*@[0-9a-f]{40}", step["uses"])  # a tag can be moved
                assert re.search(rf"uses: {step['uses']} # v\d+\.\d+\.\d+$", file.read_text(), re.MULTILINE)
            else:
                assert re.fullmatch(r"make (\w+)( BASE=\"[^\"]+\")?", step["run"])[1] in targets


def test_what_may_write_is_never_run_for_a_fork():
    repro = yaml.safe_load((WORKFLOWS / "repro.yml").read_text())
    assert repro["permissions"]["contents"] == "write"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in repro["jobs"]["repro"]["if"]
    for file in WORKFLOWS.iterdir():
        workflow = yaml.safe_load(file.read_text())
        assert "pull_request_target" not in workflow[True]
        assert file.name == "repro.yml" or workflow.get("permissions", {}).get("contents") != "write"
