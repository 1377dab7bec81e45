import io
from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instrec.corpus import midi_files
from instrec.scores import midi
from tests.refusals import refused

CLASSES = ("violin", "piano", "drums", "flute", "cello")
VIOLIN, PIANO, FLUTE, CELLO, SITAR = 40, 0, 73, 42, 104


def track(program: int, *spans: tuple[float, float], is_drum: bool = False) -> pretty_midi.Instrument:
    made = pretty_midi.Instrument(program, is_drum)
    made.notes = [pretty_midi.Note(90, 60, start, end) for start, end in spans]
    return made


def score(*tracks: pretty_midi.Instrument) -> pretty_midi.PrettyMIDI:
    made = pretty_midi.PrettyMIDI()
    made.instruments.extend(tracks)
    return made


def saved(path: Path, *tracks: pretty_midi.Instrument) -> Path:
    score(*tracks).write(str(path))
    return path


def scan(root: Path, workers: int = 1):
    return midi_files.scan(root, seconds=3.0, classes=CLASSES, workers=workers)


def spans(part: pretty_midi.PrettyMIDI) -> list[list[tuple[float, float]]]:
    return [[(round(note.start, 6), round(note.end, 6)) for note in each.notes] for each in part.instruments]


def test_a_cut_is_shifted_clipped_and_without_silent_tracks():
    whole = score(track(VIOLIN, (0, 1), (2.5, 4), (5, 9)), track(PIANO, (0, 2)), track(0, (3, 4), is_drum=True))
    part = midi.cut(whole, 3, 3)
    assert spans(part) == [[(0, 1), (2, 3)], [(0, 1)]]
    assert [(each.program, each.is_drum) for each in part.instruments] == [(VIOLIN, False), (0, True)]
    assert spans(whole)[0] == [(0, 1), (2.5, 4), (5, 9)]


def test_controllers_before_the_window_count_by_their_last_value():
    whole = score(track(VIOLIN, (0, 9)))
    changes = [(7, 10, 0), (11, 20, 1), (7, 30, 2), (7, 40, 3.5), (7, 50, 6)]
    whole.instruments[0].control_changes = [pretty_midi.ControlChange(*change) for change in changes]
    whole.instruments[0].pitch_bends = [pretty_midi.PitchBend(*bend) for bend in [(-5, 0), (6, 2.9), (0, 3.25)]]
    part = midi.cut(whole, 3, 3).instruments[0]
    assert {(each.number, each.value, each.time) for each in part.control_changes} == {
        (7, 30, 0),
        (11, 20, 0),
        (7, 40, 0.5),
    }
    assert [(each.pitch, each.time) for each in part.pitch_bends] == [(6, 0), (0, 0.25)]


def test_an_inaudible_sliver_is_left_out_but_a_short_note_is_not():
    part = midi.cut(score(track(VIOLIN, (0, 3.01)), track(PIANO, (3.5, 3.51))), 3, 3)
    assert [each.program for each in part.instruments] == [PIANO]


@given(
    notes=st.lists(st.tuples(st.floats(0, 20), st.floats(0.001, 5)), max_size=20),
    onset=st.floats(0, 20),
    seconds=st.floats(0.1, 5),
)
def test_what_is_cut_lies_in_the_window(notes, onset, seconds):
    part = midi.cut(score(track(PIANO, *((start, start + length) for start, length in notes))), onset, seconds)
    for start, end in (span for each in spans(part) for span in each):
        assert 0 <= start <= end <= seconds + 1e-6


def test_windows_are_labelled_with_what_sounds_in_them(tmp_path):
    violin, drums = track(VIOLIN, (0, 4)), track(0, (3, 3.1), (6, 6.1), is_drum=True)
    path = saved(tmp_path / "song.mid", violin, drums)
    entries, excluded = scan(tmp_path)
    assert excluded == []
    assert [(each.onset, each.duration, set(each.labels)) for each in entries] == [
        (0, 3, {"violin"}),
        (3, 3, {"violin", "drums"}),
        (6, 3, {"drums"}),
    ]
    assert {(each.source, each.path, each.group) for each in entries} == {("midi", str(path), str(path))}


def test_several_programs_of_a_class_are_one_label(tmp_path):
    saved(tmp_path / "song.mid", track(0, (0, 2)), track(1, (0, 2)), track(2, (1, 2)))
    assert [each.labels for each in scan(tmp_path)[0]] == [("piano",)]


def test_unfit_windows_are_counted_with_their_reasons(tmp_path):
    four = [track(program, (6, 8)) for program in (PIANO, FLUTE, CELLO)]
    path = saved(tmp_path / "song.mid", track(VIOLIN, (0, 1), (6, 8), (12, 13)), track(SITAR, (3, 4)), *four)
    entries, (excluded,) = scan(tmp_path)
    assert [each.onset for each in entries] == [0, 12]
    assert excluded.path == str(path)
    assert excluded.reason.startswith("3 of 5 windows: ")
    for words in (
        "1 where an instrument of no class sounds (Sitar)",
        "1 where more than 3 classes",
        "1 where nothing",
    ):
        assert words in excluded.reason


