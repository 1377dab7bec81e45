"""Packages fetched by npm itself, from a registry on this machine."""

import base64
import functools
import hashlib
import io
import json
import shutil
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from instrec.util import packages
from tests.refusals import refused


def archive(name="package/notes/As3.mp3"):
    """Return a package's archive with one file, and its checksum."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        for path, content in (("package/package.json", b'{"name": "notes", "version": "1.0.0"}'), (name, b"a note")):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            files.addfile(member, io.BytesIO(content))
    return packed.getvalue(), "sha512-" + base64.b64encode(hashlib.sha512(packed.getvalue()).digest()).decode()


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Offer an archive as version 1.0.0 of package `notes`; return its checksum."""
    if not shutil.which("npm"):
        pytest.skip("npm is missing: sudo apt-get install npm")
    site = tmp_path / "site"
    site.mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", url)
    monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "cache"))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def offer(**changes):
        packed, integrity = archive(**changes)
        (site / "notes.tgz").write_bytes(packed)
        version = {
            "name": "notes",
            "version": "1.0.0",
            "dist": {"tarball": f"{url}/notes.tgz", "integrity": integrity},
        }
        about = {"name": "notes", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
        (site / "notes").write_text(json.dumps(about))
        return integrity

    yield offer
    server.shutdown()
    server.server_close()


def fetch(folder, integrity, package="notes@1.0.0"):
    packages.fetch(folder, package, integrity, terms="CC0, Nobody", remedy="leave it out")


def test_a_package_is_fetched_once_and_its_terms_are_shown_first(registry, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    folder = tmp_path / "libraries/notes@1.0.0"
    integrity = registry()
    fetch(folder, integrity)
    assert (folder / "notes/As3.mp3").read_bytes() == b"a note"
    assert "notes@1.0.0: CC0, Nobody" in caplog.text
    monkeypatch.setenv("PATH", "")
    fetch(folder, integrity)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_another_archive_is_refused_and_leaves_nothing(registry, tmp_path):
    registry()
    with refused("checksum-mismatch", "notes@1.0.0", "sha512-"):
        fetch(tmp_path / "libraries/notes", archive(name="package/other")[1])
    assert not list((tmp_path / "libraries").iterdir())


def test_an_archive_that_leads_out_of_its_folder_is_refused(registry, tmp_path):
    with refused("archive-refused", "notes@1.0.0"):
        fetch(tmp_path / "libraries/notes", registry(name="../../outside"))
    assert not (tmp_path / "outside").exists()
    assert not list((tmp_path / "libraries").iterdir())


@pytest.mark.parametrize("package", ["notes@2.0.0", "others@1.0.0"])
def test_a_version_that_is_not_there_is_named(registry, tmp_path, package):
    with refused("download-failed", package, "registry"):
        fetch(tmp_path / "notes", registry(), package)


def test_without_a_network_or_npm_the_user_learns_what_to_do(registry, tmp_path, monkeypatch):
    integrity = registry()
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    with refused("download-failed", "notes@1.0.0", "leave it out"):
        fetch(tmp_path / "notes", integrity)
    monkeypatch.setenv("PATH", "")
    with refused("package-missing", "notes@1.0.0", "apt-get install npm"):
        fetch(tmp_path / "notes", integrity)
