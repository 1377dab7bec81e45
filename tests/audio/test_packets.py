"""Disks that fail, files with several tracks, and headers that claim what would take forever."""

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from instrec.audio import completeness, decoding, packets
from tests.av_files import encode, fail_from_now_on
from tests.refusals import refused

RATE = 22050


def noise(seconds: float, level: float = 0.3, rate: int = RATE) -> np.ndarray:
    return level * np.random.default_rng(1).uniform(-1, 1, round(seconds * rate))


def tone(hz: float, seconds: float, rate: int = RATE) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def pitch(y: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(y)).argmax() * RATE / len(y))


# ---- read errors


@pytest.fixture
def failing(monkeypatch) -> None:
    """Files fail after 5 seconds of them were decoded."""
    whole = packets.decoded

    def until_it_fails(path, start, **options):
        for number, piece in enumerate(whole(path, start, **options)):
            yield piece
            if number == 5:
                fail_from_now_on(path)

    monkeypatch.setattr(decoding, "decoded", until_it_fails)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "m4a", "mka", "wv"])
@pytest.mark.parametrize(
    "read",
    [lambda path: list(decoding.blocks(path, RATE)), lambda path: decoding.load(path, 8000), decoding.length_and_peak],
)
def test_a_read_error_in_the_middle_is_told(tmp_path, failing, suffix, read):
    path, codec = tmp_path / f"long.{suffix}", {"m4a": "aac", "mka": "flac", "wv": "wavpack"}.get(suffix)
    y = noise(60)
    if codec:
        encode(path, codec, y, rate=RATE)
    else:
        soundfile.write(path, y, RATE)
    with refused("file-unreadable", path, "input/output error") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_read_error_behind_what_is_asked_for_matters_not(tmp_path, failing):
    soundfile.write(tmp_path / "long.wav", noise(60), RATE)
    assert len(decoding.load(tmp_path / "long.wav", RATE, onset=2, seconds=1)) == RATE


def test_a_read_error_at_the_beginning_is_told(tmp_path, monkeypatch):
    path = tmp_path / "long.wav"
    soundfile.write(path, noise(3), RATE)

    def is_whole(file, size):
        fail_from_now_on(path)

    monkeypatch.setattr(completeness, "is_whole", is_whole)
    with refused("file-unreadable", path, "input/output error"):
        decoding.load(path, RATE)


def test_nothing_stays_open(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(3), RATE)
    (tmp_path / "text.wav").write_text("no audio\n" * 40)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        decoding.load(tmp_path / "a.wav", RATE, seconds=1)
        with refused("audio-undecodable", tmp_path / "text.wav"):
            decoding.load(tmp_path / "text.wav", RATE)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# ---- tracks


SILENT, LOW, HIGH = np.zeros(3 * RATE), tone(400, 3), tone(2000, 3)


def tracks(folder: Path, *tracks: np.ndarray, default: int = 0, suffix: str = "mka") -> Path:
    codec = {"mka": "flac", "m4a": "aac"}[suffix]
    return encode(folder / f"tracks.{suffix}", codec, *tracks, rate=RATE, default=default)


@pytest.mark.parametrize("suffix", ["mka", "m4a"])
@pytest.mark.parametrize(
    ("given", "default", "chosen"),
    [
        ((LOW, HIGH), 0, 1),
        ((LOW, HIGH), 1, 2),
        ((SILENT, HIGH), 0, 2),
        ((SILENT, SILENT, HIGH), 1, 3),
        ((LOW, SILENT, HIGH), 1, 1),
        ((SILENT, SILENT), 1, 2),
    ],
)
def test_the_default_track_or_the_first_that_sounds(tmp_path, suffix, given, default, chosen):
    path, facts = tracks(tmp_path, *given, default=default, suffix=suffix), decoding.Facts()
    (y,) = decoding.blocks(path, RATE, facts=facts)
    assert (facts.track, facts.tracks, facts.asked, facts.complete) == (chosen, len(given), False, True)
    if given[chosen - 1].any():
        assert pitch(y) == pytest.approx(pitch(given[chosen - 1]), abs=5)
    np.testing.assert_array_equal(decoding.load(path, RATE), y)


