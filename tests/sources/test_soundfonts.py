import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from instrec.errors import UserError
from instrec.params import SoundFontParams
from instrec.sources import freepats, soundfonts


def font(path: Path, *, size: int = 64) -> Path:
    """A file with the header of a SoundFont."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"RIFF" + (size - 8).to_bytes(4, "little") + b"sfbk" + bytes(size - 12))
    return path


def test_the_first_folder_that_has_it_counts(tmp_path):
    second = font(tmp_path / "b/own.sf2")
    folders = (str(tmp_path / "a"), str(tmp_path / "b"))
    assert soundfonts.find("own.sf2", folders) == second
    first = font(tmp_path / "a/own.sf2")
    assert soundfonts.find("own.sf2", folders) == first


@pytest.mark.parametrize("name", soundfonts.KNOWN)
def test_a_missing_known_one_comes_with_its_command(tmp_path, monkeypatch, name):
    monkeypatch.setattr(freepats, "FOLDER", tmp_path / "none")
    package = soundfonts.KNOWN[name].package
    with pytest.raises(UserError, match=f"^{name}: .*sudo apt-get install {package}$"):
        soundfonts.find(name, [str(tmp_path)])


def test_a_missing_unknown_one_comes_with_where_to_put_it(tmp_path):
    with pytest.raises(UserError, match=rf"^own.sf2: not in {tmp_path}; .*soundfonts\.folders"):
        soundfonts.find("own.sf2", [str(tmp_path)])


def test_a_known_one_with_its_checksum_is_taken_without_a_word(tmp_path, monkeypatch, capsys):
    path = font(tmp_path / "TimGM6mb.sf2")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(soundfonts.KNOWN, path.name, soundfonts.Known("timgm6mb-soundfont", 64, sha256))
    assert soundfonts.verify(path) == (64, sha256)
    assert capsys.readouterr().err == ""


def test_an_own_one_is_verified_by_its_header(tmp_path, capsys):
    path = font(tmp_path / "own.sf2")
    assert soundfonts.verify(path) == (64, hashlib.sha256(path.read_bytes()).hexdigest())
    assert capsys.readouterr().err == ""


def test_another_version_of_a_known_one_is_taken_with_a_warning(tmp_path, capsys):
    path = font(tmp_path / "TimGM6mb.sf2")
    assert soundfonts.verify(path)[0] == 64
    assert str(path) in capsys.readouterr().err


def test_the_known_size_with_another_checksum_is_damage(tmp_path, monkeypatch):
    path = font(tmp_path / "TimGM6mb.sf2")
    monkeypatch.setitem(soundfonts.KNOWN, path.name, soundfonts.Known("timgm6mb-soundfont", 64, "0" * 64))
    with pytest.raises(UserError, match=f"^{path}: damaged, .*--reinstall timgm6mb-soundfont"):
        soundfonts.verify(path)


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: b"no SoundFont", lambda whole: whole[:40]])
@pytest.mark.parametrize("name", ["TimGM6mb.sf2", "own.sf2"])
def test_a_corrupt_one_is_named_with_what_to_do(tmp_path, damage, name):
    path = font(tmp_path / name)
    path.write_bytes(damage(path.read_bytes()))
    remedy = "apt-get install --reinstall timgm6mb-soundfont" if name in soundfonts.KNOWN else "params.yaml"
    with pytest.raises(UserError, match=f"^{path}: .*{remedy}"):
        soundfonts.verify(path)


def test_the_table_has_a_row_a_role_and_no_folders(tmp_path):
    for name in ("a.sf2", "b.sf2"):
        font(tmp_path / name)
    settings = SoundFontParams(folders=(str(tmp_path),), train=("a.sf2",), valid=("a.sf2",), unseen="b.sf2")
    soundfonts.write(tmp_path / "soundfonts.csv", settings, ["violin"])
    sha256 = hashlib.sha256((tmp_path / "a.sf2").read_bytes()).hexdigest()
    assert (tmp_path / "soundfonts.csv").read_text().splitlines() == [
        "name,role,bytes,sha256",
        f"a.sf2,train,64,{sha256}",
        f"a.sf2,valid,64,{sha256}",
        f"b.sf2,unseen,64,{sha256}",
    ]


def test_one_that_has_heard_the_unseen_one_is_warned_of(tmp_path, full_params, capsys):
    settings = replace(full_params.soundfonts, train=("sf_GMbank.sf2",), valid=())
    soundfonts.write(tmp_path / "soundfonts.csv", settings, ["violin"])
    assert capsys.readouterr().err.startswith("warning: sf_GMbank.sf2: plays violin with notes that TimGM6mb.sf2 has")
