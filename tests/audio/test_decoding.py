import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.audio import decoding
from instrec.errors import UserError
from tests.refusals import refused

RATE = 22050


def tone(hz: float, seconds: float, rate: int, *, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def noise(samples: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (samples, channels))


def encode(path: Path, codec: str, y: np.ndarray, rate: int) -> Path:
    """Write what libsndfile cannot."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(y[np.newaxis].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = rate
        for part in (frame, None):
            container.mux(stream.encode(part))
    return path


def write(path: Path, y: np.ndarray, rate: int, **kind: str) -> Path:
    soundfile.write(path, y, rate, **kind)
    return path


def level_and_pitch(y: np.ndarray, rate: int) -> tuple[float, float]:
    """Amplitude and frequency of a tone, away from the ends."""
    middle = y[len(y) // 4 : -len(y) // 4] * np.hanning(len(y[len(y) // 4 : -len(y) // 4]))
    strength = np.abs(np.fft.rfft(middle, 8 * len(middle)))
    peak = int(strength.argmax())
    return 4 * strength[peak] / len(middle), peak * rate / (8 * len(middle))


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_a_tone_keeps_pitch_level_and_length(tmp_path, rate, suffix):
    path = write(tmp_path / f"tone.{suffix}", tone(1000, 2, rate), rate)
    y = decoding.load(path, RATE)
    level, hz = level_and_pitch(y, RATE)
    assert y.dtype == np.float32
    assert abs(len(y) - 2 * RATE) <= 3
    assert decoding.length_and_peak(path) == pytest.approx((2, 0.5), rel=0.01)
    assert level == pytest.approx(0.5, rel=0.005)
    assert hz == pytest.approx(1000, abs=0.5)


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_lossy_formats_keep_pitch_level_and_length(tmp_path, suffix):
    y = decoding.load(write(tmp_path / f"tone.{suffix}", tone(1000, 2, 44100), 44100), RATE)
    level, hz = level_and_pitch(y, RATE)
    assert abs(len(y) - 2 * RATE) <= 0.03 * RATE
    assert level == pytest.approx(0.5, rel=0.02)
    assert hz == pytest.approx(1000, abs=0.5)


@pytest.mark.parametrize(("suffix", "codec"), [("m4a", "aac"), ("opus", "libopus"), ("mka", "flac")])
def test_formats_of_phones_and_the_web_are_read(tmp_path, suffix, codec):
    if codec == "flac":
        path = write(tmp_path / "source.flac", tone(1000, 2, 48000), 48000)
        with av.open(str(path)) as source, av.open(str(tmp_path / "tone.mka"), "w") as container:
            stream = container.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    container.mux(packet)
    else:
        encode(tmp_path / f"tone.{suffix}", codec, tone(1000, 2, 48000), 48000)
    y = decoding.load(tmp_path / f"tone.{suffix}", RATE)
    level, hz = level_and_pitch(y, RATE)
    assert abs(len(y) - 2 * RATE) <= 0.05 * RATE
    assert level == pytest.approx(0.5, rel=0.05)
    assert hz == pytest.approx(1000, abs=0.5)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_mono_is_the_mean_of_all_channels(tmp_path, channels, subtype):
    y = noise(RATE // 2, channels)
    path = write(tmp_path / "noise.wav", y, RATE, subtype=subtype)
    step = {"PCM_U8": 2**-7, "PCM_16": 2**-15}.get(subtype, 2**-22)
    np.testing.assert_allclose(decoding.load(path, RATE), y.mean(axis=1), atol=step)


@settings(max_examples=15)
@given(seconds=st.floats(0.001, 5), samples=st.integers(1, 70000), rate=st.sampled_from([22050, 44100, 11025]))
def test_blocks_joined_are_the_whole(tmp_path_factory, seconds, samples, rate):
    path = write(tmp_path_factory.mktemp("blocks") / "noise.wav", noise(samples), rate)
    blocks = list(decoding.blocks(path, RATE, block_seconds=seconds))
    size = max(1, round(seconds * RATE))
    assert all(len(block) == size for block in blocks[:-1])
    assert 0 < len(blocks[-1]) <= size
    np.testing.assert_array_equal(np.concatenate(blocks), decoding.load(path, RATE))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "m4a", "opus"])
@pytest.mark.parametrize(("onset", "seconds"), [(0.0, 1.0), (0.7, 2.0), (5.3, 1.5), (9.0, 5.0), (20.0, 1.0)])
def test_a_stretch_is_the_same_as_in_the_whole(tmp_path, suffix, onset, seconds):
    rate = 48000
    y = tone(300, 10, rate) * np.linspace(0, 1, 10 * rate) + 0.1 * noise(10 * rate)[:, 0]
    path = tmp_path / f"long.{suffix}"
    if suffix in ("m4a", "opus"):
        encode(path, {"m4a": "aac", "opus": "libopus"}[suffix], y, rate)
    else:
        write(path, y, rate)
    first = round(onset * RATE)
    expected = decoding.load(path, RATE)[first : first + round(seconds * RATE)]
    stretch = decoding.load(path, RATE, onset=onset, seconds=seconds)
    np.testing.assert_allclose(stretch, expected, atol=1e-4)


def test_beyond_full_scale_is_clipped(tmp_path):
    y = decoding.load(write(tmp_path / "loud.wav", 3 * noise(1000), RATE, subtype="FLOAT"), RATE)
    assert np.abs(y).max() == 1


def test_silence_and_a_single_sample_are_audio(tmp_path):
    assert not decoding.load(write(tmp_path / "silent.wav", np.zeros(RATE), 44100), RATE).any()
    single = write(tmp_path / "single.wav", np.array([0.5]), RATE)
    assert decoding.load(single, RATE).tolist() == [0.5]
    assert decoding.length_and_peak(single) == (1 / RATE, 0.5)
    with refused("audio-undecodable", tmp_path / "high.wav"):  # for a single sample at the lower rate
        decoding.load(write(tmp_path / "high.wav", np.array([0.5]), 96000), RATE)


def test_memory_does_not_grow_with_length(tmp_path):
    path = write(tmp_path / "long.wav", np.zeros(8000 * 600, dtype=np.int16), 8000)
    tracemalloc.start()
    samples = sum(len(block) for block in decoding.blocks(path, RATE, block_seconds=3))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(samples - 600 * RATE) <= 3
    assert peak < 5e6  # all of it would take 53 MB


def test_what_is_left_of_a_truncated_file_is_read(tmp_path):
    for name in ("a.wav", "a.flac", "a.mp3", "a.ogg"):
        path = write(tmp_path / name, tone(500, 10, 44100), 44100)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        assert 2 < decoding.length_and_peak(path)[0] < 7, name


def test_damage_inside_a_file_is_passed_over(tmp_path):
    path = write(tmp_path / "damaged.mp3", tone(500, 10, 44100), 44100)
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 2000] = bytes(np.random.default_rng(0).integers(0, 256, 2000, dtype=np.uint8))
    path.write_bytes(whole)
    assert 9 < decoding.length_and_peak(path)[0] < 10.5
    assert np.isfinite(decoding.load(path, RATE)).all()


def bad(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.wav"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("a score is no sound\n" * 200)
    elif kind == "playlist":
        path.write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n")
    elif kind == "header":
        path.write_bytes(write(path, noise(1000), RATE).read_bytes()[:30])
    elif kind == "without_samples":
        write(path, noise(0), RATE)
    elif kind in ("nan", "inf"):
        write(path, np.append(noise(1000), float(kind)), RATE, subtype="FLOAT")
    elif kind == "video":
        with av.open(str(path), "w", format="matroska") as container:
            stream = container.add_stream("mpeg4", rate=25, width=16, height=16, pix_fmt="yuv420p")
            frame = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")
            for part in (frame, None):
                container.mux(stream.encode(part))
    return path


UNUSABLE = {
    "missing": "file-unreadable",
    "folder": "not-a-file",
    "empty": "file-empty",
    "text": "audio-undecodable",
    "playlist": "audio-undecodable",
    "header": "audio-undecodable",
    "without_samples": "audio-undecodable",
    "nan": "audio-not-finite",
    "inf": "audio-not-finite",
    "video": "audio-missing",
}


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize(
    "read",
    [lambda path: list(decoding.blocks(path, RATE)), lambda path: decoding.load(path, 8000), decoding.length_and_peak],
)
def test_what_is_no_usable_audio_is_named(tmp_path, capfd, kind, read):
    path = bad(tmp_path, kind)
    with refused(UNUSABLE[kind], path) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("offset", "value"),
    [(20, 0x2004), (20, 0x2048), (20, 0x3), (20, 0x11), (22, 0), (22, 1000)],
    ids=["tag 2004", "tag 2048", "float of 16 bits", "tag 11", "no channels", "1000 channels"],
)
def test_a_header_that_lies_is_told(tmp_path, offset, value):
    path = write(tmp_path / "lies.wav", noise(4000), 8000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[offset : offset + 2] = value.to_bytes(2, "little")
    path.write_bytes(content)
    with refused("audio-undecodable", path):
        decoding.load(path, RATE)


def test_samples_of_64_bit_integers_are_told(tmp_path):
    path = write(tmp_path / "wide.wav", noise(4000), 8000, subtype="DOUBLE")
    content = bytearray(path.read_bytes())
    content[20:22] = (1).to_bytes(2, "little")
    path.write_bytes(content)
    with refused("audio-undecodable", path):
        decoding.load(path, RATE)


@settings(max_examples=60)
@given(at=st.integers(0, 10**6), value=st.integers(0, 255), suffix=st.sampled_from(["m4a", "aac"]))
def test_any_damage_gives_sound_or_one_error(tmp_path_factory, at, value, suffix):
    path = encode(tmp_path_factory.mktemp("damaged") / f"a.{suffix}", "aac", tone(440, 0.3, 22050), 22050)
    content = bytearray(path.read_bytes())
    content[at % len(content)] = value
    path.write_bytes(content)
    try:
        assert np.isfinite(decoding.load(path, RATE)).all()
    except UserError as error:
        assert str(error).startswith(f"{path}: ")
