"""From an audio file to mono samples, and where its clips start."""
