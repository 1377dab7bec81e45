import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instrec.corpus import index
from tests.locked_folders import lock
from tests.refusals import refused

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
SECONDS = st.floats(0, 1e5)
SOURCES = [index.RECORDINGS, index.MIDI, "irmas"]
SPLITS = ["", "train", "valid", "test"]
LABELS = st.lists(st.sampled_from(["violin", "double_bass", "drums"]), unique=True).map(tuple)
UNKNOWN = st.lists(st.sampled_from(["oboe", "gm_125"]), unique=True).map(tuple)


# As it was before datasets had partitions of their own.
OLDER = b"source,path,onset,duration,labels,group\nrecordings,a.wav,0,1,violin,a\n"


@given(
    st.lists(
        st.builds(
            index.Entry,
            st.sampled_from(SOURCES),
            TEXT,
            SECONDS,
            SECONDS,
            LABELS,
            TEXT,
            st.sampled_from(SPLITS),
            UNKNOWN,
        )
    )
)
def test_entries_come_back_as_they_were(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("index")
    index.write(folder, entries, [])
    assert index.read(folder) == entries


def test_unknown_labels_stand_after_the_others(tmp_path):
    entries = [index.Entry("irmas", "a.wav", 0.0, 1.5, ("cello", "piano"), "a", "test", ("flute", "oboe"))]
    index.write(tmp_path, [*entries, index.Entry("irmas", "b.wav", 0.0, 1.5, ("cello", "piano"), "a", "test")], [])
    header, unsure, sure = (tmp_path / "index.csv").read_text().splitlines()
    assert header == "source,path,onset,duration,labels,group,split"
    assert unsure == "irmas,a.wav,0.0,1.5,cello piano ?flute ?oboe,a,test"
    assert sure == "irmas,b.wav,0.0,1.5,cello piano,a,test"


def test_empty_tables_hold_their_header(tmp_path):
    index.write(tmp_path, [], [])
    assert index.read(tmp_path) == []
    assert (tmp_path / "index.csv").read_text() == "source,path,onset,duration,labels,group,split\n"
    assert (tmp_path / "excluded.csv").read_text() == "path,reason\n"


COLUMNS = b"source,path,onset,duration,labels,group,split\n"
ENDLESS = COLUMNS + b"midi,a.mid,0,inf,flute,a.mid,\n"
NOWHERE = COLUMNS + b"midi,a.mid,nan,3,flute,a.mid,\n"


@pytest.mark.parametrize(
    "content", [None, b"a,b\n1,2\n", b"\xff\xfe\x00", b"path,onset,labels\n1\n", OLDER, ENDLESS, NOWHERE]
)
def test_what_is_no_index_is_named_with_the_stage_to_run(tmp_path, content):
    if content is not None:
        (tmp_path / "index.csv").write_bytes(content)
    with refused("table-invalid", tmp_path / "index.csv", "`dvc repro download`"):
        index.read(tmp_path)


def test_search_finds_files_in_order_and_says_what_it_leaves_out(tmp_path):
    for name in (
        "b/2.wav",
        "b/1.WAV",
        "a/x/3.wav",
        "a/notes.txt",
        "README.md",
        ".gitignore",
        "a/.hidden/4.wav",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found, excluded = index.search(tmp_path, {".wav"})
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a/x/3.wav", "b/1.WAV", "b/2.wav"]
    assert [each.path for each in excluded] == [f"{tmp_path}/a/notes.txt"]
    assert ".wav" in excluded[0].reason


def test_search_follows_links_to_folders_of_classes(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/1.wav").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/violin").symlink_to(tmp_path / "elsewhere")
    assert index.search(tmp_path / "root", {".wav"})[0] == [tmp_path / "root/violin/1.wav"]


def test_a_name_that_is_not_utf8_is_left_out_with_its_reason(tmp_path):
    with open(os.fsencode(tmp_path) + b"/caf\xe9.wav", "wb"):  # noqa: PTH123  (pathlib takes no bytes)
        found, excluded = index.search(tmp_path, {".wav"})
    assert found == []
    index.write(tmp_path, [], excluded)
    assert "not UTF-8" in (tmp_path / "excluded.csv").read_text()


def test_a_folder_that_cannot_be_read_is_left_out_with_its_reason(tmp_path, monkeypatch):
    (tmp_path / "violin/locked").mkdir(parents=True)
    lock(monkeypatch)
    found, (excluded,) = index.search(tmp_path, {".wav"})
    assert found == []
    assert excluded.path == (tmp_path / "violin/locked").as_posix()
    assert "permission denied" in excluded.reason


def test_a_missing_folder_is_named(tmp_path):
    with refused("folder-missing", tmp_path / "none", "params.yaml"):
        index.search(tmp_path / "none", {".wav"})


def test_a_row_that_ends_early_is_no_entry(tmp_path):
    index.write(tmp_path, [index.Entry("recording", "a.wav", 0.0, 1.0, ("violin",), "a", "train")], [])
    path = tmp_path / "index.csv"
    path.write_text(path.read_text().rpartition(",")[0] + "\n")
    with refused("table-invalid", path, "`dvc repro download`"):
        index.read(tmp_path)
