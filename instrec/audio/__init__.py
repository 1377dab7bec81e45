"""Decode audio files to mono samples, and cut them into windows and clips."""
