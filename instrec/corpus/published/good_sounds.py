"""Good Sounds: single notes and scales by fifteen musicians, well and badly played, through up to four microphones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instrec.corpus.published.base import Sound
from instrec.corpus.published.mirdata_loader import MirdataCorpus

# Piccolo is left out: its compass is above the flute's. `bass` is recorded among orchestral instruments, by microphone.
LABELS = {
    "bass": "double_bass",
    "cello": "cello",
    "clarinet": "clarinet",
    "flute": "flute",
    "oboe": "oboe",
    "sax_alto": "saxophone",
    "sax_baritone": "saxophone",
    "sax_soprano": "saxophone",
    "sax_tenor": "saxophone",
    "trumpet": "trumpet",
    "violin": "violin",
}


class _GoodSounds(MirdataCorpus):
    def sound(self, track: Any) -> Sound:
        # Every microphone's take of a sound, and every sound of a player, lie in one group.
        group = f"{self.name}/{track.sound_info['player'] or track.pack_info['name']}"
        return Sound(Path(track.audio_path), (track.instrument,), group)


GOOD_SOUNDS = _GoodSounds(
    name="good_sounds",
    loader="good_sounds",
    title="Good-sounds, single notes and scales of twelve instruments",
    license="CC BY-SA 4.0",
    citation="Romani Picas, Parra Rodriguez, Dabiri, Tokuda, Hariya, Oishi, Serra: A real-time system for measuring "
    "sound goodness in instrumental sounds. AES Convention 138, 2015",
    url="https://zenodo.org/record/820937",
    gigabytes=20,
    labels=LABELS,
    groups="the player",
    how="downloaded",
    notes="The notes and scales are played well, and badly on purpose; all are used. `piccolo` has no class, as its "
    "range is above the flute's. `bass` is the double bass: it is recorded among orchestral instruments, with a "
    "microphone.",
)
