"""What the miniature of each dataset gives."""

from instrec import params, taxonomy
from instrec.corpus.published import CORPORA
from instrec.corpus.published.mirdata_loader import MirdataCorpus

ALL = tuple(taxonomy.INSTRUMENTS)


DOWNLOADED = [name for name, corpus in CORPORA.items() if isinstance(corpus, MirdataCorpus)]


PLACED = [name for name in CORPORA if name not in DOWNLOADED]


# What each miniature gives: files with an entry, of its training, validation and test part, groups, and files left out.
FOUND = {
    "irmas": (61, {"train": 55, "test": 6}, 25, 0),
    "medley_solos_db": (32, {"train": 16, "valid": 8, "test": 8}, 32, 0),
    "good_sounds": (48, {"": 48}, 16, 1),
    "tinysol": (75, {"": 75}, 75, 1),
    "openmic": (48, {"train": 32, "test": 16}, 25, 2),
    "slakh": (12, {"train": 4, "valid": 4, "test": 4}, 3, 2),
    "philharmonia": (20, {"": 20}, 15, 3),
    "notes": (21, {"": 21}, 19, 0),
    "medleydb": (6, {"": 6}, 2, 3),
    "jungle_vibe": (10, {"": 10}, 10, 1),
    "omt": (15, {"": 15}, 3, 1),
}


def downloaded(name: str) -> MirdataCorpus:
    corpus = CORPORA[name]
    assert isinstance(corpus, MirdataCorpus)
    return corpus


def sources(*, train: tuple[str, ...] = (), test: tuple[str, ...] = ()) -> params.SourcesParams:
    return params.SourcesParams("recordings", "midi", "corpora", train, test)
