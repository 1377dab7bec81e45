"""Files of the miniatures of datasets: synthetic sounds, tables, archives, and mirdata's indexes."""

import csv
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from instrec.corpus.published.mirdata_loader import Remote
from instrec.util import seeding

RATE = 11025
Files = dict[str, bytes]  # path within a folder or an archive -> content


def sound(label: str, seed: str, seconds: float, kind: str = "WAV") -> bytes:
    """Return an audio file with a few notes whose overtones are the label's own."""
    timbre, rng = seeding.generator(0, label), seeding.generator(0, label, seed)
    overtones, decay = timbre.uniform(0, 1, 8) / np.arange(1, 9), timbre.uniform(0, 6)
    notes = []
    for _ in range(max(1, round(2 * seconds))):
        time = np.arange(round(seconds * RATE / max(1, round(2 * seconds)))) / RATE
        hertz = 110 * 2 ** (rng.integers(0, 25) / 12) * np.arange(1, 9)
        notes.append(np.sin(2 * np.pi * np.outer(time, hertz)) @ overtones * np.exp(-decay * time))
    return encoded(0.5 * np.concatenate(notes) / overtones.sum(), kind)


def encoded(y: npt.NDArray[np.float64], kind: str) -> bytes:
    """Return a mono signal as an audio file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, y, RATE, format=kind)
    return buffer.getvalue()


def mixed(labels: Iterable[str], seed: str, seconds: float, kind: str = "WAV") -> bytes:
    """Return an audio file in which several labels sound at once."""
    parts = [soundfile.read(io.BytesIO(sound(label, seed, seconds)))[0] for label in labels]
    return encoded(np.mean(parts, axis=0), kind)


def put(path: Path, content: bytes) -> None:
    """Write a file and the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def served(folder: Path, name: str, content: bytes, destination: str = "") -> Remote:
    """Write what a server gives; its address is its name, to be put behind the server's own."""
    put(folder / name, content)
    return Remote(name, name, hashlib.md5(content).hexdigest(), destination)


def indexed(
    folder: Path, name: str, tracks: Mapping[str, Mapping[str, str | None]], files: Files, version: str = "miniature"
) -> Remote:
    """Write mirdata's index of a dataset: path and checksum of each track's files, None twice for one it lacks."""
    checksums = {None: None, **{path: hashlib.md5(content).hexdigest() for path, content in files.items()}}
    listed = {key: {kind: [path, checksums[path]] for kind, path in track.items()} for key, track in tracks.items()}
    return served(folder, name, json.dumps({"version": version, "tracks": listed}).encode())


class OldInfo(zipfile.ZipInfo):
    """A file in a zip archive as old archivers wrote it: its name in a code page, without saying which."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # zipfile has no open way to it
        return self.filename.encode("cp1252"), self.flag_bits & ~0x800


def zipped(folder: Path, name: str, files: Files, info: type[zipfile.ZipInfo] = zipfile.ZipInfo) -> Remote:
    """Write a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            archive.writestr(info(path), content)
    return served(folder, name, buffer.getvalue())


def tarred(folder: Path, name: str, files: Files, destination: str = "") -> Remote:
    """Write a gzipped tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return served(folder, name, buffer.getvalue(), destination)


def as_csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """Return a table as CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([list(columns), *(list(row) for row in rows)])
    return buffer.getvalue().encode()
