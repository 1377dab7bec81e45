"""The effects on a clip, as deterministic functions of plain values.

Filters are transforms of audiomentations with given parameters. This module has its own code where audiomentations
draws inside `apply` (colored noise), needs recorded impulse responses (reverb), or loses short sounds (distortions take
percentiles of the whole clip, which one drum stroke in silence does not reach).
"""

from __future__ import annotations

import io

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray

from instrec.audio.loudness import rms
from instrec.synthesis.noise import backgrounds

FloatArray = NDArray[np.float32]

_HIGHEST_SHARE = 0.49  # of the sample rate, for any filter
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_SILENCE_RMS = 1e-6  # of full scale; below it there is nothing to measure noise against


def equalize(y: FloatArray, sample_rate: int, *, bands: list[list[float]]) -> FloatArray:
    """Raise or lower bands, each [center in Hz, gain in dB, quality factor]."""
    for center_hz, gain_db, quality in bands:
        y = _transformed("PeakingFilter", y, sample_rate, center_freq=center_hz, gain_db=gain_db, q_factor=quality)
    return y


def limit_band(
    y: FloatArray, sample_rate: int, *, rolloff_db: int, above_hz: float = 0.0, below_hz: float = 0.0
) -> FloatArray:
    """Keep what lies between two Butterworth cut-offs, 0 for none; the roll-off is in dB per octave."""
    if above_hz:
        y = _transformed("HighPassFilter", y, sample_rate, cutoff_freq=above_hz, rolloff=rolloff_db)
    if below_hz:
        y = _transformed("LowPassFilter", y, sample_rate, cutoff_freq=below_hz, rolloff=rolloff_db)
    return y


def reverberate(
    y: FloatArray, sample_rate: int, *, seed: int, rt60_seconds: float, direct_db: float, damping_hz: float
) -> FloatArray:
    """Add a room to y: echoes `direct_db` below the direct sound, which fade by 60 dB in `rt60_seconds`."""
    from scipy.signal import oaconvolve

    room = impulse_response(sample_rate, seed=seed, rt60_seconds=rt60_seconds, damping_hz=damping_hz)[: len(y)]
    wet: FloatArray = oaconvolve(y, room)[: len(y)]
    return y + np.float32(10 ** (-direct_db / 20)) * wet


def impulse_response(sample_rate: int, *, seed: int, rt60_seconds: float, damping_hz: float) -> FloatArray:
    """Make a room's echoes without the direct sound, of unit energy, shape (rt60_seconds * sample_rate,).

    A handful of early reflections within 50 ms over noise that decays exponentially and is low-passed at
    `damping_hz`, as walls and air take the treble first (Moorer, "About this reverberation business", 1979).
    """
    rng = np.random.default_rng(seed)
    length = max(2, round(rt60_seconds * sample_rate))
    decay = np.exp(np.arange(length, dtype=np.float32) * np.float32(-np.log(1000.0) / length))
    echoes = rng.standard_normal(length, dtype=np.float32) * decay
    places = rng.integers(1, max(2, min(length, round(0.05 * sample_rate))), size=8)
    echoes[places] += rng.choice([-8.0, 8.0], size=8) * decay[places]
    echoes[0] = 0.0  # the direct sound's place
    echoes = _transformed("LowPassFilter", echoes, sample_rate, cutoff_freq=damping_hz, rolloff=6)
    unit: FloatArray = echoes / np.sqrt(np.sum(np.square(echoes)))
    return unit


def distort(y: FloatArray, sample_rate: int, *, kind: str, drive_db: float) -> FloatArray:
    """Overload by `drive_db`: `hard` clips the peaks, `soft` bends them; the highest peak keeps its level."""
    peak = np.abs(y).max()
    if peak == 0:
        return y
    drive = np.float32(10 ** (drive_db / 20))
    driven = y * (drive / peak)
    bent: FloatArray = np.clip(driven, -1.0, 1.0) if kind == "hard" else np.tanh(driven) / np.tanh(drive)
    bent *= peak
    return bent


def waver(
    y: FloatArray, sample_rate: int, *, seed: int, rate_hz: float, depth_cents: float, depth_db: float
) -> FloatArray:
    """Let pitch and level wander by up to these depths, about `rate_hz` times per second.

    Players and worn tapes do so; the looped samples of a SoundFont do not.
    """
    rng = np.random.default_rng(seed)
    pitch, level = (_wandering(len(y), sample_rate, rate_hz, rng) for _ in range(2))
    places = np.cumsum(2 ** (pitch * (depth_cents / 1200)))
    moved: FloatArray = scipy.ndimage.map_coordinates(y, [places - places[0]], order=3, mode="constant")
    return moved * (10 ** (level * (depth_db / 20))).astype(np.float32)


