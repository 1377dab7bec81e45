"""Predictions as text to read, JSON, CSV, JAMS and what editors open, and where they go."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from instrec.errors import UserError
from instrec.inference import editors
from instrec.inference.batch import Sound
from instrec.inference.prediction import Prediction
from instrec.inference.prediction_table import prediction_table
from instrec.util.files import written_whole


@dataclass(frozen=True)
class Format:
    """How predictions are written.

    Attributes
    ----------
    written : makes the text of one.
    suffix : of a file of them.
    header : before the first.
    single : whether a file holds no more than one.
    """

    written: Callable[[Prediction], str]
    suffix: str
    header: str = ""
    single: bool = False


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


def _layer(prediction: Prediction) -> str:
    activations = prediction.activations
    return editors.sonic_visualiser(
        prediction.instruments,
        seconds=activations.duration,
        sample_rate=activations.facts.sample_rate or activations.sample_rate,
    )


FORMATS = {
    "text": Format(lambda prediction: prediction_table(prediction) + "\n", ".txt"),
    "json": Format(lambda prediction: json.dumps(prediction.to_dict()) + "\n", ".json"),
    "csv": Format(rows, ".csv", header="file,instrument,probability,start,end\n"),
    "jams": Format(lambda prediction: json.dumps(prediction.to_jams(), indent=1) + "\n", ".jams", single=True),
    "audacity": Format(lambda said: editors.audacity(said.instruments), ".txt", single=True),
    "reaper": Format(lambda said: editors.reaper(said.instruments), ".csv", single=True),
    "webvtt": Format(lambda said: editors.webvtt(said.instruments), ".vtt", single=True),
    "sonic-visualiser": Format(_layer, ".svl", single=True),
    "textgrid": Format(
        lambda said: editors.text_grid(said.instruments, seconds=said.activations.duration), ".TextGrid", single=True
    ),
}


def chosen(name: str | None, output: Path | None) -> Format:
    """Return the format of that name, or else of the ending of the output; text for a folder or without an output.

    Raises
    ------
    UserError
        If the ending is that of no format.
    """
    endings = {".jsonl": FORMATS["json"]}
    for each in FORMATS.values():
        endings.setdefault(each.suffix.lower(), each)
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


def check(form: Format, output: Path | None, sounds: Sequence[Sound], *, per_instrument: bool = False) -> None:
    """Check that the format can be written, and that every prediction has its own place.

    Raises
    ------
    UserError
        If several predictions would share a file of a format that holds one, if files per instrument have no folder,
        if two predictions would go to one file, or if one would replace a sound.
    """
    whole = output is not None and not is_folder(output)
    places = [] if output is None else [output] if whole else [_place(form, output, sound) for sound in sounds]
    inputs = {sound.path.resolve() for sound in sounds}
    if taken := [place for place in places if place.resolve() in inputs]:
        raise UserError("output-is-input", f"--output {taken[0]}", "is one of the sounds; name another")
    if output is None or whole:
        if per_instrument:
            raise UserError(
                "output-not-a-folder",
                "--per-instrument",
                "writes several files; name a folder for them: --output FOLDER",
            )
        if form.single and len(sounds) > 1:
            raise UserError(
                "output-not-a-folder", "", "one file holds one sound; name a folder for them: --output FOLDER"
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
def writing(
    form: Format, output: Path | None, *, per_instrument: bool = False
) -> Iterator[Callable[[Sound, Prediction], None]]:
    """Return what writes a prediction: to standard output, into one file for all, or each into a file of its own.

    Parameters
    ----------
    per_instrument : into a folder, a file for each instrument of a sound: `song.piano.txt`.
    """
    if output is None:
        print(end=form.header)
        yield lambda sound, prediction: print(end=form.written(prediction), flush=True)
    elif is_folder(output):

        def put(sound: Sound, prediction: Prediction) -> None:
            parts = {"": prediction}
            if per_instrument:
                parts = {f".{each.name}": replace(prediction, instruments=(each,)) for each in prediction.instruments}
            for name, content in parts.items():
                with written_whole(_place(form, output, sound, name)) as part:
                    part.write_text(form.header + form.written(content), encoding="utf-8")

        yield put
    else:
        with written_whole(output) as part, part.open("w", encoding="utf-8") as file:
            file.write(form.header)
            yield lambda sound, prediction: print(end=form.written(prediction), file=file)


def _place(form: Format, folder: Path, sound: Sound, part: str = "") -> Path:
    return folder / sound.name.with_suffix(part + form.suffix)
