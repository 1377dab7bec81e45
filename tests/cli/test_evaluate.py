"""`instrec evaluate`: figures of a folder, and what was left out."""

import json
from pathlib import Path

import pytest
import soundfile

from instrec.cli import main
from tests.av_files import cut, encode
from tests.cli.told import only_error
from tests.tone_model import CARD, RATE, silence, tone


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
        assert main(["evaluate", str(folder), "--json", "--model", model]) == 0
        result = json.loads(capsys.readouterr().out)
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
        assert main(["evaluate", str(folder), "--model", model]) == 0
        printed = capsys.readouterr().out
        assert "violin      2    100.0 %   50.0 %  66.7 %" in printed
        assert "3 scored: top-1 66.7 %, macro recall 75.0 %" in printed
        assert printed.count("left out: ") == 5

    def test_what_is_cut_off_or_has_several_tracks_is_warned_of(self, capsys, tmp_path, model):
        (tmp_path / "flute").mkdir()
        short = tmp_path / "flute" / "a.flac"
        soundfile.write(short, tone("flute", 4), RATE)
        cut(short)
        film = encode(tmp_path / "flute" / "b.mka", "flac", tone("violin", 2), tone("flute", 2), rate=RATE)
        assert main(["evaluate", str(tmp_path), "--model", model]) == 0
        out, err = capsys.readouterr()
        assert "2 scored: top-1 50.0 %" in out
        first, second = err.splitlines()
        assert first.startswith(f"warning: {short}: cut off")
        assert second.startswith(f"warning: {film}: holds 2 audio tracks; track 1 ")
        short.unlink()
        assert main(["evaluate", str(tmp_path), "--model", model, "--track", "2"]) == 0
        out, err = capsys.readouterr()
        assert "1 scored: top-1 100.0 %" in out
        assert err == ""

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
        assert content != "loose file" or "one sub-folder per class" in message
