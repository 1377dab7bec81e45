"""OpenMIC-2018: what listeners heard, what they denied, and what nobody asked them about."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from instrec import features
from instrec.corpus import balance, index, manifest, published
from instrec.corpus.index import Entry, parted
from instrec.corpus.published import CORPORA
from instrec.synthesis import rendering, writing
from instrec.util import hdf5
from tests.corpus.balance.making import held
from tests.corpus.published.miniature_sizes import ALL, sources


@pytest.fixture
def entries(bring) -> dict[int, Entry]:
    """The entries of the miniature by the number of the excerpt: three per label, in the order of `openmic.LABELS`."""
    found, _ = parted(CORPORA["openmic"].entries(bring("openmic"), classes=ALL, workers=1))
    return {int(Path(entry.path).stem.partition("_")[0]): entry for entry in found}


def known(entry: Entry) -> set[str]:
    return set(ALL) - set(entry.unknown)


def test_what_nobody_was_asked_about_is_unknown(entries):
    assert Counter(len(entry.labels) for entry in entries.values()).keys() == {1, 2}
    assert entries[9].labels == ("clarinet",)
    assert known(entries[9]) == {"clarinet", "cello", "banjo"}  # the last two were denied
    assert known(entries[19]) >= {"flute", "mallet_percussion"} == set(entries[19].labels)
    assert all(set(entry.labels) <= known(entry) for entry in entries.values())
    assert all("oboe" in entry.unknown for entry in entries.values())  # of no excerpt anyone asks


def test_drums_are_absent_where_both_of_their_labels_were_denied(entries):
    assert "drums" in known(entries[18])
    assert "drums" not in entries[18].labels
    assert "drums" in entries[21].unknown  # nobody asked about cymbals
    assert entries[12].labels == ("drums",)  # cymbals
    assert entries[15].labels == ("drums",)  # cymbals were denied


def test_a_guitar_may_be_either_and_no_guitar_is_neither(entries):
    guitars = {"acoustic_guitar", "electric_guitar"}
    assert known(entries[0]) == {"accordion", *guitars}  # denied
    assert entries[52].labels == ("accordion",)  # with a guitar
    assert not guitars & known(entries[52])
    assert {51, 53}.isdisjoint(entries)  # a guitar alone


def test_only_classes_of_params_are_listed(bring):
    folder = bring("openmic")
    few, programs = (
        parted(CORPORA["openmic"].entries(folder, classes=classes, workers=1))[0]
        for classes in (("clarinet", "oboe", "cello"), ("gm_071", "gm_068", "gm_125"))
    )
    assert {(entry.labels, entry.unknown) for entry in few} >= {(("clarinet",), ("oboe",))}
    # The helicopter stands for no instrument.
    assert {(entry.labels, entry.unknown) for entry in programs} >= {(("clarinet",), ("oboe", "gm_125"))}


def add_scores() -> None:
    """Make frozen scores of no class here, which are never opened."""
    for name in ("solo/kazoo-000", "excerpt/000-kazoo"):
        Path("data", name).parent.mkdir(parents=True)
        Path("data", f"{name}.mid").touch()


LABELS_OF = {
    **dict.fromkeys((0, 2), (("accordion",), ("oboe", "drums", "flute"))),
    **dict.fromkeys((12, 13, 14, 17), (("drums",), ("oboe", "accordion", "acoustic_guitar", "flute"))),
    **dict.fromkeys((18, 20), (("flute",), ("oboe", "accordion", "acoustic_guitar"))),
    52: (("accordion",), ("oboe", "drums", "acoustic_guitar", "flute")),
}
"""Labels and unknown classes of every excerpt without other classes whose artist tests or trains, but not both."""


def test_from_listeners_to_the_spectrograms_of_every_split(bring, small_params):
    bring("openmic")
    add_scores()
    bounds = replace(small_params.balance, train_mixtures=999, valid_mixtures=999, fill_up=False, valid_share=0.5)
    params = replace(small_params, classes=("oboe", "drums", "accordion", "acoustic_guitar", "flute"), balance=bounds)
    index.write(Path("datasets"), *published.scan(sources(train=("openmic",)), classes=params.classes, workers=1))
    clips = balance.make(params, index.read(Path("datasets")), Path("data"), held(params))
    manifest.write(Path("manifest.csv"), clips)
    assert manifest.read(Path("manifest.csv")) == clips
    assert {(clip.split, clip.id.split("/")[1]) for clip in clips} == {
        *(("train", "mixture"), ("valid", "mixture"), ("openmic", "excerpt"))
    }
    found = {int(Path(clip.path).stem.partition("_")[0]): (clip.labels, clip.unknown) for clip in clips}
    assert found == LABELS_OF

    writing.write_splits(Path("audio"), clips, rendering.Renderer(params, Path("data")))
    representation = features.from_params(params.clip, params.spectrogram)
    for split in manifest.splits(clips):
        features.write(Path("features.h5"), Path(f"audio/{split}.h5"), representation, workers=1)
        with hdf5.open_store(Path("features.h5")) as store:
            assert store.unknown.any()
            for row, clip in enumerate(manifest.of_split(clips, split)):
                assert store.ids[row] == clip.id
                for names, sets in ((clip.labels, store.labels), (clip.unknown, store.unknown)):
                    assert names == tuple(np.array(params.classes)[sets[row] > 0])


def test_a_model_of_solo_clips_learns_from_none(bring, small_params):
    bring("openmic")
    add_scores()
    bounds = replace(small_params.balance, train_mixtures=0, valid_mixtures=0, fill_up=False)
    params = replace(
        small_params, task="solo", balance=bounds, train=replace(small_params.train, mix_probability=0.0), classes=ALL
    )
    entries, _ = published.scan(sources(train=("openmic",)), classes=ALL, workers=1)
    assert {clip.split for clip in balance.make(params, entries, Path("data"), held(params))} == {"openmic"}
