"""Sound libraries fetched by git, real repositories on this disk, and what stage download makes of them."""

import json
import logging
import subprocess
from typing import Any

import numpy as np
import pytest

from instrec.synthesis.soundfonts import catalog, libraries, sf2_reader
from instrec.synthesis.soundfonts.sf2_writer import Note, write
from tests.refusals import refused
from tests.synthesis.soundfonts.test_recorded_notes import recorded
from tests.synthesis.soundfonts.test_sf2_writer import RATE, played, strongest_hz, tone

URL = "https://nowhere.invalid/notes"


def git(folder, *arguments):
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """A library with a note in each of the three forms."""
    folder = tmp_path_factory.mktemp("upstream")
    write(folder / "bank/040.sf2", "violin", {(0, 40): [Note(tone(440), RATE, 69.0, (0, 127))]})
    recorded(folder / "Samples/sax.wav", 69)
    recorded(folder / "voice/aa_A4.wav", 69)
    (folder / "sax.sfz").write_text("<region> sample=Samples\\sax.wav pitch_keycenter=57")
    git(folder, "init", "--quiet")
    for key in ("allowFilter", "allowAnySHA1InWant"):
        git(folder, "config", f"uploadpack.{key}", "true")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "notes")
    return folder


@pytest.fixture
def entry(upstream, tmp_path, monkeypatch):
    """Write libraries.yaml in a folder of its own, with what stands for all forms; git is pointed to the mirror."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in {
        "COUNT": "1",
        "KEY_0": f"url.{upstream}.insteadOf",
        "VALUE_0": URL,
    }.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)

    def written(commit=None, **changes):
        commit = commit or git(upstream, "rev-parse", "HEAD")
        forms: list[dict[str, Any]] = [
            {"programs": [40], "soundfont": "bank/{program:03}.sf2"},
            {"programs": [64, 65], "sfz": "sax.sfz", "samples": "sax", "transpose": 12},
            {"programs": [53], "notes": r"voice/aa_(?P<note>\w+)\.wav", "files": ["/voice"]},
        ]
        repository = {"url": URL, "commit": commit, "license": "CC0", "holder": "Nobody"}
        tree = {
            "repositories": {"notes": repository},
            "soundfonts": {"Own.sf2": [{"repository": "notes"} | form | changes for form in forms]},
        }
        (tmp_path / "libraries.yaml").write_text(json.dumps(tree))
        libraries._catalog.cache_clear()

    yield written
    libraries._catalog.cache_clear()


def test_all_three_forms_sound_in_one_soundfont(entry, caplog):
    caplog.set_level(logging.INFO)
    entry()
    path = catalog.find("Own.sf2", [])
    catalog.verify(path)
    assert sf2_reader.read(path).programs == {40, 53, 64, 65}
    for program in (40, 53, 64, 65):
        assert strongest_hz(played(path, program, 72, 0.5)) == pytest.approx(523.25, rel=0.01)
    assert "CC0, Nobody" in caplog.text


def test_it_is_made_once_and_again_when_its_entry_changes(entry):
    entry()
    first = libraries.find("Own.sf2")
    before = first.stat().st_mtime_ns
    assert libraries.find("Own.sf2").stat().st_mtime_ns == before
    entry(release_seconds=3.0)
    assert libraries.find("Own.sf2") != first


def test_it_is_the_same_to_the_byte_wherever_it_is_made(entry, tmp_path, monkeypatch):
    entry()
    first = libraries.find("Own.sf2").read_bytes()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert libraries.find("Own.sf2").read_bytes() == first


@pytest.mark.parametrize(
    ("changes", "code", "subject", "named"),
    [
        ({"repository": "other"}, "value-unknown", "libraries.yaml: Own.sf2", "other"),
        ({"samples": "nothing"}, "notes-missing", "libraries.yaml: notes", "nothing"),
        ({"programs": [129]}, "value-invalid", "libraries.yaml: soundfonts.Own.sf2.programs", "128"),
        ({"sfz": "sax.sfz", "soundfont": "b.sf2"}, "value-invalid", "libraries.yaml: Own.sf2", "soundfont, sfz"),
        ({"program": [1]}, "key-unknown", "libraries.yaml: soundfonts.Own.sf2.program", "programs"),
        ({"commit": "0" * 40}, "download-failed", URL, "0" * 40),
        ({"commit": "main"}, "value-invalid", "libraries.yaml: repositories.notes.commit", "main"),
    ],
)
def test_a_wrong_entry_is_told(entry, changes, code, subject, named):
    entry(**changes)
    with refused(code, subject, named):
        catalog.find("Own.sf2", [])


@pytest.mark.parametrize(
    ("source", "subject"),
    [
        ({"url": URL}, "notes"),
        ({"url": URL, "commit": "0" * 40, "package": "notes@1.0.0"}, "notes"),
        ({"commit": "0" * 40, "package": "notes@1.0.0"}, "notes"),
        ({"package": "notes", "integrity": "sha512-" + "A" * 86 + "=="}, "repositories.notes.package"),
        ({"package": "notes@1.0.0", "integrity": "md5-A"}, "repositories.notes.integrity"),
    ],
)
def test_a_repository_that_is_not_pinned_is_told(entry, tmp_path, source, subject):
    entry()
    tree = json.loads((tmp_path / "libraries.yaml").read_text())
    tree["repositories"]["notes"] = {"license": "CC0", "holder": "Nobody"} | source
    (tmp_path / "libraries.yaml").write_text(json.dumps(tree))
    libraries._catalog.cache_clear()
    with refused("value-invalid", f"libraries.yaml: {subject}"):
        libraries.catalog()


def test_without_a_network_what_was_fetched_before_still_serves(entry, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    entry()
    with refused("download-failed", URL):
        libraries.find("Own.sf2")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    made = libraries.find("Own.sf2")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    assert libraries.find("Own.sf2") == made


def test_without_a_catalog_nothing_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    libraries._catalog.cache_clear()
    with refused("soundfont-missing", "Own.sf2", tmp_path):
        catalog.find("Own.sf2", [str(tmp_path)])
    libraries._catalog.cache_clear()


def test_the_catalog_of_this_repository_is_whole(repository, monkeypatch):
    monkeypatch.chdir(repository)
    libraries._catalog.cache_clear()
    read = libraries.catalog()
    assert len(read.soundfonts) >= 8
    assert {each.repository for font in read.soundfonts.values() for each in font} == set(read.repositories)
    assert np.all([len(each.license) > 2 and each.holder for each in read.repositories.values()])
    libraries._catalog.cache_clear()


def test_each_working_directory_has_a_catalog_of_its_own(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not libraries.catalog().soundfonts
    monkeypatch.chdir(repository)
    assert libraries.catalog().soundfonts
