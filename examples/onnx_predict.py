"""Name what plays in a WAV file of 16 bits; needs onnxruntime and numpy: onnx_predict.py classifier.onnx song.wav."""

import json
import sys
import wave

import numpy as np
import onnxruntime

model = onnxruntime.InferenceSession(sys.argv[1])
keys = ("classes", "thresholds", "sample_rate", "window_samples", "hop_samples", "silence_dbfs")
names, thresholds, rate, size, hop, silence = (json.loads(model.get_modelmeta().custom_metadata_map[k]) for k in keys)
with wave.open(sys.argv[2]) as file:
    assert file.getsampwidth() == 2, "not of 16 bits"
    sound = np.frombuffer(file.readframes(-1), "<i2").reshape(-1, file.getnchannels()).mean(axis=1) / 32768
    length = round(len(sound) * rate / file.getframerate())
sound = np.pad(np.fft.irfft(np.fft.rfft(sound), length) * length / len(sound), (0, max(0, size - length)))
found = []
for onset in [*range(0, len(sound) - size, hop), len(sound) - size]:
    window = sound[np.newaxis, onset : onset + size].astype(np.float32)
    presence, count = model.run(["presence", "count"], {"samples": window})
    found.append(presence[0] * (1 - count[0, 0]) * (np.mean(window**2) >= 10 ** (silence / 10)))
surest = np.mean([[found[0], *found], [*found, found[-1]]], axis=0).max(axis=0)  # of two neighbors
print(*(f"{names[i]} {surest[i]:.2f}" for i in np.argsort(-surest) if surest[i] >= thresholds[i]), sep="\n")
