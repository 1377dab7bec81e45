"""Where sound comes from: SoundFonts, recordings, MIDI files, and the index of what is usable."""
