import csv
import io
import json
from pathlib import Path

import jams
import pytest

from instrec.cli.parsing import PREDICTION_FORMATS
from instrec.inference import formats, prediction
from instrec.inference.batch import Sound
from instrec.inference.formats import FORMATS
from tests import tone_model
from tests.refusals import refused
from tests.tone_model import silence, tone, written

SEGMENTS = {("violin", 0.0, 3.0), ("flute", 5.0, 8.0), ("flute", 9.0, 10.0)}


@pytest.fixture(scope="module")
def model():
    return tone_model.model()


@pytest.fixture(scope="module")
def predicted(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("formats")
    parts = (tone("violin", 3), silence(2), tone("flute", 3), silence(1), tone("flute", 1))
    return prediction.predict(written(folder, *parts, name='so, "called".wav'), model)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory, model):
    return prediction.predict(written(tmp_path_factory.mktemp("nothing"), silence(2)), model)


def sound(name: str, folder: str = "in") -> Sound:
    return Sound(Path(folder) / name, Path(name))


def test_csv_has_a_row_a_segment(predicted):
    written_ = formats.FORMATS["csv"].header + formats.rows(predicted)
    rows = list(csv.DictReader(io.StringIO(written_)))
    assert {(row["instrument"], float(row["start"]), float(row["end"])) for row in rows} == SEGMENTS
    assert {row["file"] for row in rows} == {predicted.activations.file}
    assert all(0.9 < float(row["probability"]) <= 1 for row in rows)


def test_jams_is_valid_and_holds_the_segments(predicted):
    read = jams.load(io.StringIO(FORMATS["jams"].written(predicted)))  # checks it against the schema, and raises
    assert read.file_metadata.duration == 10.0
    assert read.file_metadata.title == 'so, "called".wav'
    (annotation,) = read.search(namespace="tag_open")
    assert {(tag.value, tag.time, round(tag.time + tag.duration, 3)) for tag in annotation.data} == SEGMENTS
    assert all(0.9 < tag.confidence <= 1 for tag in annotation.data)


def test_jams_that_is_wrong_would_be_refused(predicted):
    broken = json.loads(FORMATS["jams"].written(predicted))
    broken["annotations"][0]["data"][0]["value"] = 7
    with pytest.raises(jams.SchemaError):
        jams.load(io.StringIO(json.dumps(broken)))


def test_nothing_found_is_written_too(nothing):
    assert formats.rows(nothing) == ""
    assert jams.load(io.StringIO(FORMATS["jams"].written(nothing))).annotations[0].data == []
    assert json.loads(FORMATS["json"].written(nothing))["instruments"] == []


@pytest.mark.parametrize(
    ("name", "output", "expected"),
    [
        (None, None, "text"),
        (None, Path("out.csv"), "csv"),
        (None, Path("out.JSONL"), "json"),
        (None, Path("x.json"), "json"),
        (None, Path("x.jams"), "jams"),
        (None, Path("x.txt"), "text"),
        (None, Path("x.vtt"), "webvtt"),
        (None, Path("x.svl"), "sonic-visualiser"),
        (None, Path("x.TextGrid"), "textgrid"),
        ("reaper", Path("x.csv"), "reaper"),
        ("audacity", None, "audacity"),
        ("text", Path("x.doc"), "text"),
        (None, Path("folder"), "text"),
        ("csv", Path("out.json"), "csv"),
    ],
)
def test_the_ending_of_the_output_says_which_format(name, output, expected):
    assert formats.chosen(name, output) is FORMATS[expected]


def test_an_ending_of_no_format_is_told():
    with refused("suffix-not-allowed", "--output x.wav", ".jsonl .txt .json .csv .jams .vtt", "--format"):
        formats.chosen(None, Path("x.wav"))


def test_the_command_line_knows_them_all():
    assert tuple(FORMATS) == PREDICTION_FORMATS


def test_one_file_holds_all_and_its_header_once(tmp_path, predicted, nothing):
    output = tmp_path / "new" / "out.csv"
    with formats.writing(FORMATS["csv"], output) as put:
        for each in (predicted, nothing, predicted):
            put(sound("x.wav"), each)
        assert not output.exists()
    assert output.read_text() == FORMATS["csv"].header + 2 * formats.rows(predicted)


def test_a_file_is_whole_or_not_there(tmp_path, predicted):
    with pytest.raises(KeyboardInterrupt), formats.writing(FORMATS["csv"], tmp_path / "out.csv") as put:
        put(sound("x.wav"), predicted)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_mirrors_what_was_given(tmp_path, predicted, name):
    form = FORMATS[name]
    with formats.writing(form, tmp_path / "out") as put:
        put(sound("a.wav"), predicted)
        put(sound("deep/er/b.c.flac"), predicted)
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {f"a{form.suffix}", f"deep/er/b.c{form.suffix}"}
    assert (tmp_path / "out" / f"a{form.suffix}").read_text() == form.header + form.written(predicted)


@pytest.mark.parametrize("name", FORMATS)
def test_each_instrument_can_have_a_file(tmp_path, predicted, nothing, name):
    form = FORMATS[name]
    with formats.writing(form, tmp_path / "out", per_instrument=True) as put:
        put(sound("deep/a.wav"), predicted)
        put(sound("nothing.wav"), nothing)
    files = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert files == [tmp_path / "out/deep" / f"a.{each}{form.suffix}" for each in ("flute", "violin")]
    flute, violin = (path.read_text() for path in files)
    assert "flute" in flute and "violin" not in flute
    assert "violin" in violin and "flute" not in violin


def test_a_layer_counts_in_samples_of_the_file(tmp_path, model):
    path = written(tmp_path, tone("flute", 2, rate=44100), rate=44100)
    layer = FORMATS["sonic-visualiser"].written(prediction.predict(path, model))
    assert 'sampleRate="44100" start="0" end="88200"' in layer


@pytest.mark.parametrize(
    ("name", "output", "sounds", "code", "subject", "named"),
    [
        ("jams", None, ("a.wav", "b.wav"), "output-not-a-folder", "", "--output FOLDER"),
        ("jams", Path("out.jams"), ("a.wav", "b.wav"), "output-not-a-folder", "", "--output FOLDER"),
        ("audacity", Path("out.txt"), ("a.wav", "b.wav"), "output-not-a-folder", "", "--output FOLDER"),
        ("json", Path("out"), ("a.wav", "a.mp3"), "outputs-collide", "in/a.wav, in/a.mp3", "out/a.json"),
        ("text", Path("in/a.wav"), ("a.wav",), "output-is-input", "--output in/a.wav", ""),
        ("csv", Path("in"), ("a.csv",), "output-is-input", "--output in/a.csv", ""),
    ],
)
def test_predictions_that_would_meet_in_a_file_are_refused(name, output, sounds, code, subject, named):
    with refused(code, subject, named):
        formats.check(FORMATS[name], output, [sound(each) for each in sounds])


@pytest.mark.parametrize("output", [None, Path("out.csv")])
def test_files_per_instrument_need_a_folder(output):
    with refused("output-not-a-folder", "--per-instrument", "--output FOLDER"):
        formats.check(FORMATS["csv"], output, [sound("a.wav")], per_instrument=True)


def test_what_has_its_own_place_is_fine(tmp_path):
    several = [sound("a.wav"), sound("b/a.wav"), sound("a.wav")]
    formats.check(FORMATS["jams"], tmp_path, several)
    formats.check(FORMATS["jams"], None, several[:1])
    formats.check(FORMATS["csv"], Path("out.csv"), several)
