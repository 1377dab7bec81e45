"""SoundFonts: which there are, what they hold, and how one is written."""
