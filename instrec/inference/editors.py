"""Predictions as files that audio editors and annotation programs open: labels, layers, tiers, regions, captions.

Times are in seconds from the start of the sound, labels are the display names of the instruments.
"""

from __future__ import annotations

import csv
import html
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from instrec import taxonomy
from instrec.inference.whole_file import Sounding

JAMS_SCHEMA = "0.3.5"


class Label(NamedTuple):
    """A stretch in which an instrument sounds, in seconds; rows count instruments from 1 on."""

    start: float
    end: float
    title: str
    row: int


def labels(instruments: Sequence[Sounding]) -> list[Label]:
    """Return every stretch in the order of its start."""
    return sorted(
        Label(round(start, 3), round(end, 3), taxonomy.instrument(each.name).title, row)
        for row, each in enumerate(instruments, 1)
        for start, end in each.segments
    )


def audacity(instruments: Sequence[Sounding]) -> str:
    """Return a label track for Audacity (File > Import > Labels): start, end and label, tabs between."""
    return "".join(f"{each.start:.3f}\t{each.end:.3f}\t{each.title}\n" for each in labels(instruments))


def reaper(instruments: Sequence[Sounding]) -> str:
    """Return regions for Reaper's Region/Marker Manager (Import regions/markers)."""
    lines = io.StringIO()
    rows = csv.writer(lines, lineterminator="\n")
    rows.writerow(("#", "Name", "Start", "End", "Length"))
    for number, each in enumerate(labels(instruments), 1):
        rows.writerow((f"R{number}", each.title, *map(_clock, (each.start, each.end, each.end - each.start))))
    return lines.getvalue()


def webvtt(instruments: Sequence[Sounding]) -> str:
    """Return a track of captions for a player of HTML; those of instruments that sound together overlap.

    Source: W3C, WebVTT: The Web Video Text Tracks Format.
    """
    cues = (
        f"\n{_clock(each.start)} --> {_clock(each.end)}\n{html.escape(each.title, quote=False)}\n"
        for each in labels(instruments)
    )
    return "WEBVTT\n" + "".join(cues)


def sonic_visualiser(instruments: Sequence[Sounding], *, seconds: float, sample_rate: int) -> str:
    """Return a layer of regions for Sonic Visualiser, a row per instrument.

    Parameters
    ----------
    seconds : length of the sound.
    sample_rate : of the audio file, in Hz: Sonic Visualiser counts in the samples of what it shows.
    """
    root = ElementTree.Element("sv")
    data = ElementTree.SubElement(root, "data")
    frames = {"sampleRate": str(sample_rate), "start": "0", "end": str(round(seconds * sample_rate))}
    rows = {"minimum": "1", "maximum": str(max(1, len(instruments))), "units": ""}
    kind = {"type": "sparse", "subtype": "region", "dimensions": "3", "resolution": "1", "valueQuantization": "0"}
    ElementTree.SubElement(data, "model", {"id": "1", "name": "instruments", "dataset": "0"} | kind | frames | rows)
    points = ElementTree.SubElement(data, "dataset", id="0", dimensions="3")
    for each in labels(instruments):
        start, end = round(each.start * sample_rate), round(each.end * sample_rate)
        place = {"frame": str(start), "duration": str(end - start), "value": str(each.row)}
        ElementTree.SubElement(points, "point", place, label=each.title)
    display = ElementTree.SubElement(root, "display")
    ElementTree.SubElement(display, "layer", id="2", type="regions", name="instruments", model="1")
    ElementTree.indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE sonic-visualiser>\n'
    return head + ElementTree.tostring(root, encoding="unicode") + "\n"


def text_grid(instruments: Sequence[Sounding], *, seconds: float) -> str:
    """Return a TextGrid for Praat, which ELAN imports too; a tier per instrument, as stretches of one do not overlap.

    Parameters
    ----------
    seconds : length of the sound.
    """
    from pympi.Praat import TextGrid

    grid = TextGrid(xmax=seconds)
    titles = [taxonomy.instrument(each.name).title for each in instruments]
    tiers = {title: grid.add_tier(title) for title in titles or ["nothing"]}  # Praat reads no grid without a tier
    for each in labels(instruments):
        tiers[each.title].add_interval(each.start, min(each.end, seconds), each.title)
    with tempfile.TemporaryDirectory() as folder:  # it writes into named files alone
        path = Path(folder) / "grid"
        grid.to_file(path)
        return path.read_text(encoding="utf-8")


def jams(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JAMS object with one annotation, whose tags are the instruments, one for each segment.

    Parameters
    ----------
    said : from `Prediction.to_dict`.

    Source: Humphrey et al., JAMS: a JSON annotated music specification (ISMIR 2014); namespace `tag_open`.
    """
    from importlib.metadata import version  # a tenth of a second, for this format alone

    annotation = {
        "namespace": "tag_open",
        "time": 0.0,
        "duration": said["duration_seconds"],
        "data": [
            {"time": start, "duration": round(end - start, 3), "value": each["name"], "confidence": each["probability"]}
            for each in said["instruments"]
            for start, end in each["segments"]
        ],
        "annotation_metadata": {
            "annotation_tools": f"instrec {version('instrec')}",
            "data_source": "program",
            "curator": {"name": "", "email": ""},
            "annotator": {},
            **dict.fromkeys(("version", "corpus", "annotation_rules", "validation"), ""),
        },
        "sandbox": {"complete": said["complete"]},
    }
    file_metadata = {
        "title": Path(said["file"]).name,
        **dict.fromkeys(("artist", "release"), ""),
        "duration": said["duration_seconds"],
        "identifiers": {},
        "jams_version": JAMS_SCHEMA,
    }
    return {"annotations": [annotation], "file_metadata": file_metadata, "sandbox": {}}


def _clock(seconds: float) -> str:
    """Write a time as 1:02:03.456 with two digits for the hours, as Reaper and WebVTT read it."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
