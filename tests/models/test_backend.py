"""TensorFlow's greetings stay away; whatever is no greeting comes through, even where its process is aborted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

GREETINGS = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795694419.756250   22203 port.cc:153] oneDNN custom operations are on.
2026-11-26 12:00:00.000000: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.
"""
LAST_WORDS = "F0000 00:00:1795694419.756250 1 cpu_feature_guard.cc:30] compiled to use AVX instructions\n"


def load(keras: str, folder: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Load the backend where a module of this text takes Keras's place."""
    (folder / "keras").mkdir()
    (folder / "keras/__init__.py").write_text(keras)
    (folder / "keras/applications.py").touch()
    (folder / "keras/layers.py").touch()
    (folder / "keras/backend.py").write_text("def backend():\n    return 'none'\n")
    path = f"{folder}{os.pathsep}{Path(__file__).parents[2]}"
    command = [sys.executable, "-c", "from instrec.models.backend import keras"]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=environment, text=True, check=False, stderr=subprocess.PIPE, **options)


def test_greetings_stay_away(tmp_path):
    done = load(f"import os; os.write(2, {GREETINGS.encode()!r})", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_native_code_says_before_it_aborts_is_shown(tmp_path):
    done = load(f"import os; os.write(2, {(GREETINGS + LAST_WORDS).encode()!r}); os.abort()", tmp_path)
    assert (done.returncode, done.stderr) == (-signal.SIGABRT, LAST_WORDS)


def test_an_exception_is_shown(tmp_path):
    done = load("raise ImportError('no libtensorflow')", tmp_path)
    assert done.returncode == 1
    assert "no libtensorflow" in done.stderr


def test_standard_error_may_be_closed(tmp_path):
    assert load("", tmp_path, preexec_fn=lambda: os.close(2)).returncode == 0


def test_optional_packages_are_not_imported_and_can_be_later():
    """They would take as long as all the rest."""
    program = (
        "import sys; from instrec.models.backend import keras; print({'jax', 'pandas', 'matplotlib'} & {*sys.modules});"
        "import pandas, matplotlib.figure, jax.numpy"
    )
    done = subprocess.run([sys.executable, "-c", program], text=True, check=True, capture_output=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("way", ["environment", "file"])
def test_jax_may_be_the_backend(way, tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "jax"}' if way == "file" else '{"backend": "tensorflow"}')
    settings = {"KERAS_HOME": str(tmp_path)} | ({"KERAS_BACKEND": "jax"} if way == "environment" else {})
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"} | settings
    program = "from instrec.models.backend import keras; print(keras.backend.backend())"
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, env=environment, text=True) == "jax\n"
