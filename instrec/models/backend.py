"""Keras, loaded without greetings and in half the time: `from instrec.models.backend import keras, layers`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Messages about the processor, missing GPUs and logging itself. Native code writes them before it reads any setting.
_GREETINGS = (
    r"^(WARNING: All log messages before absl::InitializeLog|To enable the following instructions|[IW][0-9]{4} "
    r"|E[0-9]{4} .* failed call to cuInit|[-0-9]{10} .* [IW] tensorflow/)"
)

# Keras and TensorFlow import these where they are installed, for functions that instrec does not use: half of the time.
_OPTIONAL = ("matplotlib", "pandas", "sklearn")


def _other_backends() -> tuple[str, ...]:
    """TensorFlow imports JAX where it is installed; Keras finds its backend in the environment or in a file."""
    home = os.environ.get("KERAS_HOME", os.path.expanduser("~/.keras"))  # noqa: PTH111 - Path's fails without a home
    config = Path(home, "keras.json")
    settings = os.environ.get("KERAS_BACKEND") or (config.read_text() if config.exists() else "")
    return () if "jax" in settings else ("jax",)


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Make packages appear not to be installed; what is imported already stays."""
    hidden = dict.fromkeys(name for name in names if name not in sys.modules)
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None: importing it fails
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def _without_greetings() -> Iterator[None]:
    """Pass standard error through a separate process, so that the message of an abort also arrives."""
    if sys.stderr is None:  # closed
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with subprocess.Popen(
        ["grep", "--line-buffered", "--invert-match", "--extended-regexp", _GREETINGS],
        stdin=subprocess.PIPE,
        stdout=kept,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    ) as sieve:
        assert sieve.stdin
        os.dup2(sieve.stdin.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # silences what comes once it has been read
with _without_greetings(), _without((*_OPTIONAL, *_other_backends())):
    import keras as keras
    from keras import applications as applications
    from keras import backend as _backend
    from keras import layers as layers

    if _backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.list_physical_devices()  # here, as it says which of them are missing
