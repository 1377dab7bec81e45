"""Detect cut-off audio files by their container: claimed sizes of chunks, or the last page of Ogg."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

_SLACK = 256  # bytes; some writers count the header into the size of what follows
_UNKNOWN = 0x7FFF0000  # and above: what is written into 32 bits where the length is not known yet
_MOST_CHUNKS = 100_000  # looked at: a fragmented MP4 of a day has fewer
_OGG_PAGE = 65_307  # bytes, the longest


class _Layout(NamedTuple):
    """The chunks of a format: offset of the first, names and sizes, which may include the header, and padding."""

    first: int
    header: str
    size_counts_header: bool = False
    padding: int = 1


_RIFF = _Layout(12, "<4sI", padding=2)
_LAYOUTS = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"riff": _Layout(40, "<4s12xQ", size_counts_header=True, padding=8),  # Wave64
    b"caff": _Layout(8, ">4sQ"),
    b"\x30\x26\xb2\x75": _Layout(0, "<4s12xQ", size_counts_header=True),  # ASF
}
_SOUND = {b"data", b"\x36\x26\xb2\x75"}  # names of the chunk that holds it, the last is ASF's
_BOXES = {b"mdat", b"moov", b"moof"}  # of MP4; anything else behind the last box is what players ignore
_COUNTING = (b"fLaC", b"FORM", b".snd", b"wvpk")


def is_whole(file: BinaryIO, size: int) -> bool | None:
    """Return whether a file is complete, without decoding it.

    Parameters
    ----------
    file : at any position; it is moved.
    size : of the file in bytes.

    Returns
    -------
    bool or None
        None if its header counts the samples, so that decoding must decide: FLAC, WavPack, AIFF, AU, and MP3 with a
        Xing or VBRI header. A file without a claimed length counts as complete.
    """
    start = _behind_tags(file)
    head = _at(file, start, 256)
    with suppress(struct.error):  # what it claims is behind its end, as where it ends within a header
        if head[:4] in _LAYOUTS:
            return _chunks_fit(file, size, _LAYOUTS[head[:4]])
        if head[4:8] in _BOXES | {b"ftyp", b"wide", b"free", b"skip"}:
            return _boxes_fit(file, size)
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return _segment_fits(head, size)
    if head[:4] == b"OggS":
        return _last_page_ends(file, size)
    return None if head[:4] in _COUNTING or _counts_frames(head) else True


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)


def _behind_tags(file: BinaryIO) -> int:
    """Return the end of ID3 tags, mostly at the start of MP3."""
    start = 0
    for _ in range(16):
        tag = _at(file, start, 10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            break
        start += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
    return start


def _counts_frames(head: bytes) -> bool:
    """Return whether the first frame of an MP3 file holds the number of frames."""
    xing = max(head.find(b"Xing"), head.find(b"Info"))
    return b"VBRI" in head or (xing >= 0 and bool(head[xing + 7 : xing + 8] and head[xing + 7] & 1))


def _chunks_fit(file: BinaryIO, size: int, layout: _Layout) -> bool:
    long = None  # the size of the sound in RF64, which 32 bits cannot hold
    for name, start, length in _chunks(file, size, layout):
        if name == b"ds64":
            long = struct.unpack("<8xQ", _at(file, start, 16))[0]
        if name in _SOUND:
            if layout is _RIFF and length >= _UNKNOWN:
                length = long or 0
            return start + length <= size + _SLACK or length >= 2**62  # CAF's -1: not known
    return True


def _chunks(file: BinaryIO, size: int, layout: _Layout) -> Iterator[tuple[bytes, int, int]]:
    """Return name, start and length of the content of each chunk."""
    header = struct.Struct(layout.header)
    position = layout.first
    for _ in range(_MOST_CHUNKS):
        if position + header.size > size:
            return
        name, length = header.unpack(_at(file, position, header.size))
        start = position + header.size
        length -= header.size if layout.size_counts_header else 0
        yield name, start, max(0, length)
        position = start + -(-max(0, length) // layout.padding) * layout.padding


def _boxes_fit(file: BinaryIO, size: int) -> bool:
    position = 0
    for _ in range(_MOST_CHUNKS):
        if position + 8 > size:
            break
        length, name = struct.unpack(">I4s", _at(file, position, 8))
        if length == 1:
            (length,) = struct.unpack(">8xQ", _at(file, position, 16))
        if name in _BOXES and position + length > size:
            return False
        if length < 8:  # 0: up to the end of the file
            break
        position += length
    return True


def _segment_fits(head: bytes, size: int) -> bool:
    """Return whether the segment of a Matroska file ends within the file."""
    position, length, _ = _element(head, 4)
    position += length
    if head[position : position + 4] != b"\x18\x53\x80\x67":
        return True
    start, length, known = _element(head, position + 4)
    return not known or start + length <= size


def _element(head: bytes, position: int) -> tuple[int, int, bool]:
    """Return start and length of the content of an element, and whether the length, at `position`, is known."""
    (first,) = struct.unpack_from(">B", head, position)
    count = 9 - first.bit_length()
    mask = (1 << 7 * count) - 1
    length = int.from_bytes(head[position : position + count]) & mask
    return position + count, length, length != mask


def _last_page_ends(file: BinaryIO, size: int) -> bool:
    """Return whether the last page of an Ogg file is complete and marked as the end of its stream."""
    begin = max(0, size - 2 * _OGG_PAGE)
    tail = _at(file, begin, 2 * _OGG_PAGE)
    at = tail.rfind(b"OggS\0")
    if at < 0 or at + 27 > len(tail):
        return False
    table = tail[at + 27 : at + 27 + tail[at + 26]]
    whole = len(table) == tail[at + 26] and at + 27 + len(table) + sum(table) <= len(tail)
    return whole and bool(tail[at + 5] & 4)
