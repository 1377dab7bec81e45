"""What a folder that DVC throws away may lack, and what must outlive it."""

from dataclasses import replace
from pathlib import Path

import pytest

from instrec.util import provenance
from tests.refusals import refused


@pytest.fixture
def thrown_away(tmp_path, monkeypatch) -> Path:
    """Stand in an experiment's own folder; give the repository's."""
    home, folder = tmp_path / "repository", tmp_path / "tmp123"
    for place in (home, folder):
        for name in ("recordings", "midi", "corpora"):
            (place / name).mkdir(parents=True)
            (place / name / "README.md").touch()
    monkeypatch.setenv("DVC_ROOT", str(home))
    monkeypatch.setenv("DVC_EXP_NAME", "slow")
    monkeypatch.chdir(folder)
    return home


def add(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()


class TestSources:
    def test_what_git_tracks_is_enough_where_there_is_no_more(self, thrown_away, full_params):
        add(thrown_away, "recordings/.gitignore")
        provenance.check_sources(full_params.sources)

    @pytest.mark.parametrize("folder", ["recordings", "midi"])
    def test_files_left_behind_are_told_of(self, thrown_away, full_params, folder):
        files = [f"{folder}/{name}" for name in ("violin/a.wav", "violin/b.wav", "Double Bass/c.wav", "d.mid")]
        for file in files:
            add(thrown_away, file)
        left = f"--copy-paths '{folder}/Double Bass' --copy-paths {folder}/d.mid --copy-paths {folder}/violin"
        with refused("files-ignored", folder, "4 of", left):
            provenance.check_sources(full_params.sources)
        for file in files:
            add(Path(), file)
        provenance.check_sources(full_params.sources)

    def test_an_absolute_path_reaches_them(self, thrown_away, full_params):
        add(thrown_away, "recordings/violin/a.wav")
        provenance.check_sources(replace(full_params.sources, recordings=str(thrown_away / "recordings")))

    def test_no_data_set_is_downloaded_to_be_thrown_away(self, thrown_away, full_params):
        sources = replace(full_params.sources, test=("irmas",))
        with refused("folder-thrown-away", "params.yaml: sources.corpora", f"-S sources.corpora={thrown_away}/corpora"):
            provenance.check_sources(sources)
        provenance.check_sources(replace(sources, corpora=str(thrown_away / "corpora")))

    def test_in_the_repository_all_is_as_it_stands(self, thrown_away, full_params, monkeypatch):
        add(thrown_away, "recordings/violin/a.wav")
        monkeypatch.chdir(thrown_away)
        provenance.check_sources(replace(full_params.sources, test=("irmas",)))


def test_an_experiment_has_a_name_of_its_own_only_in_a_folder_of_its_own(thrown_away, monkeypatch):
    assert (provenance.repository(), provenance.apart()) == (thrown_away, "slow")
    monkeypatch.chdir(thrown_away)
    assert (provenance.repository(), provenance.apart()) == (thrown_away, "")
    monkeypatch.delenv("DVC_ROOT")
    assert (provenance.repository(), provenance.apart()) == (Path(), "")


def test_another_code_has_another_digest(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "_PACKAGE", tmp_path)
    add(tmp_path, "models/lstm.py")
    before = provenance._digest()
    assert provenance._digest() == before
    (tmp_path / "models/lstm.py").write_text("UNITS = 3")
    changed = provenance._digest()
    (tmp_path / "models/lstm.py").rename(tmp_path / "models/gru.py")
    assert len({before, changed, provenance._digest(), provenance.CODE}) == 4