def _wandering(samples: int, sample_rate: int, rate_hz: float, rng: np.random.Generator) -> FloatArray:
    """A smooth random line between -1 and 1: three waves about the rate."""
    t = np.arange(samples, dtype=np.float32) / sample_rate
    waves = zip(rng.uniform(0.6, 1.4, size=3), rng.uniform(0, 2 * np.pi, size=3), strict=True)
    line: FloatArray = np.mean([np.sin(2 * np.pi * rate_hz * share * t + phase) for share, phase in waves], axis=0)
    return line.astype(np.float32)


def breathe(y: FloatArray, sample_rate: int, *, seed: int, under_db: float, above_hz: float) -> FloatArray:
    """Add noise above a frequency that rises and falls with y, `under_db` under it, as breath and bows make it."""
    noise = backgrounds.colored_noise(len(y), sample_rate, seed=seed, color="pink")
    noise = _transformed("HighPassFilter", noise, sample_rate, cutoff_freq=above_hz, rolloff=12)
    return y + noise * _envelope(y, sample_rate) * np.float32(10 ** (-under_db / 20) / max(rms(noise), _SILENCE_RMS))


def compress(y: FloatArray, sample_rate: int, *, ratio: float) -> FloatArray:
    """Compress dynamics as recording engineers do: `ratio` dB become one."""
    level = _envelope(y, sample_rate)
    peak = level.max()
    if peak < _SILENCE_RMS:
        return y
    gain = np.maximum(level / peak, np.float32(1e-3)) ** np.float32(1 / ratio - 1)
    even: FloatArray = y * gain
    return even * np.float32(np.abs(y).max() / np.abs(even).max())


def encode(y: FloatArray, sample_rate: int, *, kind: str, compression: float) -> FloatArray:
    """Encode and decode y with a lossy codec; `kind` is MP3 or OGG (Vorbis), `compression` 0 (best) to 1 (worst).

    MP3 knows only some sample rates; at others it is Vorbis.
    """
    import soundfile

    if sample_rate not in _MP3_RATES:
        kind = "OGG"

    file, peak = io.BytesIO(), np.float32(max(1.0, np.abs(y).max()))
    subtype = {"MP3": "MPEG_LAYER_III", "OGG": "VORBIS"}[kind]
    soundfile.write(file, y / peak, sample_rate, format=kind, subtype=subtype, compression_level=compression)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    return np.pad(decoded[: len(y)], (0, max(0, len(y) - len(decoded)))) * peak


def _envelope(y: FloatArray, sample_rate: int) -> FloatArray:
    """Return the RMS level of a twentieth of a second around each sample of y."""
    power = scipy.ndimage.uniform_filter1d(np.square(y, dtype=np.float64), max(1, sample_rate // 20), mode="constant")
    level: FloatArray = np.sqrt(np.maximum(power, 0)).astype(np.float32)
    return level


def add_background(
    y: FloatArray,
    sample_rate: int,
    *,
    seed: int,
    color: str,
    snr_db: float,
    silence_dbfs: float,
    below_hz: float = 0.0,
    hum_hz: float = 0.0,
    hum_db: float = 0.0,
) -> FloatArray:
    """Add noise `snr_db` under y's own level, or at `silence_dbfs` where y is silent (both by RMS).

    `color` is what `backgrounds.make` knows. `below_hz` low-passes it; `hum_hz` adds mains hum with its overtones,
    `hum_db` over the noise; 0 Hz means neither.
    """
    noise = backgrounds.make(len(y), sample_rate, seed=seed, color=color)
    if below_hz:
        noise = _transformed("LowPassFilter", noise, sample_rate, cutoff_freq=below_hz, rolloff=24)
    if hum_hz:
        noise = noise + np.float32(rms(noise) * 10 ** (hum_db / 20)) * backgrounds.hum(len(y), sample_rate, hum_hz)
    level = rms(y)
    wanted = level * 10 ** (-snr_db / 20) if level > _SILENCE_RMS else 10 ** (silence_dbfs / 20)
    return y + noise * np.float32(wanted / rms(noise))


def _transformed(name: str, y: FloatArray, sample_rate: int, **parameters: float) -> FloatArray:
    """Run one of audiomentations' filters on given parameters instead of drawn ones.

    Frequencies stay under half the sample rate: noise drawn for a higher one would make filters unstable.
    """
    import audiomentations

    transform = getattr(audiomentations, name)(p=1.0)
    highest_hz = _HIGHEST_SHARE * sample_rate
    bounded = {key: min(value, highest_hz) if key.endswith("_freq") else value for key, value in parameters.items()}
    transform.parameters = {"should_apply": True, **bounded}
    filtered: FloatArray = transform.apply(y, sample_rate)
    return filtered
