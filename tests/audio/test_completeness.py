"""Files that were cut off are known as such, in every format; whole ones are not taken for it, however made."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from instrec.audio import decoding
from tests.av_files import cut, encode

RATE = 44100
SECONDS = 6.0
TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(SECONDS * RATE)) / RATE)
TONE += 0.05 * np.random.default_rng(0).standard_normal(len(TONE))
ENCODED: dict[str, dict[str, Any]] = {
    "pcm.wav": {"codec": "pcm_s16le"},
    "float.wav": {"codec": "pcm_f32le"},
    "adpcm.wav": {"codec": "adpcm_ima_wav"},
    "mp3.wav": {"codec": "libmp3lame"},
    "a.w64": {"codec": "pcm_s16le"},
    "a.flac": {"codec": "flac"},
    "flac.ogg": {"codec": "flac"},
    "a.opus": {"codec": "libopus", "rate": 48000},
    "a.mp3": {"codec": "libmp3lame"},
    "a.aiff": {"codec": "pcm_s16be"},
    "a.au": {"codec": "pcm_s16be"},
    "a.caf": {"codec": "pcm_s16le"},
    "a.wv": {"codec": "wavpack"},
    "fast.m4a": {"codec": "aac", "form": "ipod", "movflags": "faststart"},
    "alac.m4a": {"codec": "alac", "form": "ipod", "movflags": "faststart"},
    "fragments.mp4": {
        "codec": "aac",
        "form": "mp4",
        "movflags": "frag_keyframe+empty_moov",
        "frag_duration": "1000000",
    },
    "a.wma": {"codec": "wmav2", "form": "asf"},
    "a.webm": {"codec": "libopus", "rate": 48000},
    "a.mka": {"codec": "flac"},
}
WRITTEN = [
    *("wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "rf64"),
]


def facts(path: Path) -> decoding.Facts:
    found = decoding.Facts()
    for _ in decoding.blocks(path, 8000, facts=found):
        pass
    return found


def encoded(folder: Path, name: str) -> Path:
    return encode(
        folder / name, ENCODED[name]["codec"], TONE, **{k: v for k, v in ENCODED[name].items() if k != "codec"}
    )


@pytest.mark.parametrize("name", ENCODED)
def test_a_file_is_complete_until_it_is_cut_off(tmp_path, name):
    path = encoded(tmp_path, name)
    whole = facts(path)
    assert whole.complete
    held = facts(cut(path))
    assert not held.complete
    assert 0.3 < held.seconds / whole.seconds < 0.8


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "fast.m4a", "a.wv", "a.mka", "float.wav"])
def test_what_a_file_claims_is_known_where_it_says_so(tmp_path, name):
    held = facts(cut(encoded(tmp_path, name)))
    assert held.claims_more
    assert held.claimed_seconds == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_what_libsndfile_writes_is_complete_until_it_is_cut_off(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, TONE, RATE, format="RF64" if suffix == "rf64" else None)
    assert facts(path).complete
    assert not facts(cut(path)).complete


def test_formats_that_claim_nothing_are_complete(tmp_path):
    assert facts(encode(tmp_path / "a.aac", "aac", TONE, form="adts")).complete
    assert facts(encode(tmp_path / "a.mp3", "libmp3lame", TONE, write_xing="0")).complete


def test_mp3_of_a_changing_bit_rate_without_a_header_is_complete(tmp_path):
    """FFmpeg takes the length of such a file from the bit rate of its beginning."""
    kinds = {0: 0.9, 1: 0.0}  # the worst quality is the lowest bit rate
    parts = []
    for number, worse in kinds.items():
        path = tmp_path / f"{number}.mp3"
        soundfile.write(path, TONE, RATE, bitrate_mode="CONSTANT", compression_level=worse)
        content = path.read_bytes()
        parts.append(content[content.index(b"\xff\xfb", 100) :])
    assert len(parts[1]) > 2 * len(parts[0])
    (tmp_path / "both.mp3").write_bytes(b"".join(parts))
    found = facts(tmp_path / "both.mp3")
    assert found.complete
    assert found.claims_more


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "flac.ogg", "pcm.wav", "fast.m4a"])
@pytest.mark.parametrize(
    "behind", [b"TAG" + b"x" * 125, b"APETAGEX" + bytes(500), bytes(1000)], ids=["ID3v1", "APE", "0"]
)
def test_tags_behind_the_end_take_nothing_away(tmp_path, name, behind):
    path = encoded(tmp_path, name)
    path.write_bytes(path.read_bytes() + behind)
    assert facts(path).complete


@pytest.mark.parametrize("name", ["a.mp3", "a.flac"])
def test_tags_in_front_hide_nothing(tmp_path, name):
    path = encoded(tmp_path, name)
    content = path.read_bytes()
    start = content.index(b"\xff\xfb") if name == "a.mp3" else 0
    path.write_bytes(b"ID3\3\0\0\0\0\x02\x00" + bytes(256) + content[start:])
    assert facts(path).complete
    assert not facts(cut(path)).complete


def test_chained_ogg_ends_with_its_last_part(tmp_path):
    for name, seconds in (("1.ogg", 3), ("2.ogg", 4)):
        soundfile.write(tmp_path / name, TONE[: seconds * RATE], RATE)
    both = tmp_path / "both.ogg"
    both.write_bytes((tmp_path / "1.ogg").read_bytes() + (tmp_path / "2.ogg").read_bytes())
    assert facts(both).complete
    assert not facts(cut(both, 0.8)).complete


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF024])
def test_wav_that_was_written_to_a_pipe_claims_nothing(tmp_path, size):
    path = encoded(tmp_path, "pcm.wav")
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    assert facts(path).complete


def test_flac_that_was_written_to_a_pipe_claims_nothing(tmp_path):
    path = encoded(tmp_path, "a.flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # 36 bits behind the rate, channels and bits of STREAMINFO count the samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert facts(path).complete


@pytest.mark.parametrize("name", ENCODED)
def test_any_few_bytes_of_a_file_give_no_traceback(tmp_path, name):
    """Cut within the header, where every field of it ends in turn."""
    from instrec.audio import completeness

    path = encoded(tmp_path, name)
    content = path.read_bytes()
    for count in range(1, 120):
        path.write_bytes(content[:count])
        with path.open("rb") as file:
            assert completeness.is_whole(file, count) in (True, False, None)
