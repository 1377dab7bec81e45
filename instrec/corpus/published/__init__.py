"""Published datasets: their terms, how to get them, and their usable files.

A dataset named in `sources.train` keeps its own partition: its training part trains, its test part tests. Without
one of its own, its groups are split as recordings are. One named in `sources.test` alone only tests: with its test part
where it has one, else with all of it.
"""

from __future__ import annotations

from pathlib import Path

from instrec.corpus.index import Entry, Excluded, parted
from instrec.corpus.published.base import Corpus
from instrec.corpus.published.folders import JUNGLE_VIBE, NOTES
from instrec.corpus.published.good_sounds import GOOD_SOUNDS
from instrec.corpus.published.irmas import IRMAS
from instrec.corpus.published.medley_solos_db import MEDLEY_SOLOS_DB
from instrec.corpus.published.medleydb import MEDLEYDB
from instrec.corpus.published.omt import OMT
from instrec.corpus.published.openmic import OPENMIC
from instrec.corpus.published.philharmonia import PHILHARMONIA
from instrec.corpus.published.slakh import SLAKH
from instrec.corpus.published.tinysol import TINYSOL
from instrec.errors import UserError
from instrec.params import SourcesParams

CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        *(IRMAS, MEDLEY_SOLOS_DB, GOOD_SOUNDS, TINYSOL, OPENMIC, SLAKH),
        *(PHILHARMONIA, NOTES, MEDLEYDB, JUNGLE_VIBE, OMT),
    )
}
"""The known datasets by the names that `sources.train` and `sources.test` take."""

# Songs that train in one dataset lie under other names in another, where they could test or validate.
_CUT_FROM = {MEDLEY_SOLOS_DB.name: MEDLEYDB.name}


def scan(sources: SourcesParams, *, classes: tuple[str, ...], workers: int = 0) -> tuple[list[Entry], list[Excluded]]:
    """Get, verify and list every dataset that params.yaml names.

    Raises
    ------
    UserError
        If a name is unknown, two datasets share songs, one cannot be downloaded, or its files are missing or damaged.
    """
    entries: list[Entry] = []
    excluded: list[Excluded] = []
    for key, chosen in (("train", sources.train), ("test", sources.test)):
        if unknown := [name for name in chosen if name not in CORPORA]:
            reason = f"unknown dataset {unknown[0]!r}; known: {', '.join(CORPORA)}"
            raise UserError("value-unknown", f"params.yaml: sources.{key}", reason)
    names = tuple(dict.fromkeys((*sources.train, *sources.test)))
    for name, origin in _CUT_FROM.items():
        if name in sources.train and origin in names:
            raise UserError(
                "datasets-overlap",
                "params.yaml: sources.train",
                f"{name} is cut from songs of {origin}, which would lie in several splits; "
                f"leave out one of them, or name {name} in sources.test alone",
            )
    for name in names:
        corpus, folder = CORPORA[name], Path(sources.corpora) / name
        corpus.download(folder)
        _verify(corpus, folder, workers)
        only_tests = name not in sources.train
        own, left_out = parted(corpus.entries(folder, classes=classes, only_tests=only_tests, workers=workers))
        entries += own
        excluded += left_out
    return entries, excluded


def _verify(corpus: Corpus, folder: Path, workers: int) -> None:
    missing, damaged = corpus.validate(folder, workers=workers)
    if not corpus.checked:
        damaged = []  # reported one by one where they are decoded
    if not (missing or damaged):
        return
    found = f"{len(missing)} files missing, {len(damaged)} damaged (the first: {(missing + damaged)[0]})"
    # A file has to be missing, or all counts as unpacked by hand.
    which = "" if missing else f"{damaged[0]} and "
    remedy = f"remove {which}{folder}/.unpacked to download it again" if corpus.checked else corpus.how
    raise UserError("dataset-incomplete", corpus.name, f"{found}; {remedy}")
