"""Archives as datasets come in: zip and tar, packed in three ways."""

from __future__ import annotations

import functools
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path
from random import Random

from tests.fuzz import mutations
from tests.fuzz.harness import Format

_FILES = {f"set/{name}": bytes(range(256)) * size for name, size in (("a.txt", 1), ("in/b.bin", 40), ("in/ü.bin", 9))}
_MOST = 50 << 20  # bytes, of what kilobytes may unpack to


@functools.cache
def seeds() -> dict[str, bytes]:
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, content in _FILES.items():
            kind = zipfile.ZIP_DEFLATED if "b" in name else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    with tarfile.open(fileobj=tarred, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in _FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.pax_headers = {"comment": "by a test"}
            archive.addfile(member, io.BytesIO(content))
    plain = tarred.getvalue()
    return {
        "set.zip": zipped.getvalue(),
        "set.tar": plain,
        "set.tar.gz": gzip.compress(plain, mtime=0),
        "set.tar.xz": lzma.compress(plain),
    }


def _damaged(random: Random, data: bytes) -> bytes:
    """Damage the archive, or what is packed in it, packed whole again."""
    for magic, unpacked, packed in (
        (b"\x1f\x8b", gzip.decompress, functools.partial(gzip.compress, mtime=0)),
        (b"\xfd7zXZ", lzma.decompress, lzma.compress),
    ):
        if data.startswith(magic) and random.random() < 0.5:
            return packed(mutations.binary(random, unpacked(data)))
    return mutations.binary(random, data)


def _read(path: Path, before: bytes, random: Random) -> None:
    from instrec.corpus.published import unpacking

    names = {name.removeprefix("set/") for name in _FILES}
    unpacking.unpack(path, Path("out"), corpus="fuzz", strip="set", names=names)
    size = sum(each.stat().st_size for each in Path("out").rglob("*") if each.is_file())
    assert size <= _MOST, f"unpacked to {size} bytes"
    if path.suffix == ".zip":  # whose files have checksums
        for name, content in _FILES.items():
            file = Path("out") / name.removeprefix("set/")
            assert not file.exists() or file.read_bytes() == content, f"{file}: another content, and nothing told"


ARCHIVE = Format(70, seeds, _damaged, _read, ("instrec.corpus.published.unpacking",), makes="out")
