import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import documented
import jams
import numpy as np
import pytest
import soundfile
from matplotlib.image import imread
from tone_model import CARD, RATE, build, silence, tone

from instrec import classifier
from instrec.cli import main


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("model") / "tones.keras"
    classifier.save(path, build().model, CARD)
    return str(path)


@pytest.fixture
def music(tmp_path) -> Path:
    path = tmp_path / "music.wav"
    soundfile.write(path, np.concatenate([tone("violin", 3), silence(2), tone("flute", 3)]), RATE)
    return path


def only_error(capsys) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("error: ")
    return err


class TestArguments:
    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (["predikt", "x.wav"], "unknown command 'predikt'; did you mean predict?"),
            (["xyz"], "unknown command 'xyz'; see `instrec --help`"),
            ([], "the following arguments are required: COMMAND; see `instrec --help`"),
            (["predict"], "the following arguments are required: FILE; see `instrec predict --help`"),
            (["predict", "x.wav", "--jsn"], "unknown argument '--jsn'; did you mean --json?"),
            (["predict", "x.wav", "--quux"], "unknown argument '--quux'; see `instrec predict --help`"),
            (["predict", "x.wav", "--hop", "soon"], "argument --hop: invalid float value: 'soon'"),
            (["predict", "x.wav", "--threshold", "2"], "argument --threshold: 2 is outside 0..1"),
            (
                ["predict", "x.wav", "--threshold", "low"],
                "argument --threshold: expected a number within 0..1, found 'low'",
            ),
            (["predict", "x.wav", "--plot", "x.bmp"], "--plot x.bmp: unknown format; allowed: .png"),
            (["predict", "x.wav", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
            (["predict", "x.wav", "y.wav", "--format", "jams"], "name a folder for them: --output FOLDER"),
            (["predict", str(Path(__file__).parent)], "tests: a folder without audio files; known endings: "),
            (
                ["predict", "x.wav", "--model", "none.keras"],
                "none.keras: no model there; train one with `dvc repro`",
            ),
            (["evaluate", "nowhere"], "nowhere: not a folder"),
        ],
    )
    def test_a_mistake_is_one_line_and_exit_code_2(self, capsys, argv, message):
        assert main(argv) == 2
        assert message in only_error(capsys)

    def test_version(self, capsys):
        with pytest.raises(SystemExit) as exit_:
            main(["--version"])
        assert exit_.value.code == 0
        assert capsys.readouterr().out.startswith("instrec 0.")

    def test_help_does_not_wait_for_keras(self):
        code = (
            "import sys\nfrom instrec.cli import main\n"
            "try: main(['predict', '--help'])\nexcept SystemExit: pass\n"
            "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'numpy', 'matplotlib')))"
        )
        started = time.perf_counter()
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert "--threshold" in result.stdout
        assert time.perf_counter() - started < 3  # about 0.1 s; a busy machine is given room


