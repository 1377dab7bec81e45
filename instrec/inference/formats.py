"""Predictions as text to read, JSON, CSV and JAMS, and where they go."""

from __future__ import annotations

import csv
import io
import json
import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from instrec import taxonomy
from instrec.errors import UserError
from instrec.inference.batch import Sound
from instrec.inference.prediction import Prediction
from instrec.util.files import written_whole
from instrec.util.text import aligned, clock

JAMS_SCHEMA = "0.3.5"


@dataclass(frozen=True)
class Format:
    """How predictions are written: one each, a header before the first, and the ending of a file of them."""

    written: Callable[[Prediction], str]
    suffix: str
    header: str = ""


def rows(prediction: Prediction) -> str:
    """Return a line of CSV for each segment: file, instrument, its probability, start and end in seconds."""
    lines = io.StringIO()
    said = prediction.to_dict()
    csv.writer(lines, lineterminator="\n").writerows(
        (said["file"], each["name"], each["probability"], *span)
        for each in said["instruments"]
        for span in each["segments"]
    )
    return lines.getvalue()


def jams(prediction: Prediction) -> str:
    """Return a JAMS object with one annotation, whose tags are the instruments, one for each segment.

    Source: Humphrey et al., JAMS: a JSON annotated music specification (ISMIR 2014); namespace `tag_open`.
    """
    from importlib.metadata import version  # a tenth of a second, for this format alone

    said = prediction.to_dict()
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
    return json.dumps({"annotations": [annotation], "file_metadata": file_metadata, "sandbox": {}}, indent=1) + "\n"


FORMATS = {
    "text": Format(lambda prediction: prediction_table(prediction) + "\n", ".txt"),
    "json": Format(lambda prediction: json.dumps(prediction.to_dict()) + "\n", ".json"),
    "csv": Format(rows, ".csv", header="file,instrument,probability,start,end\n"),
    "jams": Format(jams, ".jams"),
}


def chosen(name: str | None, output: Path | None) -> Format:
    """Return the format of that name; none named, that of the output's ending; of a folder's or of none, text.

    Raises
    ------
    UserError
        If the ending is that of no format.
    """
    endings = {each.suffix: each for each in FORMATS.values()} | {".jsonl": FORMATS["json"]}
    if name or output is None or is_folder(output):
        return FORMATS[name or "text"]
    if output.suffix.lower() not in endings:
        raise UserError(
            "suffix-not-allowed", f"--output {output}", f"unknown ending; allowed: {' '.join(endings)}, or say --format"
        )
    return endings[output.suffix.lower()]


def is_folder(output: Path) -> bool:
    """Return whether an output is a folder: one that is there, or a name without an ending."""
    return output.is_dir() or not output.suffix


def check(form: Format, output: Path | None, sounds: Sequence[Sound]) -> None:
    """See that every prediction has a place of its own.

    Raises
    ------
    UserError
        If several JAMS objects would share a file, two files' predictions would go to one, or in place of a sound.
    """
    whole = output is not None and not is_folder(output)
    places = [] if output is None else [output] if whole else [_place(form, output, sound) for sound in sounds]
    inputs = {sound.path.resolve() for sound in sounds}
    if taken := [place for place in places if place.resolve() in inputs]:
        raise UserError("output-is-input", f"--output {taken[0]}", "is one of the sounds; name another")
    if output is None or whole:
        if form is FORMATS["jams"] and len(sounds) > 1:
            raise UserError(
                "output-not-a-folder", "", "JAMS has one file a sound; name a folder for them: --output FOLDER"
            )
        return
    owners: dict[Path, Sound] = {}
    for sound, place in zip(sounds, places, strict=True):
        if owners.setdefault(place, sound) != sound:
            raise UserError(
                "outputs-collide",
                f"{owners[place].path}, {sound.path}",
                f"both would go to {place}; predict them into two folders",
            )


@contextmanager
def writing(form: Format, output: Path | None) -> Iterator[Callable[[Sound, Prediction], None]]:
    """Return what writes a prediction: to standard output, into one file for all, or each into a file of its own."""
    if output is None:
        print(end=form.header)
        yield lambda sound, prediction: print(end=form.written(prediction), flush=True)
    elif is_folder(output):

        def put(sound: Sound, prediction: Prediction) -> None:
            with written_whole(_place(form, output, sound)) as part:
                part.write_text(form.header + form.written(prediction), encoding="utf-8")

        yield put
    else:
        with written_whole(output) as part, part.open("w", encoding="utf-8") as file:
            file.write(form.header)
            yield lambda sound, prediction: print(end=form.written(prediction), file=file)


def _place(form: Format, folder: Path, sound: Sound) -> Path:
    return folder / sound.name.with_suffix(form.suffix)


def prediction_table(prediction: Prediction) -> str:
    """Lay out the instruments of one file with their probability and the times they sound."""
    heading = f"{prediction.heard.file}  {clock(prediction.heard.duration, decimals=1)}"
    if not prediction.instruments:
        return f"{heading}\n  {_nothing(prediction)}"
    rows = [("instrument", "probability", "sounds")]
    for each in prediction.instruments:
        spans = (f"{clock(start, decimals=1)}-{clock(end, decimals=1)}" for start, end in each.segments)
        rows.append((_named(each.name), f"{each.probability:.2f}", "  ".join(spans)))
    indent = sum(2 + max(map(len, column)) for column in list(zip(*rows, strict=True))[:2]) + 2
    columns = max(shutil.get_terminal_size((110, 24)).columns, indent + 20)
    wrap = textwrap.TextWrapper(columns, subsequent_indent=" " * indent, break_on_hyphens=False)
    return "\n".join([heading, *(wrap.fill(f"  {line}") for line in aligned(rows, right=(1,)))])


def _named(name: str) -> str:
    """Return a class as it is called; a General MIDI program's number says little, so its title comes behind."""
    return f"{name} {taxonomy.instrument(name).title}" if name in taxonomy.PROGRAMS else name


def _nothing(prediction: Prediction) -> str:
    strongest = prediction.timeline.max(axis=0)
    if not strongest.any():
        return "silent: nothing sounds"
    best = int(strongest.argmax())
    return f"nothing reaches its threshold; nearest: {_named(prediction.heard.classes[best])} {strongest[best]:.2f}"
