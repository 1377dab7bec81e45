"""Downloads go on where they stopped; only what has its checksum is kept; archives cannot reach out of their folder."""

import hashlib
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instrec.corpus.published import downloads, unpacking
from tests.refusals import refused

NAME = "irmas/IRMAS-TestingData-Part1.zip"


@pytest.fixture
def content(server) -> bytes:
    return (server.root / NAME).read_bytes()


def fetch(server, path: Path, content: bytes) -> None:
    downloads.fetch(f"{server.url}/{NAME}", path, hashlib.md5(content).hexdigest(), corpus="irmas")


def test_a_file_arrives_whole_and_is_not_asked_for_again(server, content, tmp_path):
    path = tmp_path / "new/folder/a.zip"
    for _ in range(2):
        fetch(server, path, content)
    assert path.read_bytes() == content
    assert [each.name for each in path.parent.iterdir()] == ["a.zip"]
    assert len(server.asked) == 1


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.999))
def test_an_interrupted_download_is_told_and_gone_on_with(server, content, tmp_path_factory, share):
    path = tmp_path_factory.mktemp("cut") / "a.zip"
    got = int(share * len(content))
    server.cut[Path(NAME).name] = got
    with refused("download-interrupted", "irmas", f"{server.url}/{NAME}", "run again", path.parent):
        fetch(server, path, content)
    assert not path.exists()
    assert path.with_name("a.zip.part").read_bytes() == content[:got]
    server.asked.clear()
    fetch(server, path, content)
    assert path.read_bytes() == content
    assert server.asked == [("IRMAS-TestingData-Part1.zip", f"bytes={got}-" if got else "")]


def test_a_server_without_ranges_gives_all_of_it_again(server, content, tmp_path):
    server.ranges, path = False, tmp_path / "a.zip"
    path.with_name("a.zip.part").write_bytes(content[:1000])
    fetch(server, path, content)
    assert path.read_bytes() == content


def test_a_download_killed_before_its_last_step_is_not_fetched_again(server, content, tmp_path):
    path = tmp_path / "a.zip"
    path.with_name("a.zip.part").write_bytes(content)
    fetch(server, path, content)
    assert path.read_bytes() == content


@pytest.mark.parametrize("held", [0, 1000, 10**7])
def test_what_arrives_damaged_is_told_and_removed(server, content, tmp_path, held):
    """A byte changed on the way, before an interruption, or a longer file left from elsewhere."""
    server.spoil, path = ("" if held else "IRMAS-TestingData-Part1.zip"), tmp_path / "a.zip"
    if held:
        path.with_name("a.zip.part").write_bytes(b"\0" * held)
    with refused("download-damaged", "irmas: a.zip", "run again", f"{server.url}/{NAME}", tmp_path):
        fetch(server, path, content)
    assert list(tmp_path.iterdir()) == []
    server.spoil = ""
    fetch(server, path, content)
    assert path.read_bytes() == content


def test_a_file_of_the_users_with_another_checksum_is_kept_and_told(server, content, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"other")
    with refused("checksum-mismatch", f"irmas: {tmp_path}/a.zip", f"{server.url}/{NAME}"):
        fetch(server, tmp_path / "a.zip", content)
    assert (tmp_path / "a.zip").read_bytes() == b"other"
    assert server.asked == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.zip", "http://nowhere.invalid/a.zip", "no address"])
def test_offline_names_data_set_address_and_folder(tmp_path, url):
    with refused("download-interrupted", "tinysol", url, "a.zip", tmp_path) as raised:
        downloads.fetch(url, tmp_path / "a.zip", "0", corpus="tinysol")
    assert "\n" not in str(raised.value)


def test_what_the_server_does_not_have_is_told(server, tmp_path):
    with refused("download-failed", f"irmas: {server.url}/nothing.zip", "404 Not Found", tmp_path):
        downloads.fetch(f"{server.url}/nothing.zip", tmp_path / "a.zip", "0", corpus="irmas")


def test_a_folder_that_cannot_be_written_is_told(server, content, tmp_path):
    (tmp_path / "file").touch()
    with refused("file-unwritable", f"irmas: {tmp_path}/file/a.zip", "sources.corpora"):
        fetch(server, tmp_path / "file/a.zip", content)


# ---- archives


def zipped(path: Path, *infos: zipfile.ZipInfo | str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for info in infos:
            archive.writestr(info, b"content" * 1000)
    return path


def tarred(path: Path, **member) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info in (tarfile.TarInfo("good/a.wav"), tarfile.TarInfo("bad")):
            if info.name == "bad":
                for key, value in member.items():
                    setattr(info, key, value)
            info.size = 7 if info.isfile() else 0
            archive.addfile(info, io.BytesIO(b"content"))
    return path


def link_in_zip() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("bad")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("up.zip", lambda path: zipped(path, "good/a.wav", "../bad")),
        ("inside.zip", lambda path: zipped(path, "good/../../bad")),
        ("absolute.zip", lambda path: zipped(path, "/tmp/instrec-bad")),
        ("link.zip", lambda path: zipped(path, link_in_zip())),
        ("up.tar.gz", lambda path: tarred(path, name="../bad")),
        ("absolute.tar.gz", lambda path: tarred(path, name="/tmp/instrec-bad")),
        ("link.tar.gz", lambda path: tarred(path, type=tarfile.SYMTYPE, linkname="/etc/passwd")),
        ("hard.tar.gz", lambda path: tarred(path, type=tarfile.LNKTYPE, linkname="good/a.wav")),
        ("device.tar.gz", lambda path: tarred(path, type=tarfile.CHRTYPE)),
    ],
)
def test_hostile_archives_are_refused(tmp_path, name, make):
    archive, folder = make(tmp_path / name), tmp_path / "deep/folder"
    with refused("archive-refused", f"irmas: {archive}"):
        unpacking.unpack(archive, folder, corpus="irmas")
    assert not [path for path in tmp_path.rglob("*bad*") if path != archive]
    assert not Path("/tmp/instrec-bad").exists()


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_damaged_archives_are_told(tmp_path, suffix):
    whole = zipped(tmp_path / "a.zip", "a.wav") if suffix == "zip" else tarred(tmp_path / "a.tar.gz")
    content = whole.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"no archive at all" * 100):
        whole.write_bytes(damaged)
        with refused("archive-damaged", f"irmas: {whole}"):
            unpacking.unpack(whole, tmp_path / "folder", corpus="irmas")


def test_a_changed_byte_in_a_zip_archive_is_told(tmp_path):
    archive = zipped(tmp_path / "a.zip", "a.wav")
    content = bytearray(archive.read_bytes())
    content[500] ^= 1
    archive.write_bytes(content)
    with refused("archive-damaged", f"irmas: {archive}", "CRC"):
        unpacking.unpack(archive, tmp_path / "folder", corpus="irmas")


def test_the_folder_that_holds_everything_can_be_left_out(tmp_path):
    unpacking.unpack(
        zipped(tmp_path / "a.zip", "top/a/b.wav", "c.wav"), tmp_path / "new", corpus="openmic", strip="top"
    )
    assert sorted(path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*.wav")) == [
        "a/b.wav",
        "c.wav",
    ]
