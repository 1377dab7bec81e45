"""`instrec predict`: any file, any format, its timeline and image."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import jams
import numpy as np
import pytest
import soundfile
from matplotlib.image import imread

from instrec.audio import decoding
from instrec.cli import main
from instrec.inference import activations, timeline_plot
from tests import documented
from tests.av_files import cut, encode, fail_from_now_on
from tests.cli.told import assert_only_error
from tests.locked_folders import lock
from tests.refusals import assert_one_line
from tests.tone_model import RATE, silence, tone


class TestPredict:
    def test_json_is_one_object_a_file_and_nothing_else(self, capsys, model, music):
        assert main(["predict", str(music), str(music), "--json", "--model", model]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        first, second = map(json.loads, out.splitlines())
        assert first == second
        assert list(first) == ["file", "duration_seconds", "complete", "instruments", "doubtful"]
        assert first["file"] == str(music)
        assert first["duration_seconds"] == 8.0
        assert [list(each) for each in first["instruments"]] == [["name", "share", "probability", "segments"]] * 2
        segments = {each["name"]: each["segments"] for each in first["instruments"]}
        assert segments == {"violin": [[0.0, 3.0]], "flute": [[5.0, 8.0]]}
        assert all(0.9 < each["probability"] <= 1 for each in first["instruments"])

    def test_the_table_is_aligned(self, capsys, model, music):
        assert main(["predict", str(music), "--model", model]) == 0
        heading, *lines = capsys.readouterr().out.splitlines()
        assert heading == f"{music}  0:08.0"
        assert lines[0] == "  instrument  time  probability  sounds"
        assert sorted(lines[1:]) == [
            "  flute        50%         1.00  0:05.0-0:08.0",
            "  violin       50%         1.00  0:00.0-0:03.0",
        ]

    def test_silence_and_uncertainty_are_said(self, capsys, tmp_path, model, music):
        soundfile.write(tmp_path / "silent.wav", silence(2), RATE)
        assert main(["predict", str(tmp_path / "silent.wav"), "--model", model]) == 0
        assert "silent: nothing sounds" in capsys.readouterr().out
        assert main(["predict", str(music), "--threshold", "1", "--model", model]) == 0
        assert "nothing reaches its threshold; nearest: " in capsys.readouterr().out

    def test_a_bad_file_among_several_costs_only_itself(self, capsys, tmp_path, model, music):
        (tmp_path / "text.wav").write_text("no audio\n" * 40)
        (tmp_path / "empty.wav").touch()
        files = [str(tmp_path / name) for name in ("missing.wav", "music.wav", "text.wav", "empty.wav")]
        assert main(["predict", *files, "--json", "--model", model]) == 2
        out, err = capsys.readouterr()
        assert [json.loads(line)["file"] for line in out.splitlines()] == [str(music)]
        errors = err.splitlines()
        assert len(errors) == 3
        for line, file in zip(errors, (files[0], files[2], files[3]), strict=True):
            assert line.startswith(f"error: {file}: ")

    def test_a_folder_gives_a_file_each(self, capsys, tmp_path, model, music):
        folder = tmp_path / "album" / "side b"
        folder.mkdir(parents=True)
        music.rename(folder / "music.wav")
        (folder / "cover.jpg").touch()
        out = tmp_path / "out"
        argv = ["predict", str(tmp_path / "album"), "--format", "jams", "--output", str(out), "--model", model]
        assert main(argv) == 0
        assert capsys.readouterr() == ("", "")
        (written,) = (path for path in out.rglob("*") if path.is_file())
        assert written == out / "side b" / "music.jams"
        assert {each.value for each in jams.load(str(written)).annotations[0].data} == {"violin", "flute"}

    def test_csv_of_several_files_has_one_header(self, capsys, model, music):
        assert main(["predict", str(music), str(music), "--format", "csv", "--model", model]) == 0
        header, *rows = capsys.readouterr().out.splitlines()
        assert header == "file,instrument,probability,start,end"
        assert rows[:2] == rows[2:]
        assert {tuple(row.split(",")[1::2]) for row in rows} == {("violin", "0.0"), ("flute", "5.0")}

    def test_a_bad_file_leaves_the_others_in_the_output(self, capsys, tmp_path, model, music):
        out = tmp_path / "out.csv"
        argv = ["predict", str(tmp_path / "none.wav"), str(music), "--output", str(out), "--model", model]
        assert main(argv) == 2
        assert_only_error(capsys, tmp_path / "none.wav")
        assert len(out.read_text().splitlines()) == 3

    def test_a_file_that_was_cut_off_is_warned_of(self, capsys, tmp_path, model):
        path = tmp_path / "music.flac"
        soundfile.write(path, tone("flute", 8), RATE)
        assert main(["predict", str(path), "--json", "--model", model]) == 0
        whole = capsys.readouterr()
        assert whole.err == ""
        assert json.loads(whole.out)["complete"] is True
        cut(path)
        assert main(["predict", str(path), "--json", "--model", model]) == 0
        out, err = capsys.readouterr()
        said = json.loads(out)
        assert said["complete"] is False
        assert [each["name"] for each in said["instruments"]] == ["flute"]
        assert err.startswith(f"warning: {path}: cut off")
        assert f"{said['duration_seconds']:.1f} s of the 8.0 s" in err
        assert err.count("\n") == 1
        assert main(["predict", str(path), "--format", "jams", "--model", model]) == 0
        assert json.loads(capsys.readouterr().out)["annotations"][0]["sandbox"] == {"complete": False}

    def test_the_track_that_is_used_is_named_and_can_be_chosen(self, capsys, tmp_path, model):
        path = encode(tmp_path / "film.mka", "flac", silence(3), tone("flute", 3), tone("violin", 3), rate=RATE)

        def predicted(*options: str) -> tuple[list[str], str]:
            assert main(["predict", str(path), "--json", "--model", model, *options]) == 0
            out, err = capsys.readouterr()
            return [each["name"] for each in json.loads(out)["instruments"]], err

        names, err = predicted()
        assert names == ["flute"]
        assert err.startswith(f"warning: {path}: holds 3 audio tracks; track 2 ")
        assert err.count("\n") == 1
        assert predicted("--track", "3") == (["violin"], "")
        assert predicted("--track", "1") == ([], "")
        assert main(["predict", str(path), "--model", model, "--track", "4"]) == 2
        assert_only_error(capsys, path, "track 4", "1 to 3")

    @pytest.mark.parametrize("track", ["0", "-1", "x", "1.5", ""])
    def test_a_track_that_is_no_number_is_one_line(self, capsys, model, music, track):
        assert main(["predict", str(music), "--model", model, f"--track={track}"]) == 2
        assert_only_error(capsys, "--track")

    def test_a_disk_that_fails_gives_no_answer(self, capsys, tmp_path, monkeypatch, model, music):
        long = tmp_path / "long.wav"
        soundfile.write(long, np.tile(tone("flute", 10), 12), RATE)

        def failing(path, sample_rate, **options):
            for block in decoding.blocks(path, sample_rate, **options):
                yield block
                if path == long:
                    fail_from_now_on(path)

        monkeypatch.setattr(activations, "decoding", SimpleNamespace(blocks=failing, Facts=decoding.Facts))
        assert main(["predict", str(long), str(music), "--json", "--model", model]) == 2
        out, err = capsys.readouterr()
        assert [json.loads(line)["file"] for line in out.splitlines()] == [str(music)]
        assert_one_line(err, long, "input/output error")

    def test_one_plot(self, capsys, tmp_path, model, music):
        assert main(["predict", str(music), "--plot", str(tmp_path / "plot.png"), "--model", model]) == 0
        assert imread(tmp_path / "plot.png").shape[1] > 1000

    def test_a_plot_a_file(self, tmp_path, model, music):
        plots = tmp_path / "plots"
        assert main(["predict", str(music), str(music), "--plot", str(plots / "p.png"), "--model", model]) == 0
        assert sorted(path.name for path in plots.iterdir()) == ["p-1-music.png", "p-2-music.png"]

    def test_of_a_folder_that_cannot_be_read_the_rest_is_done(self, capsys, monkeypatch, model, music):
        (music.parent / "locked").mkdir()
        lock(monkeypatch)
        assert main(["predict", str(music.parent), "--model", model]) == 2
        out, err = capsys.readouterr()
        assert out.startswith(f"{music}  0:08.0")
        assert_one_line(err, music.parent / "locked", "permission denied")

    def test_a_dash_as_output_is_standard_output(self, capsys, monkeypatch, model, music):
        monkeypatch.chdir(music.parent)
        assert main(["predict", str(music), "--output", "-", "--format", "csv", "--model", model]) == 0
        assert capsys.readouterr().out.startswith("file,instrument,probability,start,end\n")
        assert list(music.parent.iterdir()) == [music]

    def test_a_bad_hop_is_told_of_once(self, capsys, model, music):
        assert main(["predict", str(music), str(music), "--hop", "60", "--model", model]) == 2
        assert_only_error(capsys, "60 s", "0.1 to 1")

    @pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04 broken"])
    def test_a_corrupt_model_is_one_line(self, capsys, tmp_path, music, content):
        (tmp_path / "bad.keras").write_bytes(content)
        assert main(["predict", str(music), "--model", str(tmp_path / "bad.keras")]) == 2
        assert_only_error(capsys, "bad.keras")

    def test_a_process_of_its_own_keeps_tensorflow_quiet(self, model, music):
        command = [sys.executable, "-m", "instrec", "predict", str(music), "--json", "--model", model]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        assert json.loads(result.stdout)["duration_seconds"] == 8.0

    def test_ctrl_c_while_a_image_is_drawn_leaves_no_half_list(self, capsys, monkeypatch, tmp_path, model, music):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(timeline_plot, "draw", interrupt)
        output = tmp_path / "out.csv"
        arguments = ["--output", str(output), "--plot", str(tmp_path / "out.png"), "--model", model]
        assert main(["predict", str(music), str(music), *arguments]) == 130
        assert "nothing half-written is kept" in capsys.readouterr().err
        assert sorted(tmp_path.iterdir()) == [music]

    def test_a_name_that_is_not_utf_8_is_escaped(self, capsys, tmp_path, model, music):
        odd = tmp_path / os.fsdecode(b"caf\xe9.wav")
        shutil.copyfile(music, odd)
        for suffix in ("csv", "json", "txt", "jams"):
            output = tmp_path / f"out.{suffix}"
            assert main(["predict", str(odd), "--output", str(output), "--model", model]) == 0
            assert "caf" in output.read_text(encoding="utf-8")
            assert "xe9.wav" in output.read_text(encoding="utf-8")


def test_the_documented_commands_work(capsys, tmp_path, monkeypatch, model, music):
    """Those of docs/predict.md and docs/editors.md, in a folder as they have it; the page's are tests/web's."""
    (tmp_path / "models").mkdir()
    shutil.copy(model, tmp_path / "models" / "classifier.keras")
    (tmp_path / "album").mkdir()
    for name in ("song.wav", "album/one.wav", "album/two.wav"):
        shutil.copy(music, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    lines = [*documented.commands("predict.md"), *documented.commands("editors.md")]
    said = [shlex.split(line, comments=True) for line in lines]
    commands = [words[1:] for words in said if words[1] == "predict"]
    assert len(commands) >= 8
    for words in commands:
        assert main(words) == 0
        assert capsys.readouterr().err == ""
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert made >= {"album.csv", "jams/one.jams", "jams/two.jams", "song.png"}
    assert made >= {"song.txt", "song.svl", "song.TextGrid", "regions.csv", "song.vtt"}
    assert made >= {f"labels/{song}.{name}.txt" for song in ("one", "two") for name in ("flute", "violin")}
