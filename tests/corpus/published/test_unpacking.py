"""Damaged and hostile archives are told in one line, and leave no file that is not whole."""

import bz2
import gzip
import io
import lzma
import random
import signal
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from instrec.corpus.published import unpacking
from instrec.errors import UserError
from tests.refusals import refused

FILES = {f"set/{name}": random.Random(name).randbytes(size) for name, size in (("a", 300), ("b/c", 5000), ("b/ü", 10))}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "zip": bytes,
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}
MUTATIONS = 100  # of each kind


def content(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in FILES.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, data in FILES.items():
                member = tarfile.TarInfo(name)
                member.size, member.pax_headers = len(data), {"comment": "ü" * 50}
                archive.addfile(member, io.BytesIO(data))
    return PACKED[kind](buffer.getvalue())


def unpack(archive: Path, folder: Path, **options) -> dict[str, bytes]:
    unpacking.unpack(archive, folder, corpus="irmas", **options)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mutated(rng: random.Random, data: bytes) -> bytes:
    changed, at = bytearray(data), rng.randrange(len(data))
    kind = rng.randrange(4)
    if kind == 0:
        del changed[at:]
    elif kind == 1:
        del changed[at : at + rng.randrange(1, 600)]
    else:
        for _ in range(1 if kind == 2 else 20):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("kind", PACKED)
def test_a_good_archive_arrives(tmp_path, kind):
    archive = tmp_path / f"a.{kind}"
    archive.write_bytes(content(kind))
    assert unpack(archive, tmp_path / "out") == FILES


@pytest.mark.parametrize("kind", PACKED)
def test_mutated_archives_are_unpacked_or_told(tmp_path, kind):
    def late(*_: object) -> None:
        raise AssertionError("hangs")

    whole, rng = content(kind), random.Random(17)
    signal.signal(signal.SIGALRM, late)
    told = 0
    for number in range(MUTATIONS):
        archive, folder = tmp_path / "a", tmp_path / str(number)
        archive.write_bytes(mutated(rng, whole))
        signal.alarm(5)
        try:
            found = unpack(archive, folder)
        except UserError as error:
            told += 1
            assert error.code in ("archive-damaged", "archive-refused")
            assert error.subject == f"irmas: {archive}"
            assert "\n" not in str(error)
        else:
            # Plain tar has no checksums of content, nor zip of its entries' flags and dates.
            assert kind == "tar" or sorted(found.values()) == sorted(FILES.values())
        finally:
            signal.alarm(0)
        assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]
    assert told > MUTATIONS / 3


def test_a_tar_archive_that_ends_between_two_files_is_told(tmp_path):
    whole = content("tar")
    (tmp_path / "a").write_bytes(whole[: whole.index(b"set/b/c") // 512 * 512 - 1024])
    with refused("archive-damaged", f"irmas: {tmp_path}/a"):
        unpack(tmp_path / "a", tmp_path / "out")


def with_member(path: Path, name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.type = size, kind
        archive.addfile(member, io.BytesIO(bytes(size)))
    return path


@pytest.mark.parametrize("name", ["", ".", "./", "a" * 3000])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with refused("archive-refused", f"irmas: {tmp_path}/a.tar.gz"):
        assert unpack(with_member(tmp_path / "a.tar.gz", name, 1), tmp_path / "out") != {}
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").rglob("*"))


def test_bombs_are_refused(tmp_path):
    bomb = with_member(tmp_path / "bomb.tar.gz", "a", 50_000_000)
    with refused("archive-refused", f"irmas: {bomb}"):
        unpack(bomb, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(50_000_000))
    with refused("archive-refused", f"irmas: {tmp_path}/bomb.zip"):
        unpack(tmp_path / "bomb.zip", tmp_path / "out")
    (tmp_path / "a.zip").write_bytes(content("zip"))
    with refused("archive-refused", f"irmas: {tmp_path}/a.zip"):
        unpack(tmp_path / "a.zip", tmp_path / "out", largest=1000)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.stat().st_size > 10_000]


def test_attributes_that_would_fill_the_memory_are_refused(tmp_path):
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 33
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT)))
    with refused("archive-refused", f"irmas: {archive}"):
        unpack(archive, tmp_path / "out")


def test_an_encrypted_or_unknown_kind_of_zip_is_told(tmp_path):
    for offset, value in ((6, 1), (8, 99)):  # flags, compression
        whole = bytearray(content("zip"))
        for start, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
            whole[whole.index(start) + offset + shift] = value
        (tmp_path / "a.zip").write_bytes(whole)
        with refused("archive-damaged", f"irmas: {tmp_path}/a.zip"):
            unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_wrong_checksum_at_the_end_of_gzip_is_told(tmp_path):
    whole = bytearray(content("tar.gz"))
    whole[-8:-4] = zlib.crc32(b"other").to_bytes(4, "little")
    (tmp_path / "a").write_bytes(whole)
    with refused("archive-damaged", f"irmas: {tmp_path}/a", "CRC"):
        unpack(tmp_path / "a", tmp_path / "out")


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path):
    (tmp_path / "a.zip").write_bytes(content("zip"))
    (tmp_path / "out/set/a").mkdir(parents=True)
    with refused("folder-in-the-way", f"irmas: {tmp_path}/out/set/a", tmp_path / "a.zip"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    with refused("archive-refused", f"irmas: {tmp_path}/out"):
        unpack(tmp_path / "out", tmp_path / "new")
