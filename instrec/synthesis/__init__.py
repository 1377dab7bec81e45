"""Render a row of the manifest to a waveform: SoundFonts, FluidSynth, variation, noise."""
