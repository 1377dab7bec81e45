"""How well timelines follow entrances: `python benchmarks/timelines.py`.

Pieces of known entrances are composed and rendered with a SoundFont that training never heard: one to three
instruments, each in one or two sections of up to 15 s, 40 s in all. An instrument sounds from a note's start to its
end, rests of up to a second between two notes included.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pretty_midi
import soundfile

from instrec import params, scores
from instrec.inference import model as models
from instrec.inference import prediction
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog
from instrec.util import seeding

SECONDS = 40.0
REST = 1.0  # seconds between notes that a player is still said to sound
FRAME = 0.1  # seconds, of frame-wise figures

Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Piece:
    """Samples [shape=(n,)], and for each class that plays, when it sounds in seconds."""

    y: np.ndarray
    sounding: dict[str, Spans]


def pieces(classes: Sequence[str], synth: Synth, *, seed: int, number: int) -> Iterator[Piece]:
    """Compose and render."""
    for index in range(number):
        rng = seeding.generator(seed, "timelines", str(index))
        chosen = rng.choice(classes, size=int(rng.integers(1, 4)), replace=False)
        score = pretty_midi.PrettyMIDI()
        for name in chosen:
            score.instruments.append(_track(rng, str(name)))
        y = synth.render(score, SECONDS)
        spans = {str(name): _merged(track) for name, track in zip(chosen, score.instruments, strict=True)}
        yield Piece(0.8 * y / max(float(np.abs(y).max()), 1e-6), spans)


def _track(rng: np.random.Generator, name: str) -> pretty_midi.Instrument:
    """One or two sections of a player's part, all of one program."""
    track = None
    starts = np.sort(rng.uniform(0, SECONDS - 3, size=int(rng.integers(1, 3))))
    for start, latest in zip(starts, [*starts[1:], SECONDS], strict=True):
        length = min(rng.uniform(3, 15), latest - start)
        if length < 0.5:  # too short for any score; the next section starts here
            continue
        (section,) = scores.compose(rng, (name,), length).instruments
        if track is None:
            track = pretty_midi.Instrument(section.program, is_drum=section.is_drum, name=name)
        for note in section.notes:
            if note.start < length:
                note.start, note.end = note.start + start, min(note.end, length) + start
                track.notes.append(note)
    assert track is not None
    return track


def _merged(track: pretty_midi.Instrument) -> Spans:
    spans: Spans = []
    for note in sorted(track.notes, key=lambda note: note.start):
        if spans and note.start - spans[-1][1] <= REST:
            spans[-1] = (spans[-1][0], max(spans[-1][1], note.end))
        else:
            spans.append((note.start, note.end))
    return spans


def figures(truth: Sequence[dict[str, Spans]], found: Sequence[dict[str, Spans]]) -> dict[str, float]:
    """Compare what sounds in each piece with what was found.

    Returns
    -------
    `precision`, `recall`, `f1` over frames of 0.1 s and classes together; `onset`, `offset`: mean distance in seconds
    of a section's start and end from those of what was found in it; `met`: share of sections in which anything was;
    `segments`: number of segments found for each section.
    """
    hits = wanted = named = 0
    onsets, offsets = [], []
    for one, other in zip(truth, found, strict=True):
        for name in one.keys() | other.keys():
            sounds, said = _frames(one.get(name, [])), _frames(other.get(name, []))
            hits, wanted, named = hits + int((sounds & said).sum()), wanted + int(sounds.sum()), named + int(said.sum())
        for name, spans in one.items():
            for start, end in spans:
                within = [span for span in other.get(name, []) if span[0] < end and span[1] > start]
                if within:
                    onsets.append(abs(within[0][0] - start))
                    offsets.append(abs(within[-1][1] - end))
    sections = sum(len(spans) for one in truth for spans in one.values())
    segments = sum(len(spans) for other in found for spans in other.values())
    return {
        "precision": hits / max(1, named),
        "recall": hits / wanted,
        "f1": 2 * hits / (wanted + named),
        "onset": float(np.mean(onsets)),
        "offset": float(np.mean(offsets)),
        "met": len(onsets) / sections,
        "segments": segments / sections,
    }


def _frames(spans: Spans) -> np.ndarray:
    times = (np.arange(round(SECONDS / FRAME)) + 0.5) * FRAME
    return np.any([(times >= start) & (times < end) for start, end in spans], axis=0) if spans else times < 0


def predicted(piece: Piece, known: models.Model, folder: Path, hop: float | None) -> dict[str, Spans]:
    """Ask `inference.predict`."""
    path = folder / "piece.wav"
    soundfile.write(path, piece.y, known.sample_rate)
    return {each.name: list(each.segments) for each in prediction.predict(path, known, hop_seconds=hop).instruments}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/classifier.keras"))
    parser.add_argument("--pieces", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hop", type=float, nargs="*", default=[None], help="seconds")
    args = parser.parse_args()
    known, knobs = models.load(args.model), params.load()
    synth = Synth(catalog.find(knobs.soundfonts.unseen, knobs.soundfonts.folders), known.sample_rate)
    music = list(pieces(known.classes, synth, seed=args.seed, number=args.pieces))
    with tempfile.TemporaryDirectory() as folder:
        for hop in args.hop:
            found = [predicted(piece, known, Path(folder), hop) for piece in music]
            row = figures([piece.sounding for piece in music], found)
            print(f"hop {hop or 'default'}: " + ", ".join(f"{name} {value:.3f}" for name, value in row.items()))


if __name__ == "__main__":
    main()
