"""Frozen scores for the tests of balance."""

from pathlib import Path

import pretty_midi
import pytest


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Frozen scores; balance reads only their names, and the length of excerpts."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("solo/violin-000.mid", "solo/tuba-000.mid", "mixture/2-000-flute+piano.mid"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    score = pretty_midi.PrettyMIDI(initial_tempo=120)
    score.instruments = [pretty_midi.Instrument(0)]
    score.instruments[0].notes = [pretty_midi.Note(90, 60, 0.0, 2.5)]
    (folder / "excerpt").mkdir()
    score.write(str(folder / "excerpt/000-piano.mid"))
    return folder