@pytest.mark.parametrize("track", [1, 2])
def test_a_track_can_be_named(tmp_path, track):
    facts = decoding.Facts()
    (y,) = decoding.blocks(tracks(tmp_path, LOW, HIGH), RATE, track=track, facts=facts)
    assert (facts.track, facts.asked) == (track, True)
    assert pitch(y) == pytest.approx((400, 2000)[track - 1], abs=5)


@pytest.mark.parametrize("track", [0, 3])
def test_a_track_that_is_not_there_is_told(tmp_path, track):
    path = tracks(tmp_path, LOW, HIGH)
    with refused("track-unknown", path, f"track {track}", "1 to 2"):
        list(decoding.blocks(path, RATE, track=track))


def test_a_long_silent_track_is_not_searched_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(packets, "_PROBED_SECONDS", 2)
    late = np.concatenate([np.zeros(10 * RATE), LOW])
    facts = decoding.Facts()
    list(decoding.blocks(tracks(tmp_path, late, HIGH), RATE, facts=facts))
    assert facts.track == 2


# ---- claims


def with_rate(path: Path, rate: int, samples: int = 60_000) -> Path:
    soundfile.write(path, noise(samples / RATE), RATE, subtype="PCM_U8")
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    content[28:32] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("rate", [1, 7, 999, 768_001, 10**9])
@pytest.mark.parametrize("read", [lambda path: list(decoding.blocks(path, RATE)), decoding.length_and_peak])
def test_a_rate_out_of_range_is_told_at_once(tmp_path, rate, read):
    path, started = with_rate(tmp_path / "a.wav", rate), time.monotonic()
    with refused("value-out-of-range", path, f"{rate} Hz", "1000 to 768000"):
        read(path)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("rate", [1000, 768_000])
def test_a_rate_at_the_ends_of_the_range_is_read(tmp_path, rate):
    y = decoding.load(with_rate(tmp_path / "a.wav", rate), RATE)
    assert len(y) == pytest.approx(60_000 / rate * RATE, abs=3)


def checksum(data: bytes, polynomial: int, bits: int) -> bytes:
    value = 0
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value >> bits - 1 else 0)) & (1 << bits) - 1
    return value.to_bytes(bits // 8)


def silent_flac(path: Path, rate: int, frames: int) -> Path:
    """Silence in frames as long as FLAC allows, 65,535 samples in about 14 bytes."""
    info = b"\xff\xff\xff\xff" + bytes(6) + (rate << 44 | 15 << 36).to_bytes(8) + bytes(16)
    content = [b"fLaC\x80\0\0\x22", info]
    for number in range(frames):
        header = b"\xff\xf8\x70\x08" + chr(number).encode() + b"\xff\xfe"
        frame = header + checksum(header, 0x07, 8) + bytes(3)
        content.append(frame + checksum(frame, 0x8005, 16))
    path.write_bytes(b"".join(content))
    return path


def test_hours_in_a_few_bytes_are_told(tmp_path):
    short, long = silent_flac(tmp_path / "1.flac", 8000, 100), silent_flac(tmp_path / "2.flac", 8000, 1200)
    assert decoding.length_and_peak(short) == (100 * 65535 / 8000, 0)
    assert long.stat().st_size < 20_000
    with refused("audio-too-long", long, f"{long.stat().st_size} bytes", "1 hour"):
        decoding.length_and_peak(long)


def test_two_hours_of_silence_are_read(tmp_path):
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 8000, 1) as file:
        for _ in range(120):
            file.write(np.zeros(60 * 8000, np.int16))
    assert decoding.length_and_peak(tmp_path / "a.flac") == (7200, 0)
