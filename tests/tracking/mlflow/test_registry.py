"""A model in the registry of a real MLflow server: put there, loaded back elsewhere, and every way to go wrong."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from instrec import params
from instrec.inference import model, prediction
from instrec.models import classifier
from instrec.models.released import PACKAGED
from instrec.tracking.mlflow import pyfunc, registry, runs
from tests import documented
from tests.mlflow_process import serving_mlflow
from tests.refusals import refused
from tests.tone_model import CARD, build, silence, tone, written

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore:The ``noload``")]  # SQLAlchemy's word to MLflow

ROOT = Path(__file__).parents[3]


@pytest.fixture
def local(monkeypatch):
    """None of the caller's own MLflow settings, and what tests set is taken back."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "DVC_ROOT", "DVC_EXP_NAME", *runs.SETTINGS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def make_repository(folder):
    """Write a trained model, what its run mirrors, and something to listen to."""
    classifier.save(folder / "models/classifier.keras", build().model, CARD)
    written(folder, tone("violin", 2.0), silence(1.0), tone("flute", 2.0), name="song.wav")
    (folder / "models/history.csv").write_text("epoch,loss\n1,0.5\n")
    (folder / "metrics").mkdir()


def environment(server):
    return {
        **os.environ,
        "MLFLOW_TRACKING_URI": server,
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "120",  # a busy machine is given time
        "NO_PROXY": "127.0.0.1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }


def run(command, folder, server):
    done = subprocess.run(command, cwd=folder, env=environment(server), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def mirror(folder):
    parameters, inputs = params.load(ROOT / "params.yaml"), {"model": folder / "models/classifier.keras"}
    figures = {"unseen_clean": {"solo": {"top1": 0.75}}}
    runs.mirror(parameters, folder / "models/history.csv", figures, folder / "metrics", inputs=inputs)


LOAD = """
import ast, importlib.metadata, json, sys
import mlflow
model = mlflow.pyfunc.load_model("models:/instrec@champion")
said = model.predict([{"file": sys.argv[1]}], params={"threshold": 0.1})
own = [module for name, module in sys.modules.items() if name.split(".")[0] == "instrec"]
imported = {
    (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
    for module in own
    for node in ast.walk(ast.parse(open(module.__file__).read()))
    if isinstance(node, ast.Import | ast.ImportFrom)
}
print(json.dumps({"said": said, "imported": sorted(imported & sys.modules.keys()), "code": own[0].__file__}))
"""


@pytest.fixture(scope="module")
def registered(tmp_path_factory, mlflow_server):
    """A repository whose run and model are on the server, put there as docs/tracking.md says."""
    folder = tmp_path_factory.mktemp("repository")
    make_repository(folder)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment(mlflow_server).items():
            patched.setenv(name, value)
        mirror(folder)
    wanted = ("export MLFLOW_TRACKING_URI", "instrec dev register")
    export, command = (line for line in documented.commands("tracking.md") if line.startswith(wanted))
    script = f"{export.replace('http://127.0.0.1:5000', mlflow_server)}\n{command}"
    assert mlflow_server in script
    said = run(["bash", "-euc", script], folder, "")
    assert f"    $ {command}\n    {said}" in (documented.DOCS / "tracking.md").read_text()
    return folder


@pytest.fixture(scope="module")
def client(mlflow_server):
    from mlflow import MlflowClient

    return MlflowClient(mlflow_server)


def test_it_loads_back_by_its_alias_elsewhere_and_predicts_the_same(registered, mlflow_server, tmp_path):
    shutil.copy(registered / "song.wav", tmp_path)
    without = {key: value for key, value in environment(mlflow_server).items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, "song.wav"], cwd=tmp_path, env=without, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    known = model.load(registered / "models/classifier.keras")
    expected = prediction.predict(registered / "song.wav", known, threshold=0.1).to_dict() | {"file": "song.wav"}
    assert loaded["said"] == [expected]
    assert {each["name"] for each in expected["instruments"]} == {"violin", "flute"}
    assert not loaded["code"].startswith(str(ROOT))
    distributions = packages_distributions()
    # Matplotlib draws timelines, which a registered model does not.
    for name in set(loaded["imported"]) & distributions.keys() - {"instrec", "matplotlib"}:
        assert set(distributions[name]) & set(pyfunc.REQUIREMENTS), name


def model_id(version):
    """The id of what a version was made of; MLflow's own registry leaves `version.model_id` empty."""
    return version.source.removeprefix("models:/")


def test_a_version_has_signature_example_dependencies_and_its_run(registered, client):
    import mlflow

    version = client.get_model_version_by_alias("instrec", "champion")
    run = client.get_run(version.run_id)
    assert run.data.tags["model"] == version.tags["model"] == runs.md5(registered / "models/classifier.keras")
    logged = client.get_logged_model(model_id(version))
    assert {metric.key: metric.value for metric in logged.metrics} == {"unseen_clean.solo.top1": 0.75}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
        info = mlflow.models.get_model_info("models:/instrec@champion")
        pinned = Path(mlflow.pyfunc.get_model_dependencies("models:/instrec@champion")).read_text()
    assert [column.name for column in info.signature.inputs] == ["file", "samples", "sample_rate"]
    assert [column.name for column in info.signature.outputs] == ["file", "duration_seconds", "complete", "instruments"]
    assert [each.name for each in info.signature.params] == ["hop", "threshold"]
    assert info.saved_input_example_info
    assert [line.partition("==")[0] for line in pinned.splitlines()] == list(pyfunc.REQUIREMENTS)


def test_the_same_model_is_one_version_and_another_is_another(
    registered, client, mlflow_server, local, tmp_path, monkeypatch
):
    for name, value in environment(mlflow_server).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(registered)
    assert registry.register(Path("models/classifier.keras"), "instrec", "staging") == "1"

    other = Path(shutil.copy(PACKAGED, tmp_path / "other.onnx"))
    assert registry.register(other, "instrec", "staging") == "2"
    assert client.get_model_version_by_alias("instrec", "champion").version == "1"
    assert not client.get_model_version("instrec", "2").run_id  # no run has measured it

    # Somebody puts another model's file into version 2.
    (tmp_path / "changed/data").mkdir(parents=True)
    shutil.copy(PACKAGED.with_stem("wide"), tmp_path / "changed/data/other.onnx")
    client.log_model_artifacts(model_id(client.get_model_version("instrec", "2")), str(tmp_path / "changed"))
    with refused("model-differs", "models:/instrec/2", other, "doubtful"):
        registry.register(other, "instrec", "doubtful")
    assert "doubtful" not in client.get_registered_model("instrec").aliases


def test_programs_of_the_page_run(registered, mlflow_server, local, tmp_path, monkeypatch):
    search, load = documented.programs("tracking.md")
    said = run([sys.executable, "-c", load], registered, mlflow_server)
    assert "'violin'" in said
    assert "'flute'" in said
    make_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_EXP_NAME", "calm-cello")
    mirror(tmp_path)
    assert "calm-cello" in run([sys.executable, "-c", search], tmp_path, "")
    (look,) = (line for line in documented.commands("tracking.md") if line.startswith("mlflow ui"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving_mlflow(look, tmp_path) as address:
        from mlflow import MlflowClient

        seen = MlflowClient(address)
        (run_,) = seen.search_runs([seen.get_experiment_by_name("instrec").experiment_id])
        assert run_.info.run_name == "calm-cello"


@pytest.mark.parametrize(
    ("name", "alias", "subject", "named"),
    [
        ("", "champion", "--name ''", "letters"),
        ("a/b", "champion", "--name 'a/b'", "letters"),
        ("a:b", "champion", "--name 'a:b'", "letters"),
        ("a" * 201, "champion", f"--name '{'a' * 201}'", "200"),
        ("instrec", "", "--alias ''", "letters"),
        ("instrec", "the best", "--alias 'the best'", "letters"),
        ("instrec", "latest", "--alias 'latest'", "`latest`"),
        ("instrec", "v12", "--alias 'v12'", "`v1`"),
        ("instrec", "1.5", "--alias '1.5'", "dot"),
    ],
)
def test_a_name_that_mlflow_would_refuse_or_misread(name, alias, subject, named):
    with refused("value-invalid", subject, named):
        registry.check_names(name, alias)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("http://127.0.0.1:{port}", "Connection refused"),
        ("file:///nowhere/mlruns", "migrate to a database backend"),
        ("carrier-pigeon://loft", "unsupported URI"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line(local, tmp_path, monkeypatch, address, named):
    make_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:  # bound but not listening: refuses every connection
        taken.bind(("127.0.0.1", 0))
        address = address.format(port=taken.getsockname()[1])
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        with refused("registry-unavailable", f"MLFLOW_TRACKING_URI={address}", named):
            registry.register(Path("models/classifier.keras"), "instrec", "champion")


def test_a_damaged_database_or_no_model_is_one_line(local, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with refused("model-missing", "models/classifier.keras", "`dvc repro`"):
        registry.register(Path("models/classifier.keras"), "instrec", "champion")
    make_repository(tmp_path)
    (tmp_path / "mlflow.db").write_text("not a database")
    with refused("registry-unavailable", "mlflow.db", "not a database"):
        registry.register(Path("models/classifier.keras"), "instrec", "champion")
