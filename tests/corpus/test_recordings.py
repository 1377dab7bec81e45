from pathlib import Path

import numpy as np
import pytest
import soundfile

from instrec.corpus import recordings
from tests.refusals import refused

CLASSES = ("violin", "double_bass", "piano")
RATE = 22050


def write(path: Path, y: np.ndarray, rate: int = RATE, **kind: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, y, rate, **kind)
    return path


def noise(seconds: float = 0.5, rate: int = RATE, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.3, 0.3, (round(seconds * rate), channels))


def scan(root: Path, workers: int = 1):
    return recordings.scan(root, classes=CLASSES, workers=workers)


def reasons(root: Path) -> dict[str, str]:
    return {Path(each.path).relative_to(root).as_posix(): each.reason for each in scan(root)[1]}


def test_every_usable_file_has_an_entry(tmp_path):
    write(tmp_path / "violin/8bit.wav", noise(), subtype="PCM_U8")
    write(tmp_path / "violin/high.flac", noise(rate=96000), 96000)
    write(tmp_path / "Double Bass/six.wav", noise(channels=6))
    write(tmp_path / "contrabass/phrase.aiff", noise(1))
    write(tmp_path / "piano/lossy.ogg", noise())
    entries, excluded = scan(tmp_path)
    assert excluded == []
    assert {(Path(each.path).name, each.labels) for each in entries} == {
        ("8bit.wav", ("violin",)),
        ("high.flac", ("violin",)),
        ("six.wav", ("double_bass",)),
        ("phrase.aiff", ("double_bass",)),
        ("lossy.ogg", ("piano",)),
    }
    for each in entries:
        assert (each.source, each.onset) == ("recordings", 0)
        assert each.duration == pytest.approx(1 if "phrase" in each.path else 0.5, abs=0.02)


def test_relative_paths_stay_relative(tmp_path, monkeypatch):
    write(tmp_path / "own/violin/a.wav", noise())
    monkeypatch.chdir(tmp_path)
    assert scan(Path("own"))[0][0].path == "own/violin/a.wav"


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("violin/anna/scale.wav", "anna"),
        ("violin/anna/monday/scale.wav", "anna"),
        ("violin/caprice.wav", "caprice"),
        ("violin/caprice take 2.wav", "caprice"),
        ("violin/caprice_03.wav", "caprice"),
        ("violin/caprice (3).wav", "caprice"),
        ("violin/Caprice-Part_12.wav", "Caprice"),
        ("violin/op1 no2 take1.wav", "op1 no2"),
        ("violin/violin_07.wav", "violin/violin_07"),
        ("violin/07.wav", "violin/07"),
        ("violin/anna_C4.wav", "anna_C4"),
        ("violin/track01.wav", "track01"),
        ("violin/take 7.wav", "violin/take 7"),
    ],
)
def test_groups(tmp_path, name, group):
    write(tmp_path / name, noise())
    assert scan(tmp_path)[0][0].group == group


def test_what_is_left_out_has_its_reason(tmp_path):
    write(tmp_path / "violin/good.wav", noise())
    write(tmp_path / "violin/single.wav", np.array([0.5]))
    write(tmp_path / "violin/nan.wav", np.full(RATE, np.nan), subtype="FLOAT")
    cut = write(tmp_path / "violin/truncated.wav", noise())
    cut.write_bytes(cut.read_bytes()[:44])
    write(tmp_path / "violin/silent.wav", np.zeros(RATE))
    (tmp_path / "violin/empty.wav").touch()
    (tmp_path / "violin/text.wav").write_text("no sound\n" * 100)
    (tmp_path / "violin/notes.txt").write_text("bowing")
    write(tmp_path / "stray.wav", noise())
    for name in ("sitar/1.wav", "sitar/2.wav", "organ/1.wav"):
        write(tmp_path / name, noise())
    found = reasons(tmp_path)
    assert [Path(each.path).name for each in scan(tmp_path)[0]] == ["good.wav"]
    for name, words in {
        "violin/single.wav": "too short",
        "violin/nan.wav": "not numbers",
        "violin/truncated.wav": "damaged, cut off",
        "violin/silent.wav": "silent from beginning",
        "violin/empty.wav": "is empty",
        "violin/text.wav": "not an audio file",
        "violin/notes.txt": "name does not end",
        "stray.wav": "no class's folder",
        "sitar": "2 files: the folder's name is no class; known: electric_bass",
        "organ": "class organ is not among `classes`",
    }.items():
        assert words in found.pop(name), name
    assert found == {}


def test_a_folder_with_nothing_or_one_class_is_fine(tmp_path):
    (tmp_path / "README.md").write_text("what to put here")
    assert scan(tmp_path) == ([], [])
    (tmp_path / "violin").mkdir()
    assert scan(tmp_path) == ([], [])
    write(tmp_path / "violin/a.wav", noise())
    assert [each.labels for each in scan(tmp_path)[0]] == [("violin",)]


def test_a_missing_folder_is_named(tmp_path):
    with refused("folder-missing", tmp_path / "none", "params.yaml"):
        scan(tmp_path / "none")


def test_the_number_of_workers_changes_nothing(tmp_path):
    for number in range(6):
        write(tmp_path / f"violin/{number}.wav", noise(0.2 + number / 10))
    (tmp_path / "violin/3.wav").write_bytes(b"RIFF")
    assert scan(tmp_path, workers=2) == scan(tmp_path, workers=1)
