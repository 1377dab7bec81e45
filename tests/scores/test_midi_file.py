"""Files as people have them: made byte by byte, and read as players read them."""

import io
import struct
import time

import mido
import pretty_midi
import pytest

from instrec.corpus import midi_files
from instrec.scores import midi, midi_file
from tests.refusals import refused

NOTE = bytes([0, 0x90, 60, 90, 0x60, 0x80, 60, 0])  # 96 ticks
END = b"\0\xff\x2f\0"


def file(*tracks: bytes, kind: int = 1, division: int = 96, lie: int = 0, count: int | None = None) -> bytes:
    """Write tracks whose told lengths differ from the true ones by `lie` bytes."""
    head = b"MThd" + struct.pack(">IHHh", 6, kind, len(tracks) if count is None else count, division)
    return head + b"".join(b"MTrk" + struct.pack(">I", len(track) + lie) + track for track in tracks)


def spans(data: bytes, tmp_path) -> list[list[tuple[int, float, float]]]:
    (tmp_path / "song.mid").write_bytes(data)
    score = midi.load(tmp_path / "song.mid")
    return [
        [(note.pitch, round(note.start, 3), round(note.end, 3)) for note in each.notes] for each in score.instruments
    ]


def refusal(data: bytes, tmp_path) -> str:
    (tmp_path / "song.mid").write_bytes(data)
    with refused("not-a-midi-file", tmp_path / "song.mid") as told:
        midi.load(tmp_path / "song.mid")
    return str(told.value)


def test_the_frozen_scores_read_as_pretty_midi_alone_reads_them(repository):
    files = sorted((repository / "data").rglob("*.mid"))
    assert len(files) > 100
    for path in files:
        assert said(midi.load(path)) == said(pretty_midi.PrettyMIDI(str(path))), path


def said(score: pretty_midi.PrettyMIDI) -> list:
    return [
        [each.program, each.is_drum, each.name, *map(str, (*each.notes, *each.control_changes, *each.pitch_bends))]
        for each in score.instruments
    ]


@pytest.mark.parametrize("key", [b"\x0b\0", b"\x80\x01", b"\0\x07", b"\x01"])
def test_a_key_signature_out_of_range_costs_no_file(tmp_path, key):
    meta = b"\0\xff\x59" + bytes([len(key)]) + key
    assert spans(file(meta + NOTE + END), tmp_path) == [[(60, 0, 0.5)]]


def test_the_time_of_what_is_left_out_is_not(tmp_path):
    """An unknown meta message and a system message, each after 96 ticks."""
    assert spans(file(b"\x60\xff\x60\x01\0\x60\xf0\x02\x7e\xf7" + NOTE + END), tmp_path) == [[(60, 1.0, 1.5)]]


def test_a_note_that_is_never_let_go_holds_to_the_end_of_its_track(tmp_path):
    held = bytes([0, 0x90, 62, 90, 0x81, 0x40]) + END[1:]  # 192 ticks
    assert spans(file(held, NOTE + END), tmp_path) == [[(62, 0, 1.0)], [(60, 0, 0.5)]]


def test_riff_around_a_file_is_taken_off(tmp_path):
    inside = file(NOTE + END)
    chunk = b"data" + struct.pack("<I", len(inside)) + inside
    wrapped = b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"RMID" + chunk + b"LIST\4\0\0\0INFO"
    assert spans(wrapped, tmp_path) == [[(60, 0, 0.5)]]
    (tmp_path / "song.mid").rename(tmp_path / "song.RMI")
    entries, excluded = midi_files.scan(tmp_path, seconds=3.0, classes=("piano",), workers=1)
    assert (len(entries), excluded) == (1, [])


@pytest.mark.parametrize(
    ("frames", "ticks", "seconds"), [(25, 40, 0.096), (24, 4, 1.0), (29, 80, 0.04004), (30, 32, 0.1)]
)
def test_ticks_may_be_parts_of_frames(tmp_path, frames, ticks, seconds):
    division = struct.unpack(">h", bytes([256 - frames, ticks]))[0]
    tempo = b"\0\xff\x51\3\x01\0\0"  # means nothing here
    (((_, start, end),),) = spans(file(tempo + NOTE + END, division=division), tmp_path)
    assert (start, end) == (0, pytest.approx(seconds, abs=1e-3))


@pytest.mark.parametrize("division", [0, -(7 << 8), -(25 << 8)])
def test_a_division_that_means_nothing_is_named(tmp_path, division):
    assert "its header says" in refusal(file(NOTE + END, division=division), tmp_path)


@pytest.mark.parametrize("lie", [-7, -3, -1, 1, 3, 4])
@pytest.mark.parametrize("ended", [END, b""])
def test_a_length_that_lies_by_a_few_bytes_loses_no_note(tmp_path, lie, ended):
    data = file(NOTE + NOTE + ended, NOTE + ended, lie=lie)
    assert [len(each) for each in spans(data, tmp_path)] == [2, 1]


@pytest.mark.parametrize("count", [0, 1, 9])
def test_all_tracks_are_read_whatever_their_told_number(tmp_path, count):
    assert len(spans(file(NOTE + END, NOTE + END, count=count), tmp_path)) == 2


def test_a_file_cut_off_in_the_middle_is_refused(tmp_path):
    assert "cut off" in refusal(file(NOTE * 20 + END)[:100], tmp_path)


def test_independent_patterns_are_left_out_with_the_reason(tmp_path):
    assert "type 2" in refusal(file(NOTE + END, NOTE + END, kind=2), tmp_path)
    assert spans(file(NOTE + END, kind=2), tmp_path) == [[(60, 0, 0.5)]]


def test_a_million_notes_end_in_a_told_limit(tmp_path):
    begun = time.process_time()
    assert f"more than {midi_file.MOST_MESSAGES:,}" in refusal(file(NOTE * 1_000_000 + END), tmp_path)
    assert time.process_time() - begun < 60


def test_many_long_notes_are_windowed_in_seconds():
    """Each note lasts for 7,200 windows."""
    track = pretty_midi.Instrument(0)
    track.notes = [pretty_midi.Note(90, 60, 0.001 * number, 6 * 3600.0) for number in range(20_000)]
    score = pretty_midi.PrettyMIDI()
    score.instruments.append(track)
    begun = time.process_time()
    assert len(midi_files._sounding(score, 3.0)) == 7200
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(("pitch", "labels"), [(34, []), (35, [("drums",)]), (81, [("drums",)]), (82, []), (127, [])])
def test_drum_keys_outside_the_kit_label_nothing(tmp_path, pitch, labels):
    score = mido.MidiFile()
    score.tracks.append(mido.MidiTrack())
    for kind, ticks in (("note_on", 0), ("note_off", 480)):
        score.tracks[0].append(mido.Message(kind, channel=9, note=pitch, velocity=90, time=ticks))
    written = io.BytesIO()
    score.save(file=written)
    (tmp_path / "song.mid").write_bytes(written.getvalue())
    entries, _ = midi_files.scan(tmp_path, seconds=3.0, classes=("drums",), workers=1)
    assert [each.labels for each in entries] == labels
