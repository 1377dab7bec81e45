"""The page and the Node program name what `instrec predict` names; the page does so without a network."""

import functools
import json
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

import instrec
from instrec.models.released import PACKAGED
from tests import documented

RATE = 22050
TOLERANCE = 1e-3  # of a probability


@pytest.fixture(scope="module")
def examples(repository, tmp_path_factory) -> Path:
    """A copy of the examples with the packages of the checkout, and the page built of the released model."""
    packages = repository / "examples/node_modules"
    if not packages.is_dir() or not shutil.which("node"):
        pytest.skip("packages are missing: npm ci --ignore-scripts --prefix examples")
    folder = tmp_path_factory.mktemp("javascript") / "examples"
    shutil.copytree(repository / "examples", folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (folder / "node_modules").symlink_to(packages)
    shutil.copy(PACKAGED, folder / "classifier.onnx")
    subprocess.run(["npm", "run", "build", "classifier.onnx"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def address(examples) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(examples / "browser/dist"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def music(synth, score_of, tmp_path_factory) -> Path:
    """Piano, a rest, then a flute for a longer time; in two channels, of 16 bits."""
    parts = [
        synth.render(score_of(0, *((60 + each, each / 2, each / 2 + 0.5) for each in range(9))), 5.0),
        np.zeros(RATE),
        synth.render(score_of(73, *((74 + each, each / 2, each / 2 + 0.5) for each in range(14))), 7.3),
    ]
    path = tmp_path_factory.mktemp("music") / "music.wav"
    y = np.concatenate(parts) * 0.8
    soundfile.write(path, np.stack([y, 0.5 * y], axis=1), RATE, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def short(music) -> Path:
    y, _ = soundfile.read(music, frames=RATE)
    soundfile.write(music.with_name("short.wav"), y, RATE, subtype="PCM_16")
    return music.with_name("short.wav")


def agrees(found: dict, path: Path) -> None:
    predicted = instrec.predict(path)
    assert found["seconds"] == pytest.approx(predicted.activations.duration)
    assert predicted.instruments
    for kind in ("instruments", "doubtful"):
        pairs = list(zip(found[kind], getattr(predicted, kind), strict=True))
        assert [one["name"] for one, _ in pairs] == [other.name for _, other in pairs]
        for one, other in pairs:
            assert one["probability"] == pytest.approx(other.probability, abs=TOLERANCE)
            assert one["share"] == pytest.approx(other.share, abs=TOLERANCE)
            assert one["segments"] == [pytest.approx(span) for span in other.segments]


def test_the_page_of_documentation(examples, music):
    """docs/browser.md: what needs a network is what made node_modules; the page is served by the tests below."""
    install, serve, export_, build, node = map(shlex.split, documented.commands("browser.md"))
    assert install == ["npm", "ci", "--prefix", "examples"]
    assert serve == [*["python3", "-m", "http.server", "--directory"], "examples/browser/dist"]
    assert export_ == ["instrec", "export", "--format", "onnx"]
    folder = examples.parent
    shutil.copy(examples / "classifier.onnx", folder)
    (folder / "instrec/models").mkdir(parents=True)
    shutil.copy(examples / "classifier.onnx", folder / "instrec/models")
    shutil.copy(music, folder / "song.wav")
    for command in (build, node):
        done = subprocess.run(command, cwd=folder, check=True, text=True, capture_output=True)
    assert {each["name"] for each in json.loads(done.stdout)["instruments"]} >= {"piano", "flute"}


@pytest.mark.parametrize("sound", ["music", "short"])
def test_node_says_what_predict_says(examples, request, sound):
    path = request.getfixturevalue(sound)
    command = ["node", examples / "node/predict.js", examples / "classifier.onnx", path]
    done = subprocess.run(command, check=True, text=True, capture_output=True)
    agrees(json.loads(done.stdout), path)


def test_node_asks_for_another_rate(examples, music):
    other = music.with_name("other.wav")
    soundfile.write(other, np.zeros(8000), 8000)
    command = ["node", examples / "node/predict.js", examples / "classifier.onnx", other]
    done = subprocess.run(command, text=True, capture_output=True)
    assert done.returncode != 0
    assert "at 8000 Hz, not 22050: ffmpeg -i song.wav -ar 22050 other.wav" in done.stderr


@pytest.fixture
def tab(browser, address):
    """The page, cut off from the network once it has the model; whatever the console says fails the test."""
    complaints: list[str] = []
    context = browser.new_context()
    tab = context.new_page()
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    with tab.expect_response("**/classifier.onnx"):
        tab.goto(address)
    tab.wait_for_load_state("networkidle")
    context.set_offline(True)
    yield tab
    assert complaints == []
    context.close()


PREDICTED = """
async () => {
  const { predicted } = await import("./page.js");
  const { seconds, instruments, doubtful } = await predicted(document.getElementById("file").files[0], () => {});
  return { seconds, instruments, doubtful };
}
"""


def test_the_page_says_what_predict_says_without_a_network(tab, music, short):
    for path in (short, music):
        tab.set_input_files("#file", path)
        expect(tab.locator("#name")).to_have_text(path.name, timeout=60_000)
        agrees(tab.evaluate(PREDICTED), path)
    rows = tab.locator(".row p").all_text_contents()
    assert [row.split(" ")[0] for row in rows[:2]] == ["flute", "piano"]
    whole = tab.locator("#timeline").bounding_box()
    tab.mouse.click(whole["x"] + 0.5 * whole["width"], whole["y"] + 20)
    expect(tab.locator("#timeline")).to_have_attribute("aria-valuenow", re.compile(r"6\.[67]"), timeout=20_000)
    line = tab.locator("#playhead").bounding_box()
    assert (line["x"] - whole["x"]) / whole["width"] == pytest.approx(0.5, abs=0.01)


def test_what_is_no_sound_is_reported(tab, repository):
    tab.set_input_files("#file", repository / "README.md")
    expect(tab.locator("#state")).to_contain_text("README.md: this browser cannot decode it", timeout=20_000)
    expect(tab.locator("#result")).to_be_hidden()


def test_a_model_that_is_missing_is_one_line(examples):
    done = subprocess.run(["node", "browser/build.js", "no.onnx"], cwd=examples, text=True, capture_output=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
