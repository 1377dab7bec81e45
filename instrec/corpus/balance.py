"""From the index to the manifest.

Silence is left out, groups are split, and each class gets its quota of clips; scores fill the gaps.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from instrec.audio import windowing
from instrec.corpus import ensembles, manifest, soundfont_programs, test_sets
from instrec.corpus.index import MIDI, RECORDINGS, Entry, is_solo
from instrec.corpus.manifest import CLEAN, NOISY, RECORDING, SCORE, Clip
from instrec.corpus.soundfont_programs import Holdings
from instrec.corpus.test_sets import EXCERPT, MIXTURE, SOLO
from instrec.params import Params
from instrec.scores import midi
from instrec.util import parallel, seeding
from instrec.util.progress import tqdm

_LEARNED = ("train", "valid")
_TESTED_COUNTS = (0, 1, 2, 3)  # a test's mixtures are about counts, in equal parts (Sethi 2018)


def make(params: Params, entries: Iterable[Entry], data: Path, held: Holdings) -> list[Clip]:
    """Decide every clip of every split.

    Parameters
    ----------
    entries : the usable files, from `datasets/index.csv`; without any, the manifest has scores alone.
    data : folder of the frozen test scores.
    held : what each SoundFont holds, from `datasets/soundfonts.csv`.

    Raises
    ------
    UserError
        If no SoundFont of a split holds all programs of a clip's classes.
    """
    cut = _cut(params, entries)
    clips: list[Clip] = []
    quotas, train = params.balance, params.soundfonts.train
    for split, own_quotas, fonts in (
        ("train", (quotas.train_per_class, quotas.train_mixtures), train),
        ("valid", (quotas.valid_per_class, quotas.valid_mixtures), params.soundfonts.valid or train),
    ):
        own = [clip for clip in cut if clip.split == split]
        filled = _filled(params, split, own, own_quotas, fonts, held)
        clips += manifest.with_noisy_twins(filled) if quotas.noisy_copies else filled
    clips += [clip for clip in cut if clip.split not in _LEARNED]
    for test_set in test_sets.TEST_SETS:
        clips += _frozen(params, test_set, data, held)
    for test_set in test_sets.COMPOSED.values():
        clips += _composed_test(params, test_set, held)
    return clips


def round_clips(params: Params, clips: Iterable[Clip], number: int, held: Holdings) -> list[Clip]:
    """Return the training clips of a round of the synthesis loop (Sethi 2018), in the manifest's order.

    Round 0 is the manifest itself. Every other round draws new scores, instruments of mixtures and noise. The number of
    clips per class and of mixtures per count stays, and the number per SoundFont if all hold all programs. Recordings
    and the user's scores stay as they are. Noisy twins follow their originals.
    """
    training = manifest.of_split(clips, "train")
    if number == 0:
        return training
    originals = [clip for clip in training if not clip.id.endswith(manifest.TWIN)]
    redrawn = [
        clip if clip.source == RECORDING or clip.path else _redrawn(params, clip, number, held, place)
        for place, clip in enumerate(originals)
    ]
    return redrawn if originals == training else manifest.with_noisy_twins(redrawn)


def _redrawn(params: Params, clip: Clip, number: int, held: Holdings, place: int) -> Clip:
    name = f"{clip.id}-round-{number}"
    rng = seeding.generator(params.seed, "balance", name)
    classes = [name for name in clip.labels if name in params.classes]
    solo = len(classes) == len(clip.labels) == 1
    labels = clip.labels if solo else ensembles.mixture(rng, params, len(classes))
    fonts = params.soundfonts.train
    first = fonts.index(clip.soundfont) if clip.soundfont in fonts else 0
    font = ensembles.soundfonts(rng, params, held, fonts, labels, len(fonts) * place + first + number)
    noise = _noise(params, rng, labels)
    return replace(clip, id=name, labels=labels, group=name, soundfont=font, noise=noise)


def _noise(params: Params, rng: np.random.Generator, labels: tuple[str, ...]) -> str:
    """Decide whether a clip is noisy; if any may be, one without instruments is, as silence teaches little."""
    drawn = rng.random() < params.balance.noisy_share
    return NOISY if drawn or (not labels and params.balance.noisy_share > 0) else CLEAN


def _cut(params: Params, entries: Iterable[Entry]) -> list[Clip]:
    """Cut files into clips that are not silent, each in the split of its group."""
    # What tests by its own partition may be about instruments that programs stand for; all else is learned from.
    allowed = {"test": set(test_sets.target_classes(params.classes))}
    known = sorted(
        (entry for entry in entries if set(entry.labels) <= allowed.get(entry.split, set(params.classes))),
        key=lambda entry: (entry.path, entry.onset),
    )
    split_of = _split_groups(params, known)
    chosen = []
    for entry in known:
        split = entry.source if entry.split == "test" else split_of[entry.group]
        # A song that tests, in another dataset or by another partition, must not be learned from.
        if split in _LEARNED or (split == entry.source and entry.split not in _LEARNED):
            chosen.append((entry, split))
    found = parallel.ordered_map(functools.partial(_onsets, params), chosen, workers=params.workers)
    progress = tqdm(found, total=len(chosen), desc="silence", unit="file", disable=not chosen)
    # A test set in which several classes may sound in any file asks about several, of every file (IRMAS: one to five).
    multilabel = {split for entry, split in chosen if split not in _LEARNED and not is_solo(entry)}
    return [
        _clip(params, entry, split, EXCERPT if split in multilabel else SOLO if is_solo(entry) else MIXTURE, onset)
        for (entry, split), onsets in zip(chosen, progress, strict=True)
        for onset in onsets
    ]


def _onsets(params: Params, chosen: tuple[Entry, str]) -> list[float]:
    """Return the onsets of clips that are not silent. MIDI files were cut when they were read."""
    entry, split = chosen
    if entry.source == MIDI:
        return [entry.onset]
    hop_share = params.selection.hop_share if split in _LEARNED else params.selection.test_hop_share
    return list(windowing.starts(Path(entry.path), params.clip, params.selection, hop_share=hop_share))


def _clip(params: Params, entry: Entry, split: str, kind: str, onset: float) -> Clip:
    return Clip(
        id=f"{split}/{kind}/{entry.path}@{onset:08.2f}",
        split=split,
        source=SCORE if entry.source == MIDI else RECORDING,
        path=entry.path,
        onset=onset,
        labels=tuple(sorted(entry.labels, key=test_sets.label_columns(split, params.classes).index)),
        group=entry.group,
        soundfont="",
        noise=CLEAN,
        seed=params.seed,
        unknown=test_sets.standing_for(entry.unknown, split, params.classes),
    )


def _split_groups(params: Params, entries: list[Entry]) -> dict[str, str]:
    """Return the split of every group, class by class, so that each class with enough groups is in each split.

    Groups are split source by source. If a dataset has its own test files, its training files are split into training
    and validation only; its validation files stay as they are.
    """
    split_of = {entry.group: "valid" for entry in entries if entry.split == "valid"}
    split_of |= {entry.group: entry.source for entry in entries if entry.split == "test"}
    # MIDI files never test: test sets other than the frozen ones are real sound alone.
    shares = {(RECORDINGS, ""): params.balance.test_share, (MIDI, ""): 0.0}
    others = sorted({(entry.source, entry.split) for entry in entries if entry.split in ("", "train")} - shares.keys())
    shares |= {(source, own): 0.0 if own else params.balance.test_share for source, own in others}
    for ((source, own), test_share), name in product(shares.items(), sorted(params.classes)):
        of = [entry for entry in entries if (entry.source, entry.split) == (source, own) and name in entry.labels]
        groups = sorted({entry.group for entry in of} - split_of.keys())
        seeding.generator(params.seed, "split", name).shuffle(groups)
        # A single group trains; a second one is worth more as a test than as validation.
        test = min(round(test_share * len(groups)) or int(test_share > 0), len(groups) - 1)
        valid = min(round(params.balance.valid_share * len(groups)), len(groups) - 1 - test)
        for place, group in enumerate(groups):
            split_of[group] = source if place < test else "valid" if place < test + valid else "train"
    return split_of


def _filled(
    params: Params, split: str, own: list[Clip], quotas: tuple[int, int], fonts: tuple[str, ...], held: Holdings
) -> Iterator[Clip]:
    """Give every class, and mixtures, their quota: drop clips, add scores by `balance.fill_up`; decide the noise."""
    for part, found, quota in _parts(params, own, *quotas):
        rng = seeding.generator(params.seed, "balance", split, part)
        clips = [found[index] for index in sorted(rng.permutation(len(found))[:quota].tolist())]
        missing = quota - len(clips) if params.balance.fill_up else 0
        clips += [_composed(params, rng, split, part, place, params.balance.mixture_counts) for place in range(missing)]
        first = int(rng.integers(len(fonts)))
        for number, clip in enumerate(clips):
            played = clip.source == SCORE
            font = ensembles.soundfonts(rng, params, held, fonts, clip.labels, first + number) if played else ""
            yield replace(clip, soundfont=font, noise=_noise(params, rng, clip.labels))


def _parts(params: Params, own: list[Clip], per_class: int, mixtures: int) -> list[tuple[str, list[Clip], int]]:
    """Return name, available clips, and quota of every class and of mixtures."""
    solos = [clip for clip in own if is_solo(clip)]
    parts = [(f"{SOLO}/{name}", [clip for clip in solos if name in clip.labels], per_class) for name in params.classes]
    return [*parts, (MIXTURE, [clip for clip in own if not is_solo(clip)], mixtures)]


def _composed(
    params: Params, rng: np.random.Generator, split: str, part: str, number: int, counts: tuple[int, ...]
) -> Clip:
    if part == MIXTURE:
        count = min(counts[number % len(counts)], len(params.classes))
        labels = (ensembles.mixture if split in _LEARNED else ensembles.any_of)(rng, params, count)
        name = f"{split}/mixture/{count}-{number:05}"
    else:
        labels = (part.removeprefix(f"{SOLO}/"),)
        name = f"{split}/{part}-{number:05}"
    return Clip(name, split, SCORE, "", 0.0, labels, name, "", CLEAN, params.seed)


def composed_scores(params: Params) -> Iterator[Clip]:
    """Return the new scores of each of `test_sets.COMPOSED`, before they have a split, a SoundFont and noise."""
    for part, _, quota in _parts(params, [], params.balance.composed_per_class, params.balance.composed_mixtures):
        rng = seeding.generator(params.seed, "balance", "composed", part)
        for number in range(quota):
            yield _composed(params, rng, "composed", part, number, _TESTED_COUNTS)


def _composed_test(params: Params, test_set: test_sets.TestSet, held: Holdings) -> Iterator[Clip]:
    """Return new scores in the classes of the model; by their groups, those of every set in `test_sets.COMPOSED`."""
    fonts = test_set.fonts(params.soundfonts)
    for place, clip in enumerate(composed_scores(params)):
        if clip.id.split("/")[1] in test_set.kinds:
            name = clip.group.replace("composed", test_set.name, 1)
            font = soundfont_programs.font(held, fonts, clip.labels, place)
            yield replace(clip, id=name, split=test_set.name, soundfont=font, noise=test_set.noise)


def _frozen(params: Params, test_set: test_sets.TestSet, data: Path, held: Holdings) -> Iterator[Clip]:
    fonts = test_set.fonts(params.soundfonts)
    asked = test_sets.target_classes(params.classes)
    # Of programs that stand for no instrument, not even silence asks anything.
    files = test_sets.score_files(data, asked, test_set.kinds) if asked else []
    for number, (file, labels) in enumerate(files):
        name = file.relative_to(data).with_suffix("")
        clip = Clip(
            id=f"{test_set.name}/{name.as_posix()}",
            split=test_set.name,
            source=SCORE,
            path=file.as_posix(),
            onset=0.0,
            labels=labels,
            group=name.as_posix(),
            soundfont=soundfont_programs.font(held, fonts, labels, number),
            noise=test_set.noise,
            seed=params.seed,
        )
        if name.parent.name == EXCERPT:
            for onset in _excerpt_onsets(params, file):
                yield replace(clip, id=f"{clip.id}@{onset:08.2f}", onset=onset)
        else:
            yield clip


def _excerpt_onsets(params: Params, file: Path) -> Iterator[float]:
    """Return the onsets of the windows of a frozen excerpt, which cover all of it whatever `selection.start` says."""
    rate, hop = params.clip.sample_rate, windowing.hop_samples(params.clip, params.selection.test_hop_share)
    end = max((note.end for track in midi.load(file).instruments for note in track.notes), default=0.0)
    return (start / rate for start, _ in windowing.windows([np.zeros(round(end * rate))], params.clip.samples, hop))