def test_programs_that_are_classes_label_windows_themselves(tmp_path):
    saved(tmp_path / "song.mid", track(VIOLIN, (0, 2)), track(SITAR, (1, 2)), track(0, (3, 4), is_drum=True))
    (entry,), (excluded,) = midi_files.scan(tmp_path, seconds=3.0, classes=("gm_040", "gm_104"), workers=1)
    assert entry.labels == ("gm_040", "gm_104")
    assert excluded.reason == "1 of 2 windows: 1 where an instrument of no class sounds (drums)"


def test_broken_and_empty_files_are_left_out_with_their_reason(tmp_path):
    good = saved(tmp_path / "good.mid", track(VIOLIN, (0, 2))).read_bytes()
    saved(tmp_path / "silent.mid")
    (tmp_path / "empty.mid").touch()
    (tmp_path / "text.mid").write_text("no score")
    (tmp_path / "cut.mid").write_bytes(good[: len(good) // 2])
    (tmp_path / "garbage.mid").write_bytes(good[:30] + b"\xff" * 60)
    (tmp_path / "song.wav").touch()
    entries, excluded = scan(tmp_path)
    assert [Path(each.path).name for each in entries] == ["good.mid"]
    told = {Path(each.path).name: each.reason for each in excluded}
    assert set(told) == {"silent.mid", "empty.mid", "text.mid", "cut.mid", "garbage.mid", "song.wav"}
    assert told["silent.mid"] == "holds no note"
    assert all("not a MIDI file" in told[name] for name in ("empty.mid", "text.mid", "cut.mid", "garbage.mid"))


def test_a_broken_file_is_named_when_loaded(tmp_path):
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    with refused("not-a-midi-file", tmp_path / "broken.mid"):
        midi.load(tmp_path / "broken.mid")


def test_a_file_that_claims_to_last_for_days_is_left_out(tmp_path):
    bomb = mido.MidiFile(ticks_per_beat=1)
    bomb.tracks.append(mido.MidiTrack())
    bomb.tracks[0] += [
        mido.MetaMessage("set_tempo", tempo=0xFFFFFF),
        mido.Message("note_on", note=60, velocity=90),
        mido.Message("note_off", note=60, time=9_000_000),
    ]
    bomb.save(tmp_path / "bomb.mid")
    entries, (excluded,) = scan(tmp_path)
    assert entries == []
    assert "claims to last 41943 hours" in excluded.reason


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.001, 5)), min_size=1, max_size=20))
def test_windows_are_labelled_as_they_are_cut(notes):
    whole = score(track(PIANO, *((start, start + length) for start, length in notes)), track(VIOLIN, (3, 5)))
    sounding = midi_files._sounding(whole, 3.0)
    for number in range(10):
        part = midi.cut(whole, number * 3.0, 3.0)
        assert [each.program for each in part.instruments] == [each.program for each in sounding[number]]


def test_an_empty_folder_is_fine_and_a_missing_one_is_named(tmp_path):
    assert scan(tmp_path) == ([], [])
    with refused("folder-missing", tmp_path / "none", "params.yaml"):
        scan(tmp_path / "none")


def test_the_number_of_workers_changes_nothing(tmp_path):
    for number in range(4):
        saved(tmp_path / f"{number}.mid", track(VIOLIN, (0, 4 + number)), track(SITAR, (2, 2 + number)))
    assert scan(tmp_path, workers=2) == scan(tmp_path, workers=1)


def test_a_cut_can_be_written_and_read_again():
    whole = score(track(VIOLIN, (0, 5)), track(0, (2, 4), is_drum=True))
    file = io.BytesIO()
    midi.cut(whole, 1, 3).write(file)
    file.seek(0)
    again = pretty_midi.PrettyMIDI(file)
    assert again.get_end_time() == pytest.approx(3, abs=0.01)
    assert sorted(each.is_drum for each in again.instruments) == [False, True]


def test_a_score_of_many_hours_is_refused(tmp_path):
    # At a finer resolution, pretty_midi itself refuses so many ticks.
    score, instrument = pretty_midi.PrettyMIDI(resolution=100), pretty_midi.Instrument(0)
    instrument.notes.append(pretty_midi.Note(90, 60, 0.0, midi.LONGEST_SECONDS + 3600))
    score.instruments.append(instrument)
    score.write(str(tmp_path / "long.mid"))
    with refused("midi-too-long", tmp_path / "long.mid", "7 hours"):
        midi.load(tmp_path / "long.mid")
