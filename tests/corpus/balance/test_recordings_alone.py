"""Without synthesized clips, a dataset is used as a whole: Gómez's recipe on what looks like IRMAS."""

from dataclasses import replace
from itertools import groupby

from instrec.corpus.manifest import RECORDING
from instrec.tracking.reproductions import recipes
from tests.corpus.balance.making import make, recording
from tests.tracking.reproductions.all_recipes import FOLDER, PARAMS


def test_no_second_is_dropped_and_none_is_added(tmp_path, data):
    changes = recipes.load(FOLDER, "gomez2018").changes(data_sets=True)
    _, params = recipes.settings(PARAMS, changes, "gomez2018")
    params = replace(params, workers=1)
    files = [("voice", 9), ("flute", 5), ("cello", 2)]
    entries = [
        replace(recording(tmp_path, name, f"r{number}", seconds=3.0), source="irmas", split="train")
        for name, total in files
        for number in range(total)
    ]
    song = recording(tmp_path, "voice", "song", seconds=5.0)
    entries.append(replace(song, source="irmas", split="test", labels=("voice", "piano")))
    clips = [clip for clip in make(params, entries, data) if clip.split in ("train", "valid", "irmas")]
    assert {clip.source for clip in clips} == {RECORDING}
    onsets = {
        (path, split): [clip.onset for clip in own]
        for (path, split), own in groupby(
            sorted(clips, key=lambda clip: (clip.path, clip.onset)), key=lambda clip: (clip.path, clip.split)
        )
    }
    assert onsets.pop((song.path, "irmas")) == [half / 2 for half in range(9)]
    assert len(onsets) == 16
    assert all(starts == [0.0, 1.0, 2.0] for starts in onsets.values())
    assert {split for _, split in onsets} == {"train", "valid"}
