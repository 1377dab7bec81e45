from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile
import yaml

from instrec.corpus import index, soundfont_programs
from instrec.errors import run
from instrec.synthesis.soundfonts import sf2_writer
from stages import download
from tests.refusals import assert_one_line

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    """An empty project: params.yaml, both folders, a SoundFont."""
    tree = yaml.safe_load(PARAMS.read_text())
    tree["workers"] = 1
    tree["soundfonts"] = {"folders": ["fonts"], "train": ["a.sf2"], "valid": [], "unseen": "b.sf2", "mixed": False}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    for name in ("fonts", "recordings", "midi"):
        (tmp_path / name).mkdir()
    for number, name in enumerate(("a.sf2", "b.sf2")):
        pcm = np.random.default_rng(number).integers(-9000, 9000, 100).astype(np.int16)
        note = sf2_writer.Note(pcm, 22050, 60.0, (0, 127))
        sf2_writer.write(tmp_path / "fonts" / name, "own", {(0, 40): [note], (128, 0): [note]})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_own_files_the_tables_hold_headers_alone(workplace):
    assert run(download.main) == 0
    assert index.read(Path("datasets")) == []
    assert sorted(path.name for path in Path("datasets").iterdir()) == [
        "excluded.csv",
        "index.csv",
        "soundfonts.csv",
    ]
    assert [line.split(",")[:2] for line in Path("datasets/soundfonts.csv").read_text().splitlines()[1:]] == [
        ["a.sf2", "train"],
        ["b.sf2", "unseen"],
    ]
    held = soundfont_programs.Held(frozenset({40}), frozenset({0}))
    assert soundfont_programs.read(Path("datasets/soundfonts.csv")) == {"a.sf2": held, "b.sf2": held}


def test_recordings_and_scores_are_listed_and_bad_ones_told(workplace, capsys):
    for name in ("violin", "sitar"):
        (workplace / "recordings" / name).mkdir()
        soundfile.write(f"recordings/{name}/a.wav", np.full(22050, 0.1), 22050)
    score = pretty_midi.PrettyMIDI()
    score.instruments.append(pretty_midi.Instrument(0))
    score.instruments[0].notes.append(pretty_midi.Note(90, 60, 0, 5))
    score.write("midi/song.mid")
    Path("midi/broken.mid").write_bytes(b"MThd")
    assert run(download.main) == 0
    assert [(each.path, each.onset, each.labels) for each in index.read(Path("datasets"))] == [
        ("recordings/violin/a.wav", 0, ("violin",)),
        ("midi/song.mid", 0, ("piano",)),
        ("midi/song.mid", 3, ("piano",)),
    ]
    excluded = Path("datasets/excluded.csv").read_text()
    assert "recordings/sitar,\"the folder's name is no class" in excluded
    assert "midi/broken.mid,not a MIDI file" in excluded
    assert "1 recordings, 2 MIDI windows" in capsys.readouterr().out


def name_data_sets(**parameters: list[str]) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["sources"] |= parameters
    Path("params.yaml").write_text(yaml.safe_dump(tree))


def test_data_sets_are_listed_beside_the_users_own(workplace, capsys):
    for folder in ("recordings/violin", "corpora/notes/violin", "corpora/notes/kazoo", "corpora/jungle_vibe/flute"):
        Path(folder).mkdir(parents=True)
        soundfile.write(f"{folder}/a.wav", np.full(22050, 0.1), 22050)
    name_data_sets(train=["notes"], test=["jungle_vibe"])
    assert run(download.main) == 0
    assert [(each.source, each.path, each.group, each.split) for each in index.read(Path("datasets"))] == [
        ("recordings", "recordings/violin/a.wav", "a", ""),
        ("notes", "corpora/notes/violin/a.wav", "notes/violin/a", ""),
        ("jungle_vibe", "corpora/jungle_vibe/flute/a.wav", "jungle_vibe/a", "test"),
    ]
    assert "corpora/notes,1 files: label 'kazoo' is no class" in Path("datasets/excluded.csv").read_text()
    assert "1 recordings, 0 MIDI windows, 2 files of datasets; left out: 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda: name_data_sets(train=["imras"]), ("sources.train", "'imras'", "irmas, ")),
        (lambda: name_data_sets(test=["philharmonia"]), ("philharmonia: ", "corpora/philharmonia")),
        (lambda: Path("fonts/a.sf2").write_text("no SoundFont"), ("fonts/a.sf2: ",)),
        (lambda: Path("fonts/b.sf2").unlink(), ("b.sf2: ", "fonts")),
        (lambda: Path("recordings").rmdir(), ("recordings: ", "`sources`")),
        (lambda: Path("midi").rmdir(), ("midi: ", "`sources`")),
    ],
)
def test_what_the_user_must_mend_is_one_line_and_code_2(workplace, capsys, spoil, named):
    spoil()
    assert run(download.main) == 2
    assert_one_line(capsys.readouterr().err, *named)
    assert not Path("datasets/index.csv").exists()
