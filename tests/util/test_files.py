"""A file is there whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from instrec.errors import UserError
from instrec.util.files import below, temporary_folder, written_whole
from tests.refusals import refused


def test_it_appears_when_the_block_ends_well(tmp_path):
    path = tmp_path / "new/folder/a.txt"
    with written_whole(path) as part:
        part.write_text("new")
        assert not path.exists()
        assert part.parent == path.parent
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("broken_off_by", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_older_one_stays_when_the_block_breaks_off(tmp_path, broken_off_by):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(broken_off_by), written_whole(path) as part:
        part.write_text("half")
        raise broken_off_by
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_never_share_a_part(tmp_path):
    path = tmp_path / "a.txt"
    with written_whole(path) as first:
        first.write_text("first")
        with written_whole(path) as second:
            second.write_text("second")
            assert first != second
            assert first.match(".a.txt.*.part")  # git and DVC ignore *.part
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, signal, sys
from pathlib import Path
from instrec.util.files import written_whole

with written_whole(Path(sys.argv[1])) as part:
    part.write_text("half")
    part.with_suffix(".raw.keras").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_and_what_others_write_stays(tmp_path):
    path, own = tmp_path / "a.txt", tmp_path / f".b.txt.{os.getppid()}-0123abcd.part"
    own.write_text("of a process that runs")
    assert subprocess.run([sys.executable, "-c", KILLED, path]).returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 3
    with written_whole(path) as part:
        part.write_text("new")
    assert set(tmp_path.iterdir()) == {path, own}
    assert path.read_text() == "new"


@pytest.mark.parametrize("name", ["n" * 255, "\u97f3" * 85])
def test_a_name_may_be_as_long_as_the_system_takes(tmp_path, name):
    with written_whole(tmp_path / name) as part:
        part.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_parent_that_is_a_file_is_the_users_to_mend(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file/a.txt", tmp_path / "file/deeper/a.txt"):
        with refused("file-unwritable", path), written_whole(path) as part:
            part.write_text("x")


def test_a_folder_in_its_place_is_the_users_to_mend(tmp_path):
    (tmp_path / "a.txt").mkdir()
    reason = os.strerror(errno.EISDIR)
    with refused("file-unwritable", tmp_path / "a.txt", reason), written_whole(tmp_path / "a.txt") as part:
        part.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_the_users_to_mend(tmp_path):
    """/dev/full refuses every byte, as a full disk does."""
    reason = os.strerror(errno.ENOSPC)
    with refused("file-unwritable", tmp_path / "a.txt", reason), written_whole(tmp_path / "a.txt") as part:
        part.symlink_to("/dev/full")
        part.write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_is_not_the_systems_passes(tmp_path):
    with pytest.raises(OSError, match="a library's own") as raised, written_whole(tmp_path / "a.txt"):
        raise OSError("a library's own")
    assert not isinstance(raised.value, UserError)


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_what_names_no_file_is_told(name):
    with refused("not-a-file", Path(name)), written_whole(Path(name)):
        pass


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with refused("not-a-file", tmp_path / "pipe"), written_whole(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_folders_may_be_links(tmp_path):
    (tmp_path / "disk/deep").mkdir(parents=True)
    (tmp_path / "disk/deep/a.wav").touch()
    (tmp_path / "set").mkdir()
    (tmp_path / "set/flute").symlink_to(tmp_path / "disk")
    (tmp_path / "set/flute/deep/loop").symlink_to(tmp_path / "set")
    found = [path for path in below(tmp_path / "set", pytest.fail) if path.is_file()]
    assert found == [tmp_path / "set/flute/deep/a.wav"]


def test_a_full_disk_for_temporary_files_is_told_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        refused("temporary-folder-full", f"TMPDIR={tmp_path}", os.strerror(errno.ENOSPC)),
        temporary_folder() as folder,
    ):
        (folder / "a.txt").symlink_to("/dev/full")
        (folder / "a.txt").write_text("x")
    assert list(tmp_path.iterdir()) == []
