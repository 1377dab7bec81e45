"""The state that a killed training resumes from: damage, and what it belongs to."""

from dataclasses import replace
from pathlib import Path

import pytest

from instrec.models.backend import keras
from instrec.params import Params
from instrec.training import checkpoints
from instrec.util import provenance


@pytest.fixture
def spectrograms(tmp_path: Path) -> Path:
    """A folder with the files that training reads; only their bytes count here."""
    folder = tmp_path / "spectrograms"
    folder.mkdir()
    for name in ("train", "valid"):
        (folder / f"{name}.h5").write_text(name)
    return folder


@pytest.mark.parametrize("file", ["history.zip", "epoch-2.keras", "epoch-1.keras", "best.keras"])
@pytest.mark.parametrize("damage", ["flipped", "cut off", "missing"])
def test_a_damaged_state_is_reported_and_not_resumed_from(
    small_params: Params, tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str, damage: str
) -> None:
    train = replace(small_params.train, epochs=4, average_share=0.5)
    place, model = tmp_path / "state", keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2)])
    for number in (1, 2):
        row = {"epoch": number, "loss": 1.0, "val_loss": 1.0 / number}
        history = [*checkpoints.resumed(train, place), row]
        checkpoints.keep(train, place, model, history, best=True)
    assert len(checkpoints.resumed(train, place)) == 2
    assert caplog.messages == []
    content = bytearray((place / file).read_bytes())
    content[len(content) // 3] ^= 1
    (place / file).write_bytes(content if damage == "flipped" else content[: len(content) // 2])
    if damage == "missing":
        (place / file).unlink()
    assert checkpoints.resumed(train, place) == []
    if (file, damage) != ("history.zip", "missing"):  # where nothing was begun, nothing is damaged
        (said,) = caplog.messages
        assert said.startswith(f"{place}: damaged (")
        assert said.endswith("; training begins anew")
        assert not place.exists()


def test_another_model_to_start_from_is_another_training(
    small_params: Params, spectrograms: Path, tmp_path: Path
) -> None:
    start = tmp_path / "start.keras"
    params = replace(small_params, train=replace(small_params.train, start=str(start)))
    keys = []
    for content in ("one", "another", "one"):
        start.write_text(content)
        keys.append(checkpoints.key(params, spectrograms))
    assert keys[0] == keys[2] != keys[1]


def test_other_params_code_or_experiments_do_not_go_on_from_this_state(
    small_params: Params, spectrograms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(small_params, train=replace(small_params.train, learning_rate=0.01))
    unrelated = replace(small_params, workers=3, evaluate=replace(small_params.evaluate, bootstrap_rounds=3))
    assert checkpoints.key(small_params, spectrograms) != checkpoints.key(other, spectrograms)
    own = checkpoints.key(small_params, spectrograms)
    assert checkpoints.key(unrelated, spectrograms) == own
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / ".."))  # where DVC would have made this folder
    monkeypatch.setenv("DVC_EXP_NAME", "slow")
    assert checkpoints.key(small_params, spectrograms) != own
    monkeypatch.undo()
    monkeypatch.setattr(provenance, "CODE", "another")
    assert checkpoints.key(small_params, spectrograms) != own
