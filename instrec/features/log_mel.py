"""Mel bands on a logarithmic scale, of the whole clip or of separated parts."""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse

from instrec.audio import separation
from instrec.errors import conflict
from instrec.features.representation import FloatArray, Representation
from instrec.features.spectrum import check_band, loudness, power_of, silent, transformed
from instrec.params import ClipParams, SpectrogramParams


class LogMel(Representation):
    """Mel bands relative to the loudest point of the clip: `-floor_db`..0 dB scaled to 0..1, one channel per part.

    For the whole clip in decibels, it is, up to that scaling, librosa's
    `power_to_db(melspectrogram(...), ref=np.max, top_db=floor_db)` with a centered Hann window, zero padding and
    Slaney's mel scale. One clip at a time fits the cache of a core, and the filter bank is sparse: both save more time
    than batches. Loudness cancels out. A clip with no band above librosa's floor is silent. Parts are scaled like the
    whole clip, so their relative loudness stays, and a channel is the same alone and in a pair. If a clip is cut from a
    pair of parts of its file, the whole is their sum; one part of a file is scaled as a whole. `frames` cuts off frames
    at the end.

    Source: Slaney, Auditory Toolbox (1998); McFee et al., librosa (SciPy 2015).

    Attributes
    ----------
    window : np.ndarray [shape=(n,)], with which frames are multiplied before their transform of n points.
    bank : sparse array [shape=(bands, 1 + n // 2)], the filters.
    pre_emphasis : of a sample's successor, less this share of the sample itself, is the sound made; 0 leaves it.
    soft_floor : whether the floor is added to the power of a band, rather than the least that it can be.
    """

    pre_emphasis = 0.0
    soft_floor = False

    def __init__(self, clip: ClipParams, spectrogram: SpectrogramParams) -> None:
        check_band(clip, spectrogram)
        part = spectrogram.part
        channels = separation.PARTS[separation.OF_FILE.get(part, part)].channels
        self.window = self._window(spectrogram.window)
        frames = _frames(clip, spectrogram, len(self.window))
        super().__init__(clip.samples, (frames, spectrogram.mels, channels), separation.axis_of(part))
        self._params = spectrogram
        self._seconds_per_frame = spectrogram.hop / clip.sample_rate
        bank = self._filters(clip, spectrogram)
        _check_filled(bank, spectrogram)
        self.bank = scipy.sparse.csr_array(bank)

    def _window(self, length: int) -> FloatArray:
        return np.hanning(length + 1)[:-1].astype(np.float32)

    def _filters(self, clip: ClipParams, spectrogram: SpectrogramParams) -> FloatArray:
        from librosa.filters import mel  # takes a second to import, and only this class needs it

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Empty filters")  # refused later, by the parameters' names
            bank: FloatArray = mel(
                sr=clip.sample_rate,
                n_fft=len(self.window),
                n_mels=spectrogram.mels,
                fmin=spectrogram.min_hz,
                fmax=spectrogram.max_hz,
            )
        return bank

    def _transform(self, y: FloatArray) -> FloatArray:
        power = self._power(separation.whole(y))
        whole = self.bank @ power
        if silent(whole):
            return np.zeros(self.shape, dtype=np.float32)
        if y.ndim > 1:
            parts = [self.bank @ self._power(part) for part in y.T]
        elif self._params.part == "whole":
            parts = [whole]
        else:
            magnitudes = separation.PARTS[self._params.part].separate(np.sqrt(power), self._seconds_per_frame)
            parts = [self.bank @ np.square(magnitude) for magnitude in magnitudes]
        if self.soft_floor:
            floor = whole.max() * np.float32(10 ** (-self._params.floor_db / 10))
            whole, parts = whole + floor, [part + floor for part in parts]
        features = np.stack([loudness(part, whole, self._params).T for part in parts], axis=-1)
        return features[: self.shape[0]]

    def _power(self, y: FloatArray) -> FloatArray:
        """Return the power spectrum [shape=(bins, frames)] of a sound [shape=(samples,)]."""
        if self.pre_emphasis:
            y = np.append(y[1:], np.float32(0)) - np.float32(self.pre_emphasis) * y
        margin = len(self.window) // 2
        padded = np.zeros(self.samples + 2 * margin, dtype=np.float32)
        padded[margin : margin + self.samples] = y
        return power_of(transformed(padded, self.window, self._params.hop))


def _frames(clip: ClipParams, spectrogram: SpectrogramParams, window: int) -> int:
    most = 1 + (clip.samples - window % 2) // spectrogram.hop
    if spectrogram.frames > most:
        raise conflict(
            "spectrogram.frames",
            f"{spectrogram.frames}, but a clip has {most} of them; lower it or "
            f"spectrogram.hop, {spectrogram.hop} samples, or raise clip.seconds, {clip.seconds:g}",
        )
    return spectrogram.frames or most


def _check_filled(bank: FloatArray, spectrogram: SpectrogramParams) -> None:
    empty = np.count_nonzero(~bank.any(axis=1))
    if empty:
        raise conflict(
            "spectrogram.mels",
            f"{spectrogram.mels}, but {empty} of them are narrower than what "
            f"spectrogram.window, {spectrogram.window} samples, resolves, and would stay empty; "
            "lower mels or raise window",
        )
