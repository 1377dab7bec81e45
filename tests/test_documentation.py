"""No page rots: every command of every page is run by a test, or is listed here with the reason why not.

Pages in WHOLE are run from top to bottom by tests of their own. The other pages' commands are in COMMANDS, or in
OUTSIDE; one that is in neither, or no longer documented, fails. `dvc exp run` with figures of full size would take
hours: the shell and DVC parse it, and params.yaml must take what it changes.
"""

import argparse
import importlib.util
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from distributed import Client
from dvc.cli.parser import get_main_parser
from dvc.utils.hydra import apply_overrides

from instrec import params
from instrec.cli import main
from instrec.cli.parsing import parsers
from instrec.util.parallel import ordered_map
from tests import documented, toy_pipeline
from tests.tone_model import RATE, tone

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("[!.]*/README.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}

WHOLE = {
    "docs/editors.md": "cli/test_predict.py",
    "docs/experiments.md": "test_experiments.py",
    "docs/fine-tuning.md": "test_fine_tuning.py",
    "docs/predict.md": "cli/test_predict.py",
    "docs/pull-requests.md": "test_workflows.py",
    "docs/report.md": "tracking/report/test_page.py",
    "docs/team.md": "test_team.py",
    "docs/tracking.md": "tracking/mlflow/test_registry.py",
}

PREDICTIONS = [
    "instrec predict song.wav",
    "instrec evaluate my_recordings",
]
TABLES = [
    "instrec recipe --list",
    "instrec recipe gomez2018",
    "instrec corpora",
]
OPTIONS = [
    "dvc exp run -n gomez2018 $(instrec recipe gomez2018 --cpu)",
    "dvc exp run -n gomez2018-irmas $(instrec recipe gomez2018 --data-sets)",
    "dvc exp run -n wide $(instrec recipe yun_bi_lstm_128 --cpu) -S train.learning_rate=0.003",
    "for name in gomez2018 gomez2018_leaky gomez2018_two_branch; do\n"
    "    dvc exp run --queue -n $name $(instrec recipe $name --cpu)\n"
    "done",
    "dvc exp show --only-changed",
    "dvc exp run --run-all",
    "dvc exp run -S 'sources.train=[irmas]' -S 'sources.test=[irmas]'",
    "dvc exp run -S 'sources.test=[good_sounds]'",
    "dvc exp run -S cluster=tcp://127.0.0.1:8786",
]
DOCTOR = "instrec doctor"
EXPORTS = [
    "instrec export --format onnx",
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
COMMANDS = {*PREDICTIONS, *TABLES, *OPTIONS, DOCTOR, *EXPORTS, *YARDSTICK, *CLUSTER, *FOUR_LINES}

HOURS = [
    "git checkout 6e1e8d3 && dvc exp run -n full $(instrec recipe full)",
    "git checkout 6176e56 && dvc pull released/classifier.keras",
    "dvc exp run -n full_further -S train.start=released/classifier.keras $(instrec recipe full_further)",
    "git checkout 9043b4b && dvc pull released/classifier.keras",
    "dvc exp run -n full_finer $(instrec recipe full_finer)",
    "git checkout c80ff20 && dvc pull released/classifier.keras",
    "dvc exp run -n full_finer_further $(instrec recipe full_finer)",
]
OUTSIDE = {
    **dict.fromkeys(HOURS, "the released model's past; test_recipes.py runs its recipes for a few steps"),
    "sudo apt-get install git make python3-venv": "needs a network and rights; what the workflows' machines have",
    "make test": "these tests are it",
    ". .venv/bin/activate": "what `make` made for these tests is active",
    "pytest tests/synthesis/noise": "these tests are it",
    "dvc pull released/classifier.keras": "test_released.py: a fresh clone brings it",
    "make release": "card/test_card.py: scripts/release.py, which is all it calls",
    "make release ARGS=\"--recordings real.json --of 'my 30 recordings of a violin and a flute'\"": "the same",
    "git add released .dvcstore docs/model_card.md": "what scripts/release.py prints",
    "git commit": "what scripts/release.py prints",
    "make lint": "`make test` does it",
    "make check": "a part of `make test`",
    "pre-commit install": "writes into .git; the hooks are what `make lint` runs",
    "pytest tests/fuzz --fuzz-cases 5000": "takes minutes; tests/fuzz runs a thousand",
    "pytest tests/fuzz --fuzz-format audio --fuzz-case 123": "tests/fuzz",
}

# Blocks that hold no command: what a folder holds, what a file says. How they begin, and where they are tested.
NO_COMMANDS = {
    "recordings/violin/anna/scale.flac": "corpus/test_recordings.py",
    "violin/anna/scale.flac": "corpus/test_recordings.py",
    "corpora/irmas/": "corpus/published/test_published.py",
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


WITHOUT_TESTS_OF_THEIR_OWN = [page for page in TEXTS if page not in WHOLE]
RUN_ELSEWHERE = {command for page in WHOLE for command in documented_commands(page)}


@pytest.mark.parametrize("page", WITHOUT_TESTS_OF_THEIR_OWN)
def test_every_command_is_run_or_has_a_reason(page: str) -> None:
    assert set(documented_commands(page)) - COMMANDS - OUTSIDE.keys() - RUN_ELSEWHERE == set()


def test_whatever_is_listed_here_is_documented() -> None:
    documented = {command for page in WITHOUT_TESTS_OF_THEIR_OWN for command in documented_commands(page)}
    assert (COMMANDS | OUTSIDE.keys()) - documented == set()
    everything = [block for text in TEXTS.values() for block in blocks(text)]
    assert [start for start in NO_COMMANDS if not any(block.startswith(start) for block in everything)] == []


@pytest.mark.parametrize("page", WHOLE)
def test_a_page_run_elsewhere_is_read_there(page: str) -> None:
    test = (ROOT / "tests" / WHOLE[page]).read_text(encoding="utf-8")
    assert Path(page).name in test


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page: str) -> None:
    prose = re.sub(r"^ {4}.*$", "", TEXTS[page], flags=re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not link.startswith("http"):
            path, _, heading = link.partition("#")
            target = (ROOT / page).parent / path if path else ROOT / page
            assert target.exists(), link
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
            assert not heading or heading in [each.lower().replace(" ", "-") for each in headings], link


INLINE = [
    (page, span)
    for page, text in TEXTS.items()
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE))
    if re.match(r"(bash|dvc|instrec|make|pytest|python) \S", span)
]


def options(parser: argparse.ArgumentParser, words: list[str]) -> set[str]:
    """The options of a command, whose parser is reached through those of the words before."""
    for word in words:
        inner = [each.choices for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        if not inner:
            break
        parser = inner[0][word]
    return set(parser._option_string_actions)


@pytest.mark.parametrize(("page", "command"), INLINE)
def test_a_command_within_a_sentence_exists(page: str, command: str) -> None:
    """What it needs besides may be left out there, but what is named must be there."""
    program, *words = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^([\w ]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert words[0] in " ".join(targets).split()
    elif program in ("dvc", "instrec"):
        parser = get_main_parser() if program == "dvc" else parsers()[0]
        assert {word for word in words if word.startswith("-")} <= options(parser, words)
    else:
        assert (ROOT / (f"{words[1].replace('.', '/')}.py" if words[0] == "-m" else words[0])).exists()


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py")))
def test_benchmarks_say_how_to_run_them(module: str) -> None:
    """They take minutes; here they are only loaded."""
    spec = importlib.util.spec_from_file_location(module, ROOT / f"benchmarks/{module}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded  # dataclasses look themselves up there
    try:
        spec.loader.exec_module(loaded)
    finally:
        del sys.modules[module]
    assert re.search(rf"python (-m benchmarks\.{module}|benchmarks/{module}\.py)", loaded.__doc__)
    assert callable(loaded.main)


@pytest.fixture(scope="module")
def project(miniature: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a model, a song, and a folder of recordings as README.md has one."""
    folder = shutil.copytree(miniature, tmp_path_factory.mktemp("documentation") / "repository")
    shutil.copytree(ROOT / "recipes", folder / "recipes", dirs_exist_ok=True)
    for name in ("song.wav", "my_recordings/violin/a.wav", "my_recordings/Harp/harp.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, np.float32(tone("violin", 4)), RATE)
    (folder / "my_recordings/violin/notes.txt").touch()
    return folder


def run(command: str) -> int:
    """Run one of `instrec` as a shell would, but in this process, which has Keras loaded already."""
    words = shlex.split(command)[1:]
    return main([each for word in words for each in (map(str, sorted(Path().glob(word))) if "*" in word else [word])])


@pytest.mark.parametrize("command", [*PREDICTIONS, *TABLES])
def test_it_runs(command: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.chdir(project)
    assert run(command) == 0
    assert capsys.readouterr().out


def test_an_exported_model_names_instruments_without_this_package(project: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(project)
    for command in EXPORTS[:2]:
        assert run(command) == 0
    assert Path("phone/instruments.tflite").stat().st_size > 100_000
    shutil.copytree(ROOT / "examples", "examples", dirs_exist_ok=True)
    subprocess.run([sys.executable, *shlex.split(EXPORTS[2])[1:]], check=True)
    shutil.copy("phone/instruments.tflite", "classifier.tflite")
    for program in documented.programs("export.md"):
        subprocess.run([sys.executable, "-c", program], check=True)
    assert "violin" in capfd.readouterr().out


def test_what_evaluate_leaves_out_is_told_of_as_in_the_readme(project, monkeypatch, capsys) -> None:
    monkeypatch.chdir(project)
    run("instrec evaluate my_recordings")
    left_out = [line for line in capsys.readouterr().out.splitlines() if "left out" in line]
    assert left_out == [line.strip() for line in TEXTS["README.md"].splitlines() if "    left out: " in line]


def test_doctor_looks_at_all_that_the_readme_shows(project, monkeypatch, capsys) -> None:
    monkeypatch.chdir(project)
    run(f"{DOCTOR} --params {ROOT}/params.yaml")  # the miniature does with fewer SoundFonts
    found = re.findall(r"^\w+ +(.*?)  ", capsys.readouterr().out, re.MULTILINE)
    (block,) = [block for block in blocks(TEXTS["README.md"]) if block.startswith(f"$ {DOCTOR}")]
    assert set(re.findall(r"^(?!\$)\w+ +(.*?)  ", block, re.MULTILINE)) <= set(found)


RECORDER = """
dvc() { printf '%s\\0' "$@"; printf '\\n'; }
instrec() { "$PYTHON" -m instrec.cli "$@"; }
"""


@pytest.mark.parametrize("command", OPTIONS)
def test_what_it_gives_to_dvc_is_what_dvc_and_params_take(command: str, tmp_path: Path) -> None:
    """The shell does what is its own: `$(...)`, loops, quotes; in DVC's place stands what writes down its arguments."""
    environment = toy_pipeline.environment(PYTHON=sys.executable)
    script = ["bash", "-euc", RECORDER + command]
    printed = subprocess.run(script, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, check=True).stdout
    for line in printed.splitlines():
        args = get_main_parser().parse_args(line.split("\0")[:-1])
        assert args.func
        overrides = getattr(args, "set_param", None) or []
        file = shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
        apply_overrides(file, overrides)
        params.load(file)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return toy_pipeline.make(tmp_path / "toy")


def test_a_new_yardstick(toy: Path) -> None:
    before = yaml.safe_load((toy / "data.dvc").read_text())["outs"][0]
    toy_pipeline.run(toy, "bash", "-euc", "\n".join(YARDSTICK))
    after = yaml.safe_load((toy / "data.dvc").read_text())["outs"][0]
    assert after["md5"] != before["md5"]
    assert after["remote"] == "embedded"
    stored = toy / ".dvcstore/files/md5" / after["md5"][:2] / after["md5"][2:]
    assert stored.exists()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_the_cluster(tmp_path: Path) -> None:
    """On another port, and without a page of its own, whose port others may have."""
    port = str(free_port())
    environment = toy_pipeline.environment(PYTHONPATH=str(ROOT), DASK_DISTRIBUTED__DASHBOARD__LINK="")
    lines = [line.replace("8786", port).split() for line in CLUSTER]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", *line, "--no-dashboard"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for line in lines
    ]
    try:
        with Client(f"tcp://127.0.0.1:{port}", timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        assert list(ordered_map(abs, range(-3, 3), cluster=f"tcp://127.0.0.1:{port}")) == [3, 2, 1, 0, 1, 2]
    finally:
        for process in running[::-1]:
            process.terminate()
            process.wait()


@pytest.fixture
def shared(toy: Path, tmp_path: Path) -> dict[str, str]:
    """A git remote with a branch `my-idea`, a DVC remote, and the environment in which clones get their `.venv`."""
    toy_pipeline.run(toy, "dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    toy_pipeline.commit(toy, "The team's remote")
    toy_pipeline.branch(toy, "my-idea", lambda folder: toy_pipeline.set_learning_rate(folder, 0.004))
    toy_pipeline.run(toy, "dvc", "push", "--run-cache")
    toy_pipeline.run(toy, "git", "clone", "--quiet", "--bare", ".", str(tmp_path / "instrec.git"))
    hook = tmp_path / "template/hooks/post-checkout"
    hook.parent.mkdir(parents=True)
    tests = str(ROOT / "tests")
    hook.write_text(
        f"#!{sys.executable}\nimport sys; sys.path.insert(0, {tests!r})\n"
        "from pathlib import Path; import toy_pipeline; toy_pipeline.stand_in(Path.cwd())\n"
    )
    hook.chmod(0o755)
    return toy_pipeline.environment(GIT_TEMPLATE_DIR=str(hook.parents[1]), TMPDIR=str(tmp_path))


def elsewhere(script: str, tmp_path: Path, environment: dict[str, str]) -> str:
    script = script.replace("https://example.org/instrec.git", str(tmp_path / "instrec.git"))
    assert str(tmp_path / "instrec.git") in script
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_four_lines(shared: dict[str, str], tmp_path: Path) -> None:
    said = elsewhere("\n".join(FOUR_LINES), tmp_path, shared)
    assert said.count("Running stage") == 2
    pushed = toy_pipeline.run(tmp_path / "instrec.git", "git", "show", "my-idea:dvc.lock")
    assert "learning_rate: 0.004" in pushed
    md5 = next(out["md5"] for out in yaml.safe_load(pushed)["stages"]["train"]["outs"])
    assert (tmp_path / "remote/files/md5" / md5[:2] / md5[2:]).exists()


def block_of(page: str, beginning: str) -> str:
    (block,) = [block for block in blocks(TEXTS[page]) if block.startswith(beginning)]
    return block


def test_slurm(shared: dict[str, str], tmp_path: Path) -> None:
    """One task of the array; `sbatch` itself only adds what the lines `#SBATCH` ask for."""
    script = block_of("docs/more_machines.md", "#!/bin/bash")
    elsewhere(script, tmp_path, shared | {"SLURM_ARRAY_TASK_ID": "2"})
    refs = toy_pipeline.run(tmp_path / "instrec.git", "git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    (ref,) = [ref for ref in refs if ref.endswith("/rate-2")]
    assert "learning_rate: 0.01" in toy_pipeline.run(tmp_path / "instrec.git", "git", "show", f"{ref}:params.yaml")


@pytest.mark.parametrize(
    ("beginning", "keys"),
    [("apiVersion", {"apiVersion", "kind", "metadata", "spec"}), ("# sky", {"resources", "setup", "run"})],
)
def test_files_for_kubernetes_and_skypilot_are_yaml(beginning: str, keys: set[str]) -> None:
    assert yaml.safe_load(block_of("docs/more_machines.md", beginning)).keys() == keys
