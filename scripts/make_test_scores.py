"""Make the frozen test scores: `python scripts/make_test_scores.py FOLDER`.

What lies in the folder already stays as it is, so that the test sets can grow without moving: figures measured on
another one cannot be compared. What is tracked by `data.dvc` was made with the params.yaml and the code of the commits
that added it.
"""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pretty_midi

from instrec import params, scores
from instrec.corpus.test_sets import EXCERPT, MIXTURE, NOISE_FILE, SECONDS, SOLO
from instrec.errors import UserError, run
from instrec.scores import midi
from instrec.synthesis import noise
from instrec.taxonomy import INSTRUMENTS
from instrec.util import documents, seeding
from instrec.util.files import written_whole

SOLOS, MIXTURES, EXCERPTS = 30, 75, 200  # per class, per count, in all

# The classes of IRMAS, whose test set (Bosch et al. 2012) the excerpts follow: 5 to 20 s, one to three classes.
EXCERPT_CLASSES = (
    *("cello", "clarinet", "flute", "acoustic_guitar", "electric_guitar", "organ"),
    *("piano", "saxophone", "trumpet", "violin", "voice"),
)


def make(
    folder: Path, settings: params.Params, *, solos: int = SOLOS, mixtures: int = MIXTURES, excerpts: int = EXCERPTS
) -> None:
    """Compose the test scores that the folder lacks, and draw the noise of clips."""
    file = folder / NOISE_FILE
    spec = documents.load_json(file) if file.exists() else {}
    for name, labels in (*_clips(settings, solos, mixtures), *_excerpts(settings, excerpts)):
        if (folder / f"{name}.mid").exists():
            continue
        excerpt = name.startswith(EXCERPT)
        score = _excerpt(settings, name, labels) if excerpt else _clip(settings, name, labels)
        with written_whole(folder / f"{name}.mid") as part:
            score.write(str(part))
        if not excerpt:
            rng = seeding.generator(settings.seed, "yardstick", name, "noise")
            spec[f"{name}.mid"] = noise.draw(rng, settings.noise, settings.clip.sample_rate)
    with written_whole(file) as part:
        part.write_text(json.dumps(spec, indent=1) + "\n")


def _clips(settings: params.Params, solos: int, mixtures: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return name and labels: solos of every instrument; mixtures of the classes in params.yaml, and of others."""
    others = [name for name in INSTRUMENTS if name not in settings.classes]
    rng = seeding.generator(settings.seed, "yardstick")
    yield from ((f"{SOLO}/{name}-{number:03}", (name,)) for name in settings.classes for number in range(solos))
    for count in range(4):
        for number in range(mixtures):
            labels = _chosen(rng, settings.classes, count)
            yield f"{MIXTURE}/{count}-{number:03}-{'+'.join(labels) or 'silence'}", labels
    yield from ((f"{SOLO}/{name}-{number:03}", (name,)) for name in others for number in range(solos))
    rng = seeding.generator(settings.seed, "yardstick", "others")
    for count in range(1, 4):
        for number in range(mixtures):
            labels = _with_one_of(rng, others, count)
            yield f"{MIXTURE}/{count}-others-{number:03}-{'+'.join(labels)}", labels


def _excerpts(settings: params.Params, excerpts: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    rng = seeding.generator(settings.seed, "yardstick", EXCERPT)
    for number in range(excerpts):
        labels = _chosen(rng, EXCERPT_CLASSES, 1 + number % 3)
        yield f"{EXCERPT}/{number:03}-{'+'.join(labels)}", labels


def _chosen(rng: np.random.Generator, classes: tuple[str, ...], count: int) -> tuple[str, ...]:
    return tuple(classes[index] for index in sorted(rng.choice(len(classes), size=count, replace=False).tolist()))


def _with_one_of(rng: np.random.Generator, others: list[str], count: int) -> tuple[str, ...]:
    """Choose instruments, one of the others at least: a model of the classes in params.yaml is not asked about them."""
    while True:
        labels = _chosen(rng, tuple(INSTRUMENTS), count)
        if not set(others).isdisjoint(labels):
            return labels


def _clip(settings: params.Params, name: str, labels: tuple[str, ...]) -> pretty_midi.PrettyMIDI:
    return scores.compose(seeding.generator(settings.seed, "yardstick", name), labels, SECONDS)


def _excerpt(settings: params.Params, name: str, labels: tuple[str, ...]) -> pretty_midi.PrettyMIDI:
    """Compose until every instrument is audible throughout, as its label says of every window."""
    rng = seeding.generator(settings.seed, "yardstick", name)
    seconds = round(rng.uniform(5.5, 20), 1)
    while True:
        score = _written_and_read(midi.cut(scores.compose(rng, labels, seconds), 0, seconds))
        audible = [track for track in score.instruments if _is_audible(track, seconds)]
        last = max((note.end for track in audible for note in track.notes), default=0)
        if len(audible) == len(labels) and last > max(5, seconds - SECONDS / 2):
            return score


def _written_and_read(score: pretty_midi.PrettyMIDI) -> pretty_midi.PrettyMIDI:
    """Return what a file holds of a score: notes of one pitch that overlap end together there."""
    file = io.BytesIO()
    score.write(file)
    return pretty_midi.PrettyMIDI(io.BytesIO(file.getvalue()))


def _is_audible(track: pretty_midi.Instrument, seconds: float) -> bool:
    """Return whether every three seconds hold a note that began at most three seconds before."""
    return all(
        any(note.start < onset + SECONDS and min(note.end, note.start + SECONDS) > onset for note in track.notes)
        for onset in np.arange(0, seconds - SECONDS / 2, SECONDS / 2)
    )


def main() -> int:
    """Make the test scores that the folder named lacks."""
    if len(sys.argv) != 2:
        raise UserError("argument-missing", "usage", "python scripts/make_test_scores.py FOLDER")
    make(Path(sys.argv[1]), params.load())
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
