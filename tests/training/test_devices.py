"""Several devices share every batch and learn what one learns, on either backend; here they are halves of a CPU."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from instrec.models import classifier
from instrec.training import devices
from instrec.util import hdf5
from tests.refusals import refused

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
CLASSES, SHAPE, CLIPS = ("violin", "flute", "piano"), (24, 24, 1), 41

# In one process, as it takes longer to load than to train: the first training knows one of the devices alone.
TRAIN = """
import sys
from dataclasses import replace
from pathlib import Path
import keras
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from instrec import params
from instrec.models import classifier
from instrec.training import fit
from instrec.errors import run
from instrec.util import hdf5
parameters = params.load(Path(sys.argv[1]))
small = replace(
    parameters, task="solo", classes=("violin", "flute", "piano"),
    model=replace(parameters.model, name="lenet", variant="5x5"),
    train=replace(parameters.train, epochs=3, batch_size=10, mix_probability=0.0),
    balance=replace(parameters.balance, train_mixtures=0, valid_mixtures=0),
)
def train(out):
    names = ("manifest.csv", "data", "classifier.keras", "history.csv", "speed.json", "backup")
    fit.train(small, fit.Files(out / "audio.h5", Path.cwd(), *(out / name for name in names)))
    with hdf5.open_store(Path("valid.h5")) as inputs:
        presence, _ = classifier.load(out / "classifier.keras").predict(inputs.read(0, 8).astype(np.float32))
    np.save(out / "presence.npy", presence)
every = keras.distribution.list_devices()
assert len(every) == 2
for number in "12":
    keras.distribution.list_devices = lambda *_: every[:int(number)]
    if code := run(lambda: train(Path(sys.argv[2]) / number) or 0):
        sys.exit(code)
"""


@pytest.fixture(scope="module")
def spectrograms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs with a bright band whose place tells the class; an odd number of them."""
    folder, rng = tmp_path_factory.mktemp("spectrograms"), np.random.default_rng(7)
    for name in ("train", "valid"):
        owner = np.arange(CLIPS) % len(CLASSES)
        inputs = rng.random((CLIPS, *SHAPE)) * 0.3
        for image, own in zip(inputs, owner, strict=True):
            image[:, 5 * own : 5 * own + 3] += 0.6
        with hdf5.create(
            folder / f"{name}.h5",
            name="features",
            shape=SHAPE,
            dtype=np.float16,
            ids=[f"{name}/solo/{number}" for number in range(CLIPS)],
            labels=np.eye(len(CLASSES), dtype=np.uint8)[owner],
            classes=CLASSES,
        ) as writer:
            writer.append(inputs.astype(np.float16))
    return folder


def train(spectrograms: Path, out: Path, backend: str) -> tuple[int, str]:
    """Train with one device, then with two, in folders of `out` named so."""
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, ROOT / "params.yaml", out],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "KERAS_BACKEND": backend,
            # What is compiled runs a few times: fast compilation, slow code.
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0",
        },
        cwd=spectrograms,
        text=True,
        capture_output=True,
    )
    return done.returncode, done.stderr


def losses(out: Path) -> list[float]:
    with (out / "history.csv").open(newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_learn_what_one_learns(spectrograms: Path, tmp_path: Path, backend: str) -> None:
    code, errors = train(spectrograms, tmp_path, backend)
    assert code == 0, errors
    one, two = losses(tmp_path / "1"), losses(tmp_path / "2")
    # Of 41 clips two devices leave one out, another in every epoch.
    np.testing.assert_allclose(one, two, rtol=0.1)
    assert two[-1] < two[0]
    # And TensorFlow reads what either has trained.
    with hdf5.open_store(spectrograms / "valid.h5") as inputs:
        presence, _ = classifier.load(tmp_path / "2/classifier.keras").predict(inputs.read(0, 8).astype(np.float32))
    assert presence.shape == (8, len(CLASSES))
    np.testing.assert_allclose(presence, np.load(tmp_path / "2/presence.npy"), atol=1e-4)


def test_a_batch_that_devices_cannot_share_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.distribution, "list_devices", lambda *_: ["gpu:0", "gpu:1"])
    with refused("parameters-conflict", "params.yaml: train.batch_size", "9 clips"), devices.all_at_once(9):
        pass


FAULTS = """
import resource
import numpy as np
from instrec.training import devices

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(50_000_000, np.float32)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
before = faults()
devices.prepare(0)
faults()
print(before, faults())
"""


def test_memory_is_kept_for_the_next_step() -> None:
    """The kernel gives a page of 4 KiB with each fault."""
    command = [sys.executable, "-c", FAULTS]
    said = subprocess.check_output(command, cwd=ROOT, env=os.environ | {"NUMPY_MADVISE_HUGEPAGE": "0"}, text=True)
    before, after = map(int, said.split())
    assert before > 40_000
    assert after < 400
