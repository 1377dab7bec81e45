"""Make the song that README.md and docs/predict.md name the instruments of: `python scripts/readme_song.py song.wav`.

The unseen SoundFont plays a score that is composed as training's are.
"""

import sys
from pathlib import Path

import numpy as np
import soundfile

from instrec import params
from instrec.errors import UserError, run
from instrec.scores import idiomatic
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog
from instrec.util import seeding

SECONDS, PEAK = 31.0, 0.9
PARTS = {"piano": (0.0, 16.0), "drums": (8.0, 19.0), "trumpet": (16.0, 31.0)}  # from when to when


def main() -> None:
    if len(sys.argv) != 2:
        raise UserError("argument-missing", "", "name the file to write: python scripts/readme_song.py song.wav")
    settings = params.load()
    score = idiomatic.compose(seeding.generator(settings.seed, "song"), tuple(PARTS), SECONDS, together=True)
    for track in score.instruments:
        start, end = PARTS[track.name]
        track.notes = [note for note in track.notes if start <= note.start and note.end <= end]
    font = catalog.find(settings.soundfonts.unseen, settings.soundfonts.folders)
    sound = Synth(font, settings.clip.sample_rate).render(score, SECONDS)
    soundfile.write(Path(sys.argv[1]), sound * (PEAK / np.abs(sound).max()), settings.clip.sample_rate)


if __name__ == "__main__":
    sys.exit(run(main))
