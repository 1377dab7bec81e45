"""Recognize musical instruments in audio: a library that knows nothing of DVC, driven by the thin `stages/`."""
