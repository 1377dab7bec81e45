"""Checks of the features for an architecture."""

from __future__ import annotations

from typing import Any

from instrec.errors import conflict
from instrec.params import ModelParams

_CHANNELS = {
    2: "two channels: spectrogram.part: harmonic_percussive or solo_accompaniment, or one of both with _of_file",
    3: "three channels: spectrogram.name: image, phase_image or multi_resolution",
}


def check(inputs: Any, params: ModelParams, *, frames: int, bins: int, channels: int | None = None) -> None:
    """Check the smallest size and the channels of inputs [shape=(clips, frames, bins, channels)].

    Raises
    ------
    UserError
        If they do not fit the architecture.
    """
    _, has_frames, has_bins, has_channels = inputs.shape
    where = f"{params.name}, variant {params.variant},"
    shape = f"{has_frames} frames x {has_bins} bins x {has_channels} channels"
    if has_frames < frames or has_bins < bins:
        raise conflict(
            "model.name",
            f"{where} asks for features of at least {frames} frames x {bins} bins, not {shape}; for more frames lower "
            "spectrogram.hop or raise clip.seconds, for more bins raise spectrogram.mels; spectrogram.pixels sets both "
            "for image and phase_image; spectrogram.name waveform has a frame per sample",
        )
    if channels and has_channels != channels:
        raise conflict(
            "model.name", f"{where} asks for features of {channels} channels, not {shape}; for {_CHANNELS[channels]}"
        )
