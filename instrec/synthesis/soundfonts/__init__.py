"""SoundFonts: catalog, sound libraries, reader and writer."""
