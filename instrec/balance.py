"""From what there is to what training needs: the manifest.

Silence is left out, groups are split, classes brought to their quota, and deficits turned into scores to synthesise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from tqdm import tqdm

from instrec import seeding
from instrec.manifest import CLEAN, NOISY, RECORDING, SCORE, Clip
from instrec.params import Params
from instrec.sources import audio
from instrec.sources.index import MIDI, RECORDINGS, Entry
from instrec.yardstick import TEST_SETS, score_files

RECORDINGS_TEST = "recordings"
_MIXTURE_COUNTS = (0, 2, 3)


def make(params: Params, entries: Iterable[Entry], data: Path) -> list[Clip]:
    """Decide every clip of every split.

    Parameters
    ----------
    entries : the usable files, from `datasets/index.csv`; none at all gives a manifest of scores alone.
    data : folder of the frozen test scores.
    """
    cut = _cut(params, entries)
    clips: list[Clip] = []
    for split, per_class, mixtures, fonts in (
        ("train", params.balance.train_per_class, params.balance.train_mixtures, params.soundfonts.train),
        (
            "valid",
            params.balance.valid_per_class,
            params.balance.valid_mixtures,
            params.soundfonts.valid or params.soundfonts.train,
        ),
    ):
        own = [clip for clip in cut if clip.split == split]
        clips += _filled(params, split, own, per_class, mixtures, fonts)
    clips += [clip for clip in cut if clip.split == RECORDINGS_TEST]
    clips += _test_sets(params, data)
    return clips


def _cut(params: Params, entries: Iterable[Entry]) -> list[Clip]:
    """Cut files into clips that are not silent, each in the split of its group."""
    entries = sorted(
        (entry for entry in entries if set(entry.labels) <= set(params.classes)),
        key=lambda entry: (entry.path, entry.onset),
    )
    split_of = _split_groups(params, entries)
    clips = []
    for entry in tqdm(entries, desc="silence", unit="file", disable=None if entries else True):
        split = split_of[entry.group]
        for onset in _onsets(params, entry):
            number = f"{onset:08.2f}"
            clips.append(
                Clip(
                    id=f"{split}/{'solo' if len(entry.labels) == 1 else 'mixture'}/{entry.path}@{number}",
                    split=split,
                    source=RECORDING if entry.source == RECORDINGS else SCORE,
                    path=entry.path,
                    onset=onset,
                    labels=tuple(sorted(entry.labels, key=params.classes.index)),
                    group=entry.group,
                    soundfont="",
                    noise=CLEAN,
                    seed=params.seed,
                )
            )
    return clips


def _onsets(params: Params, entry: Entry) -> Iterator[float]:
    """Where clips start: one after the other, none of them silent. MIDI files were cut when they were read."""
    if entry.source == MIDI:
        yield entry.onset
        return
    clip = params.clip
    onset = 0.0
    for y in audio.blocks(Path(entry.path), clip.sample_rate, block_seconds=clip.seconds):
        # A short file is one clip; a short rest of a long one is none.
        if onset == 0 or len(y) >= clip.samples // 2:
            rms = float(np.sqrt(np.mean(np.square(y, dtype=np.float64))))
            if 20 * np.log10(max(rms, 1e-10)) >= params.selection.silence_dbfs:
                yield onset
        onset += clip.seconds


def _split_groups(params: Params, entries: list[Entry]) -> dict[str, str]:
    """Give every group its split, class by class, so that each class is in each split where it has groups enough."""
    split_of: dict[str, str] = {}
    # MIDI files never test: test set `recordings` is real sound alone.
    for (source, test_share), name in product(
        ((RECORDINGS, params.balance.test_share), (MIDI, 0.0)), sorted(params.classes)
    ):
        own = {entry.group for entry in entries if entry.source == source and name in entry.labels}
        groups = sorted(own - split_of.keys())
        seeding.generator(params.seed, "split", name).shuffle(groups)
        # A single group trains; a second one is worth more as a test than as validation.
        test = min(round(test_share * len(groups)) or int(test_share > 0), len(groups) - 1)
        valid = min(round(params.balance.valid_share * len(groups)), len(groups) - 1 - test)
        for place, group in enumerate(groups):
            split_of[group] = RECORDINGS_TEST if place < test else "valid" if place < test + valid else "train"
    return split_of


def _filled(
    params: Params, split: str, own: list[Clip], per_class: int, mixtures: int, fonts: tuple[str, ...]
) -> Iterator[Clip]:
    """Bring every class, and mixtures, to their quota: thin, or synthesise what lacks; decide the noise."""
    parts = [(f"solo/{name}", [clip for clip in own if clip.labels == (name,)], per_class) for name in params.classes]
    parts.append(("mixture", [clip for clip in own if len(clip.labels) != 1], mixtures))
    for part, found, quota in parts:
        rng = seeding.generator(params.seed, "balance", split, part)
        kept = sorted(rng.permutation(len(found))[:quota].tolist())
        clips = [found[index] for index in kept]
        clips += [_composed(params, rng, split, part, number) for number in range(quota - len(clips))]
        first = int(rng.integers(len(fonts)))
        for number, clip in enumerate(clips):
            font = fonts[(first + number) % len(fonts)] if clip.source == SCORE else ""
            noise = NOISY if rng.random() < params.balance.noisy_share else CLEAN
            yield replace(clip, soundfont=font, noise=noise)


def _composed(params: Params, rng: np.random.Generator, split: str, part: str, number: int) -> Clip:
    if part == "mixture":
        count = min(_MIXTURE_COUNTS[number % len(_MIXTURE_COUNTS)], len(params.classes))
        chosen = rng.choice(sorted(params.classes), size=count, replace=False).tolist()
        labels = tuple(sorted(chosen, key=params.classes.index))
        name = f"{split}/mixture/{count}-{number:05}"
    else:
        labels = (part.removeprefix("solo/"),)
        name = f"{split}/{part}-{number:05}"
    return Clip(name, split, SCORE, "", 0.0, labels, name, "", CLEAN, params.seed)


def _test_sets(params: Params, data: Path) -> Iterator[Clip]:
    files = score_files(data, params.classes)
    for test_set in TEST_SETS:
        fonts = (params.soundfonts.unseen,) if test_set.unseen else params.soundfonts.train
        for number, (file, labels) in enumerate(files):
            name = file.relative_to(data).with_suffix("")
            yield Clip(
                id=f"{test_set.name}/{name.as_posix()}",
                split=test_set.name,
                source=SCORE,
                path=file.as_posix(),
                onset=0.0,
                labels=labels,
                group=name.as_posix(),
                soundfont=fonts[number % len(fonts)],
                noise=test_set.noise,
                seed=params.seed,
            )
