"""CSV: the repository's own files, each read by what reads it in the product."""

from __future__ import annotations

import functools
import math
from pathlib import Path

from tests.fuzz import mutations
from tests.fuzz.formats.readers import by_name
from tests.fuzz.harness import Format


def _manifest(path: Path) -> None:
    from instrec.corpus import manifest

    for clip in manifest.read(path):
        assert math.isfinite(clip.onset), clip
        assert clip.seed >= 0, clip
        assert all(isinstance(value, str) for value in (clip.id, clip.split, clip.path, *clip.labels, *clip.unknown)), (
            clip
        )


def _entries(path: Path) -> None:
    from instrec.corpus import index

    for entry in index.read(path.parent):
        assert math.isfinite(entry.onset + entry.duration), entry
        assert all(isinstance(value, str) for value in (entry.source, entry.path, entry.group, entry.split)), entry


def _held(path: Path) -> None:
    from instrec.corpus import soundfont_programs

    for held in soundfont_programs.read(path).values():
        assert all(0 <= number < 128 for number in held.programs | held.kits), held


def _labels(path: Path) -> None:
    from instrec.evaluation import labeled_table

    classes = ("violin", "piano", "flute", "drums")
    found, _ = labeled_table.read(path, classes)
    assert all((each.present | each.absent) <= set(classes) for each in found), found


def _history(path: Path) -> None:
    from instrec.tracking.report import charts

    charts.learning_curves(path)


def _drawn(path: Path) -> None:
    from instrec.evaluation import figures

    figures.of_sets(path.parent, ["seen"])


_MANIFEST = "id,split,source,path,onset,labels,group,soundfont,noise,seed\n" + "".join(
    f"train/solo/violin-{n:03},train,score,,0.0,violin piano,violin-{n},TimGM6mb.sf2,clean,{n}\n" for n in range(5)
)
_MANIFEST += "valid/mixture/a,valid,recording,a.wav,1.5,piano ?flute ?oboe,a,,clean,5\n"
_INDEX = "source,path,onset,duration,labels,group,split\n" + "".join(
    f"midi,midi/song {n}.mid,{3.0 * n},3.0,violin,midi/song {n}.mid,train\n" for n in range(5)
)
_INDEX += "openmic,a.ogg,0.0,10.0,piano ?flute ?oboe,openmic/a,train\n"
_SOUNDFONTS = "name,programs,kits\nTimGM6mb.sf2,0-127,0 8 16 24-25\nFreePats.sf2,0-2 16-19 24,\n"
_HISTORY = "epoch,loss,val_loss,presence_f1,val_presence_f1\n" + "".join(
    f"{n},{1 / n:.4f},{1.1 / n:.4f},{1 - 1 / n:.4f},{1 - 1.1 / n:.4f}\n" for n in range(1, 6)
)
_CONFUSION = "actual,predicted\n" + "violin,violin\nflute,violin\nflute,flute\n" * 3
_CALIBRATION = "predicted,observed,low,high,decisions\n0.1,0.12,0.1,0.2,90\n0.8,0.75,0.7,0.9,30\n"
_F1 = "class,f1,low,high,clips\nviolin,0.8,0.7,0.9,3\nflute,0.5,0.4,0.6,6\n"


@functools.cache
def _table_seeds() -> dict[str, bytes]:
    texts = {
        "build/manifest.csv": _MANIFEST,
        "datasets/index.csv": _INDEX,
        "datasets/soundfonts.csv": _SOUNDFONTS,
        "labels.csv": "file,labels,absent,group\na.wav,violin;piano,drums,one\nb.wav,flute,,two\n",
        "models/history.csv": _HISTORY,
        "plots/confusion_seen.csv": _CONFUSION,
        "plots/f1_seen.csv": _F1,
        "plots/calibration_seen.csv": _CALIBRATION,
    }
    return {name: text.encode() for name, text in texts.items()}


TABLE = Format(
    60,
    _table_seeds,
    mutations.textual,
    by_name(
        {
            "build/manifest.csv": _manifest,
            "datasets/index.csv": _entries,
            "datasets/soundfonts.csv": _held,
            "labels.csv": _labels,
            "models/history.csv": _history,
            "plots/confusion_seen.csv": _drawn,
            "plots/f1_seen.csv": _drawn,
            "plots/calibration_seen.csv": _drawn,
        }
    ),
    (
        *("instrec.corpus.manifest", "instrec.corpus.index", "instrec.corpus.soundfont_programs"),
        *("instrec.evaluation.labeled_table", "instrec.tracking.report.charts"),
    ),
)
