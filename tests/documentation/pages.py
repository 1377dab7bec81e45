"""The pages, their commands, and where tests run them.

Pages in WHOLE are run from top to bottom by tests of their own. The other pages' commands are in COMMANDS, or in
OUTSIDE; one that is in neither, or no longer documented, fails. Those that PARSED matches would take hours, or need a
commit of the past: the shell and DVC parse them, and params.yaml must take what they change.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("[!.]*/README.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}

WHOLE = {
    "docs/browser.md": "examples/test_javascript.py",
    "docs/containers.md": "examples/test_containers.py",
    "docs/editors.md": "cli/test_predict.py",
    "docs/experiments.md": "test_experiments.py",
    "docs/fine-tuning.md": "test_fine_tuning.py",
    "docs/notebook.md": "examples/test_notebook.py",
    "docs/predict.md": "cli/test_predict.py",
    "docs/pull-requests.md": "workflows/test_page.py",
    "docs/report.md": "tracking/report/test_page.py",
    "docs/team.md": "test_team.py",
    "docs/tracking.md": "tracking/mlflow/test_registry.py",
}

PREDICTIONS = [
    "instrec predict song.wav",
    "instrec predict song.wav --model wide",
    "instrec evaluate my_recordings",
]
TABLES = [
    "instrec dev recipe --list",
    "instrec dev recipe gomez2018",
    "instrec dev corpora",
]
DOCTOR = "instrec doctor"
EXPORTS = [
    "instrec export --format onnx",
    "instrec export --format onnx --int8 --output fast.onnx",
    "instrec export --format tflite --output phone/instruments.tflite",
    "python examples/onnx_predict.py classifier.onnx song.wav",
]
YARDSTICK = [
    "rm -r data && python scripts/make_test_scores.py data",
    "dvc add data && dvc push data.dvc",
]
CLUSTER = [
    "dask scheduler --host 127.0.0.1 --port 8786",
    "dask worker tcp://127.0.0.1:8786 --nworkers 2 --nthreads 1",
]
FOUR_LINES = [
    "git clone --branch my-idea https://example.org/instrec.git && cd instrec",
    "make setup && . .venv/bin/activate && dvc pull --run-cache --allow-missing",
    "dvc repro --pull",
    'dvc push --run-cache && git commit --all --message "Results" && git push',
]

OUTSIDE = {
    "sudo apt-get install git make python3-venv": "needs a network and rights; what the workflows' machines have",
    "pip install .": "test_wheel.py builds the package and installs it",
    "make test": "these tests are it",
    "make repro": "workflows/test_repro.py, in a toy project",
    ". .venv/bin/activate": "what `make` made for these tests is active",
    "pytest tests/synthesis/noise": "these tests are it",
    "make release": "card/test_card.py: scripts/release.py, which is all it calls",
    "make release ARGS=\"--recordings real.json --of 'my 30 recordings of a violin and a flute'\"": "the same",
    "git add released instrec/models docs/model_card.md": "what scripts/release.py prints",
    "git commit": "what scripts/release.py prints",
    "git config --global url./path/to/copy.insteadOf https://github.com/sfzinstruments/MTG.SoloSax": "changes the "
    "user's git; synthesis/soundfonts/test_libraries.py",
    "make lint": "`make test` does it",
    "make check": "a part of `make test`",
    "instrec dev systems --run --budget cpu": "takes hours; test_recipes_as_experiments.py runs a small recipe so",
    "pre-commit install": "writes into .git; the hooks are what `make lint` runs",
    "pytest tests/fuzz --fuzz-cases 5000": "takes minutes; tests/fuzz runs a thousand",
    "pytest tests/fuzz --fuzz-format audio --fuzz-case 123": "tests/fuzz",
}

# Blocks that hold no command: what a folder holds, what a file says. How they begin, and where they are tested.
NO_COMMANDS = {
    "recordings/violin/anna/scale.flac": "corpus/test_recordings.py",
    "violin/anna/scale.flac": "corpus/test_recordings.py",
    "corpora/irmas/": "corpus/published/test_loaders.py",
    "#!/bin/bash": "here: Slurm",
    "apiVersion: batch/v1": "here: Kubernetes",
    "# sky launch --down instrec.yaml": "here: SkyPilot",
}


def blocks(text: str) -> list[str]:
    """The indented blocks of a page, blank lines within them aside, each as one text."""
    found = re.findall(r"(?:^(?: {4}.*)?\n)+", re.sub(r"```.*?```", "", text, flags=re.DOTALL) + "\n", re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).strip("\n") for block in found if block.strip()]


def commands(block: str) -> list[str]:
    """The commands of a block without comments; of what begins with `$ ` the lines that have it, the rest is output."""
    if "$ " in (line[:2] for line in block.splitlines()):
        return [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    if block.startswith("for "):
        return [*re.findall(r"^for .*?^done$", block, re.MULTILINE | re.DOTALL), *block.split("\ndone\n")[1:]]
    return [re.sub(r"\s+# .*", "", line) for line in block.splitlines() if line.strip()]


def documented_commands(page: str) -> list[str]:
    found = [block for block in blocks(TEXTS[page]) if not block.startswith(tuple(NO_COMMANDS))]
    return [command for block in found for command in commands(block)]


PARSED = re.compile(r"(git checkout [0-9a-f]+ && )?dvc (exp|pull) |for ")
WITHOUT_TESTS_OF_THEIR_OWN = [page for page in TEXTS if page not in WHOLE]
RUN_ELSEWHERE = {command for page in WHOLE for command in documented_commands(page)}
OTHERS = {command for page in WITHOUT_TESTS_OF_THEIR_OWN for command in documented_commands(page)} - RUN_ELSEWHERE
OPTIONS = sorted(command for command in OTHERS if PARSED.match(command))
COMMANDS = {*PREDICTIONS, *TABLES, *OPTIONS, DOCTOR, *EXPORTS, *YARDSTICK, *CLUSTER, *FOUR_LINES}


def block_of(page: str, beginning: str) -> str:
    (block,) = [block for block in blocks(TEXTS[page]) if block.startswith(beginning)]
    return block
