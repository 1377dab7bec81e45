"""HDF5 files on a disk that fills up, in processes of their own, as HDF5 used to end them by SIGSEGV."""

import os
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from instrec.util import hdf5_file

ROWS = 60
WRITE = f"""
import os, resource, signal, sys
from pathlib import Path
import numpy as np
from instrec import errors
from instrec.util import hdf5

limit, interrupted = map(int, sys.argv[2:])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
if interrupted:  # in the middle of HDF5's own work
    from instrec.util import hdf5_file
    whole, calls = hdf5_file._Sink.write, []
    def write(sink, content):
        calls.append(1)
        if len(calls) == interrupted:
            os.kill(os.getpid(), signal.SIGINT)
        return whole(sink, content)
    hdf5_file._Sink.write = write

def main():
    rows = np.random.default_rng(0).integers(-9999, 9999, ({ROWS}, 5000)).astype(np.int16)
    ids = [str(number) for number in range({ROWS})]
    about = dict(ids=ids, labels=np.zeros(({ROWS}, 2), np.uint8), classes=("flute", "piano"))
    with hdf5.create(Path(sys.argv[1]), name="audio", shape=(5000,), dtype=np.int16, **about) as writer:
        for first in range(0, {ROWS}, 16):
            writer.append(rows[first : first + 16])

sys.exit(errors.run(main))
"""


def written(path, *, limit=2**40, interrupted=0):
    arguments = [sys.executable, "-c", WRITE, str(path), str(limit), str(interrupted)]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)


def ended(processes):
    return [(process.communicate()[1], process.returncode) for process in processes]


def test_a_disk_that_fills_up_anywhere_is_one_line_and_exit_code_2(tmp_path):
    [whole] = ended([written(tmp_path / "whole.h5")])
    assert whole == ("", 0)
    size = (tmp_path / "whole.h5").stat().st_size
    limits = np.unique(np.geomspace(1, size - 1, 10, dtype=int)).tolist()
    paths = [tmp_path / str(limit) / "train.h5" for limit in limits]
    for path, (said, code) in zip(paths, ended(map(written_to, paths)), strict=True):
        assert code == 2, (path, said)
        assert said.count("\n") == 1
        assert f"{path}: cannot be written" in said
        assert list(path.parent.iterdir()) == []


def written_to(path):
    return written(path, limit=int(path.parent.name))


def test_ctrl_c_inside_of_hdf5_leaves_nothing_behind(tmp_path):
    for number, (said, code) in enumerate(ended(written(tmp_path / "a.h5", interrupted=each) for each in (1, 2, 30))):
        assert (code, said.count("\n"), list(tmp_path.iterdir())) == (130, 1, []), (number, said)


def test_the_same_content_gives_the_same_bytes_at_another_time(tmp_path):
    for name in ("one.h5", "two.h5"):
        with hdf5_file.created(tmp_path / name) as (file, _):
            file["numbers"] = np.arange(100)
            hdf5_file.set_attributes(file, {"name": "numbers", "rate": 22050})
        time.sleep(1.1)  # HDF5's clock knows seconds
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_what_a_full_device_says_is_raised(tmp_path):
    (tmp_path / "a.h5").symlink_to("/dev/full")
    with pytest.raises(OSError, match=os.strerror(28)), hdf5_file.created(tmp_path / "a.h5") as (file, _):
        file["numbers"] = np.arange(100)


def group(file):
    file.create_group("numbers")


def scalar(file):
    file["numbers"] = 3


def null(file):
    file["numbers"] = h5py.Empty("i8")


def texts(file):
    file["numbers"] = ["a", "b"]


def table(file):
    file["numbers"] = np.zeros(3, dtype=[("a", int), ("b", float)])


def time_of_day(file):
    kind = h5py.h5t.UNIX_D32LE
    h5py.h5d.create(file.id, b"numbers", kind, h5py.h5s.create_simple((3,)))


def endless(file):
    file.create_dataset("numbers", shape=(2**40, 2**20), dtype="i8")


def overflowing(file):
    file.create_dataset("numbers", shape=(2**61, 2**61), chunks=(1, 1), dtype="i8")


@pytest.mark.parametrize("content", [group, scalar, null, texts, table, time_of_day, endless, overflowing, len])
def test_what_is_no_array_of_numbers_is_refused_before_it_is_read(tmp_path, content):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        content(file)
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises((ValueError, TypeError)):
        hdf5_file.array(file, "numbers", "i", 2)


@pytest.mark.parametrize("value", ["of any length", [1, 2], h5py.Empty("i8"), np.void(b"12")])
def test_an_attribute_of_another_kind_is_refused(tmp_path, value):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["about"] = value
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises(ValueError, match="attribute about"):
        hdf5_file.attributes(file)