class TestPredict:
    def test_json_is_one_object_a_file_and_nothing_else(self, capsys, model, music):
        assert main(["predict", str(music), str(music), "--json", "--model", model]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        first, second = map(json.loads, out.splitlines())
        assert first == second
        assert list(first) == ["file", "duration_seconds", "instruments"]
        assert first["file"] == str(music)
        assert first["duration_seconds"] == 8.0
        assert [list(each) for each in first["instruments"]] == [["name", "probability", "segments"]] * 2
        segments = {each["name"]: each["segments"] for each in first["instruments"]}
        assert segments == {"violin": [[0.0, 3.0]], "flute": [[5.0, 8.0]]}
        assert all(0.9 < each["probability"] <= 1 for each in first["instruments"])

    def test_the_table_is_aligned(self, capsys, model, music):
        assert main(["predict", str(music), "--model", model]) == 0
        heading, *lines = capsys.readouterr().out.splitlines()
        assert heading == f"{music}  0:08.0"
        assert lines[0] == "  instrument  probability  sounds"
        assert sorted(lines[1:]) == [
            "  flute              1.00  0:05.0-0:08.0",
            "  violin             1.00  0:00.0-0:03.0",
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
        assert "none.wav" in only_error(capsys)
        assert len(out.read_text().splitlines()) == 3

    def test_one_plot(self, capsys, tmp_path, model, music):
        assert main(["predict", str(music), "--plot", str(tmp_path / "plot.png"), "--model", model]) == 0
        assert imread(tmp_path / "plot.png").shape[1] > 1000

    def test_a_plot_a_file(self, tmp_path, model, music):
        plots = tmp_path / "plots"
        assert main(["predict", str(music), str(music), "--plot", str(plots / "p.png"), "--model", model]) == 0
        assert sorted(path.name for path in plots.iterdir()) == ["p-1-music.png", "p-2-music.png"]

    def test_a_bad_hop_is_told_of_once(self, capsys, model, music):
        assert main(["predict", str(music), str(music), "--hop", "60", "--model", model]) == 2
        assert "hop of 60 s: allowed is 0.1 to 1" in only_error(capsys)

    @pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04 broken"])
    def test_a_corrupt_model_is_one_line(self, capsys, tmp_path, music, content):
        (tmp_path / "bad.keras").write_bytes(content)
        assert main(["predict", str(music), "--model", str(tmp_path / "bad.keras")]) == 2
        assert "bad.keras" in only_error(capsys)

    def test_a_process_of_its_own_keeps_tensorflow_quiet(self, model, music):
        command = [sys.executable, "-m", "instrec.cli", "predict", str(music), "--json", "--model", model]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        assert json.loads(result.stdout)["duration_seconds"] == 8.0


def test_the_documented_commands_work(capsys, tmp_path, monkeypatch, model, music):
    """Those of docs/predict.md, in a folder as it has it; the page's are tests/web's."""
    (tmp_path / "models").mkdir()
    shutil.copy(model, tmp_path / "models" / "classifier.keras")
    (tmp_path / "album").mkdir()
    for name in ("song.wav", "album/one.wav", "album/two.wav"):
        shutil.copy(music, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    said = [shlex.split(line, comments=True) for line in documented.commands("predict.md")]
    commands = [words[1:] for words in said if words[1] == "predict"]
    assert len(commands) >= 8
    for words in commands:
        assert main(words) == 0
        assert capsys.readouterr().err == ""
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert made >= {"album.csv", "jams/one.jams", "jams/two.jams", "song.png"}


class TestEvaluate:
    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        """Two violins, one of them sounding as a flute; a flute; and what must be left out."""
        folder = tmp_path / "recordings"
        for name, sounds in {
            "Violin/a": "violin",
            "Violin/b": "flute",
            "flute/deep/c": "flute",
            "tuba/d": "violin",
        }.items():
            path = folder / f"{name}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, tone(sounds, 2), RATE)
        soundfile.write(folder / "flute" / "silent.wav", silence(1), RATE)
        (folder / "flute" / "text.wav").write_text("no audio\n" * 40)
        (folder / "flute" / "notes.txt").write_text("recorded at home")
        (folder / "flute" / ".hidden.wav").touch()
        soundfile.write(folder / "loose.wav", tone("flute", 1), RATE)
        (folder / "README.md").write_text("recorded at home")
        return folder

    def test_figures_and_what_was_left_out(self, capsys, tmp_path, model, folder):
        out = tmp_path / "out" / "result.json"
        assert main(["evaluate", str(folder), "--json", str(out), "--model", model]) == 0
        result = json.loads(out.read_text())
        assert list(result) == [
            "files",
            "skipped",
            "top1",
            "macro_recall",
            "macro_f1",
            "per_class",
            "confusion",
        ]
        assert result["files"] == 3
        assert result["top1"] == pytest.approx(2 / 3)
        assert result["macro_recall"] == pytest.approx((1 / 2 + 1) / 2)
        assert result["per_class"]["violin"] == {
            "precision": 1.0,
            "recall": 0.5,
            "f1": pytest.approx(2 / 3),
            "files": 2,
        }
        assert result["confusion"]["classes"] == list(CARD.classes)
        assert result["confusion"]["matrix"] == [[0, 0, 0], [0, 1, 1], [0, 0, 1]]
        reasons = {Path(each["file"]).name: each["reason"] for each in result["skipped"]}
        assert set(reasons) == {"d.flac", "silent.wav", "text.wav", "notes.txt", "loose.wav"}
        assert "no class 'tuba'" in reasons["d.flac"]
        assert reasons["silent.wav"].startswith("silent")
        printed = capsys.readouterr().out
        assert "violin      2    100.0 %   50.0 %  66.7 %" in printed
        assert "3 scored: top-1 66.7 %, macro recall 75.0 %" in printed
        assert printed.count("left out: ") == 5

    def test_one_class_is_enough(self, capsys, tmp_path, model, folder):
        for path in (*folder.glob("Violin/*"), *folder.glob("tuba/*")):
            path.unlink()
        assert main(["evaluate", str(folder), "--model", model]) == 0
        assert "1 scored: top-1 100.0 %" in capsys.readouterr().out

    @pytest.mark.parametrize("content", ["nothing", "empty class", "loose file", "unknown class", "only bad files"])
    def test_a_folder_without_anything_to_score_is_one_line(self, capsys, tmp_path, model, music, content):
        folder = tmp_path / "recordings"
        folder.mkdir()
        if content == "empty class":
            (folder / "violin").mkdir()
        elif content == "loose file":
            music.rename(folder / "music.wav")
        elif content == "unknown class":
            (folder / "tuba").mkdir()
            music.rename(folder / "tuba" / "music.wav")
        elif content == "only bad files":
            (folder / "violin").mkdir()
            (folder / "violin" / "empty.wav").touch()
        assert main(["evaluate", str(folder), "--model", model]) == 2
        message = only_error(capsys)
        assert "recordings" in message
        assert content != "unknown class" or "no class 'tuba'" in message
        assert content != "loose file" or "one sub-folder a class" in message


def test_doctor_tells_what_is_missing(capsys, tmp_path):
    assert main(["doctor", "--model", str(tmp_path / "none.keras")]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["ok", "Python"]
    assert any(line.startswith("missing") and "dvc repro" in line for line in lines)
