"""The package as PyPI would give it: built, installed beside nothing, and used outside of any checkout."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.documentation.pages import TEXTS
from tests.tone_model import RATE, tone

ROOT = Path(__file__).parents[1]
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
OFFLINE = re.compile(r"dns|connect|network|offline|timed out|failed to fetch", re.IGNORECASE)
# Without bytecode: PyAV 106, a third of it for video alone; onnxruntime 76; NumPy 57; models 7; all else 4. Earlier
# versions that need no more packages take at least 105, 51 and 56: with these three, 200 is out of reach.
LARGE = ("av", "onnxruntime", "numpy")
MOST_MB, MOST_BESIDE_MB = 260, 6


def uv(*arguments: str | Path) -> None:
    assert UV, "uv is not installed; make test brings it"
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False)
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip(f"no index of packages can be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built of what git tracks, as it stands in the working tree."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    tracked = subprocess.check_output(["git", "ls-files", "-z", "instrec", "*.toml", "*.md", "LICENSE"], cwd=ROOT)
    for name in filter(None, tracked.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, source)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def lean(wheel, module_folder) -> Path:
    """A virtual environment with the wheel and what it asks for, and nothing else."""
    folder = module_folder / "venv"
    uv("venv", "--python", sys.executable, folder)
    uv("pip", "install", "--python", folder / "bin/python", wheel)
    return folder


@pytest.fixture(scope="module")
def rich(lean, wheel) -> Path:
    """The same with plot and serve."""
    uv("pip", "install", "--python", lean / "bin/python", f"instrec[plot,serve] @ {wheel.as_uri()}")
    return lean


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("song.wav", "my_recordings/violin/a.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, np.float32(tone("violin", 4)), RATE)
    return folder


def run(venv: Path, folder: Path, command: str, code: int = 0, **options) -> subprocess.CompletedProcess:
    environment = {"PATH": f"{venv / 'bin'}:/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(shlex.split(command), cwd=folder, env=environment, capture_output=True, **options)
    assert done.returncode == code, done.stderr
    return done


def test_it_is_small_and_brings_no_tensorflow(lean, folder):
    packages = next(lean.glob("lib/python*/site-packages"))
    sizes: Counter[str] = Counter()
    for path in packages.rglob("*"):
        if path.is_file():
            sizes[re.split(r"[-.]", path.relative_to(packages).parts[0])[0]] += path.lstat().st_size
    assert sizes.total() < MOST_MB * 1e6, sizes
    models = sum(path.stat().st_size for path in (packages / "instrec/models").glob("*.onnx"))
    assert sizes.total() - models - sum(sizes[name] for name in LARGE) < MOST_BESIDE_MB * 1e6, sizes
    run(lean, folder, "python -c 'import tensorflow'", code=1)


def test_predict(lean, folder):
    table = run(lean, folder, "instrec predict song.wav").stdout
    assert b"song.wav  0:04.0" in table
    assert run(lean, folder, "python -m instrec predict song.wav").stdout == table
    said = json.loads(run(lean, folder, "instrec predict --json --threshold 0 song.wav").stdout)
    piped = run(lean, folder, "instrec predict --json --threshold 0 -", input=(folder / "song.wav").read_bytes())
    assert json.loads(piped.stdout) == said | {"file": "-"}
    assert len(said["instruments"]) == 15
    unknown = run(lean, folder, "instrec predict --model unknown song.wav", code=2)
    assert re.fullmatch(rb"error: unknown: no model there; .*classifier.*\n", unknown.stderr)
    no_model = run(lean, folder, "instrec predict --model song.wav song.wav", code=2)
    assert re.fullmatch(rb"error: song.wav: neither an ONNX nor a Keras model.*\n", no_model.stderr)


def test_evaluate_and_doctor(lean, folder):
    assert b"1 scored" in run(lean, folder, "instrec evaluate my_recordings").stdout
    said = run(lean, folder, "instrec doctor").stdout.decode()
    assert "classifier.onnx (15 classes)" in said
    assert "missing" not in said


@pytest.mark.parametrize(
    "command", ["predict --plot song.png song.wav", "serve", "export --format onnx --model classifier"]
)
def test_what_an_extra_brings_is_named(lean, folder, command):
    done = run(lean, folder, f"instrec {command}", code=2)
    assert re.fullmatch(rb"error: .*pip install 'instrec\[\w+\]'.*\n", done.stderr)


def test_the_examples_of_the_python_page(lean, folder):
    code = "\n".join(re.findall(r"```python\n(.*?)```", TEXTS["docs/python.md"], flags=re.DOTALL))
    (folder / "example.py").write_text(code)
    assert run(lean, folder, "python example.py").stdout


def test_plot_and_serve(rich, folder):
    run(rich, folder, "instrec predict --plot song.png song.wav")
    assert (folder / "song.png").read_bytes().startswith(b"\x89PNG")
    command, environment = [rich / "bin/instrec", "serve", "--port", "0"], {"PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().split()[0]
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            assert b"<html" in opener.open(address).read()
            answer = opener.open(f"{address}timeline", data=(folder / "song.wav").read_bytes()).read().splitlines()
            assert "html" in json.loads(answer[-1])
        finally:
            server.terminate()
