"""The features of a model as Keras operations, so that an exported graph takes samples and needs nothing else.

There is no operation for a Fourier transform that ONNX and TFLite share, and a matrix for it would weigh 16 MB. Here it
is two steps of matrices of some dozens of rows, as in a fast Fourier transform.

It is not in `instrec.features`, because no stage of the pipeline uses it. Each export measures whether the two agree.
"""

from __future__ import annotations

from math import gcd, isqrt, log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from instrec import features
from instrec.errors import UserError
from instrec.features.log_mel import LogMel
from instrec.features.multi_resolution import MultiResolution
from instrec.features.spectrum import SILENCE
from instrec.params import SpectrogramParams

if TYPE_CHECKING:
    from instrec.models.classifier import Classifier

INPUT, FEATURES = "samples", "features"


def audio_model(classifier: Classifier, *, also_features: bool = False) -> Any:
    """Return a Keras model from samples, -1..1 [shape=(windows, samples), float32], to what the classifier's gives.

    With `also_features` it has a second input of that name, whose rows come behind those of the samples.

    Raises
    ------
    UserError
        If the features of the model cannot be computed by Keras operations.
    """
    import keras
    from keras import ops

    card = classifier.card
    if card.spectrogram.name not in ("log_mel", "multi_resolution", "audioset_mel") or card.spectrogram.part != "whole":
        raise UserError(
            "features-not-exportable",
            "",
            f"the model takes spectrogram {card.spectrogram.name} of part {card.spectrogram.part}; "
            "only log_mel, multi_resolution and audioset_mel of part whole can be exported",
        )
    representation = features.from_params(card.clip, card.spectrogram)
    samples = keras.Input((representation.samples,), name=INPUT)
    stack = representation.resolutions if isinstance(representation, MultiResolution) else [representation]
    channels = [_log_mel(samples, each, card.spectrogram) for each in stack if isinstance(each, LogMel)]
    computed, inputs = ops.stack(channels, axis=-1), [samples]
    if also_features:
        inputs.append(keras.Input(representation.shape, name=FEATURES))
        computed = ops.concatenate([computed, inputs[1]], axis=0)
    return keras.Model(inputs, classifier.model(computed), name=classifier.model.name)


def _log_mel(samples: Any, log_mel: LogMel, spectrogram: SpectrogramParams) -> Any:
    """Do what `LogMel` does: (windows, samples) -> (windows, frames, mel bands)."""
    from keras import ops

    if log_mel.pre_emphasis:
        samples = ops.pad(samples[:, 1:], ((0, 0), (0, 1))) - log_mel.pre_emphasis * samples
    frames = 1 + (log_mel.samples - len(log_mel.window) % 2) // spectrogram.hop
    power, fold = _power(_framed(samples, len(log_mel.window), spectrogram.hop, frames) * log_mel.window)
    mels = ops.matmul(ops.reshape(power, (-1, frames, fold.shape[0])), fold @ log_mel.bank.toarray().T)
    loudest = ops.amax(mels, axis=(1, 2), keepdims=True)
    relative = mels / ops.maximum(loudest, SILENCE)
    depth = spectrogram.floor_db
    if log_mel.soft_floor:
        relative = (relative + 10 ** (-depth / 10)) / (1 + 10 ** (-depth / 10))
    if spectrogram.scale == "log":
        softest = ops.amin(relative, axis=(1, 2), keepdims=True)
        own = -_decibels(ops.maximum(softest, 10 ** (-depth / 10)))
        depth = ops.where(softest > 0, own, depth)
    scaled = ops.clip(1 + _decibels(ops.maximum(relative, 10 ** (-spectrogram.floor_db / 10))) / depth, 0, 1)
    seen = ops.logical_and(loudest > SILENCE, depth > 0)
    return ops.where(seen, scaled, 0.0)[:, : log_mel.shape[0]]


def _decibels(power: Any) -> Any:
    from keras import ops

    return ops.log(power) * (10 / log(10))


def _framed(samples: Any, window: int, hop: int, frames: int) -> Any:
    """Cut into frames [shape=(windows, frames, window)] around every `hop`-th sample, silence beyond both ends."""
    from keras import ops

    block = gcd(window, hop)  # whole blocks are gathered, as a table of samples would weigh more than the model
    margin, length = window // 2, (frames - 1) * hop + window
    padded = ops.pad(samples, ((0, 0), (margin, max(0, length - margin - samples.shape[1]))))[:, :length]
    table = np.arange(frames)[:, np.newaxis] * (hop // block) + np.arange(window // block)
    gathered = ops.take(ops.reshape(padded, (-1, length // block, block)), table.astype(np.int32), axis=1)
    return ops.reshape(gathered, (-1, frames, window))


def _power(frames: Any) -> tuple[Any, NDArray[np.float32]]:
    """Return the power spectrum of real frames [shape=(windows, frames, n)] in an order of its own.

    With n = a * b, sample b * s + t and bin k + a * q it is, over s, a transform of length a; a turn by k * t / n;
    and, over t, a transform of length b (Cooley & Tukey 1965). Of the bins that mirror each other only those with k
    up to a / 2 are computed.

    Returns
    -------
    power : [shape=(windows * frames, bins)]
    fold : np.ndarray [shape=(bins, 1 + n // 2), float32], 1 where a bin is one of `numpy.fft.rfft`'s.
    """
    from keras import ops

    n = frames.shape[-1]
    a = max(divisor for divisor in range(1, isqrt(n) + 1) if n % divisor == 0)
    b, k, s, t = n // a, np.arange(a // 2 + 1), np.arange(a), np.arange(n // a)
    first, turn, second = _turns(np.outer(k, s) / a), _turns(np.outer(k, t) / n), _turns(np.outer(t, t) / b)
    columns = ops.reshape(frames, (-1, a, b))
    # A matrix for each frame, as onnxruntime refuses a product of one matrix and none.
    both = np.concatenate([first.real, first.imag])
    both = ops.matmul(ops.zeros_like(columns[:, :1, :1]) + both, columns)
    real, imaginary = both[:, : len(k)], both[:, len(k) :]
    turned = ops.concatenate(
        [real * turn.real - imaginary * turn.imag, real * turn.imag + imaginary * turn.real], axis=-1
    )
    squares = ops.square(ops.matmul(turned, np.block([[second.real, second.imag], [-second.imag, second.real]])))
    bins = (k[:, np.newaxis] + a * t).ravel()
    mirrored = (-bins % a <= a // 2) & (bins > n - bins)  # there twice: the lower one counts
    fold = (np.minimum(bins, n - bins)[:, np.newaxis] == np.arange(1 + n // 2)) & ~mirrored[:, np.newaxis]
    return ops.reshape(squares[..., :b] + squares[..., b:], (-1, len(bins))), fold.astype(np.float32)


def _turns(part: NDArray[np.float64]) -> NDArray[np.complex64]:
    turns: NDArray[np.complex64] = np.exp(-2j * np.pi * part).astype(np.complex64)
    return turns
