"""The page in Chromium: a file in, a timeline that follows the sound, and nothing in the console."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.tone_model import silence, tone, written

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PLACE = "document.getElementById('audio').currentTime"


@pytest.fixture
def music(tmp_path):
    return written(tmp_path, tone("violin", 3), silence(2), tone("flute", 3), name="<b>mu&sic.wav")


@pytest.fixture
def opened(browser, address):
    """Open the page; whatever the console says fails the test."""
    complaints: list[str] = []
    tabs = []

    def at(size) -> Page:
        tab = browser.new_context(viewport=size).new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "request",
            lambda request: request.url.startswith((address, "data:", "blob:")) or complaints.append(request.url),
        )
        tab.goto(address)
        tabs.append(tab)
        return tab

    yield at
    assert complaints == []
    for tab in tabs:
        tab.context.close()


def shown(tab: Page, file) -> Page:
    tab.set_input_files("#file", file)
    expect(tab.locator("#result")).to_be_visible(timeout=20_000)
    return tab


def near(place: float, now: float) -> bool:
    return abs(now - place) < 0.05


def wait(tab: Page, condition: Callable[[float], bool]) -> None:
    """Until the sound stands where it should; the page forbids the functions that Playwright would wait with."""
    deadline = time.monotonic() + 10
    while not condition(tab.evaluate(PLACE)):
        assert time.monotonic() < deadline, tab.evaluate(PLACE)
        tab.wait_for_timeout(20)


def cursor(tab: Page) -> float:
    """Where the line stands, as a share of the timeline's width."""
    line, rows = (tab.locator(f"#timeline {name}").bounding_box() for name in (".playhead", ".rows"))
    return (line["x"] - rows["x"]) / rows["width"]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_file_is_shown_and_the_line_follows_its_sound(opened, music, size):
    tab = shown(opened(size), music)
    assert tab.locator("#name").text_content() == music.name
    assert tab.locator(".times th[scope=row]").all_text_contents() in (["violin", "flute"], ["flute", "violin"])
    assert tab.locator(".row img").count() == 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert cursor(tab) == pytest.approx(0, abs=0.01)
    tab.evaluate("document.getElementById('audio').play()")
    wait(tab, lambda now: now > 0.8)
    tab.evaluate("document.getElementById('audio').pause()")
    tab.wait_for_timeout(100)
    assert cursor(tab) == pytest.approx(tab.evaluate(PLACE) / 8, abs=0.01)
    expect(tab.locator("#work")).to_be_hidden()


def test_a_click_seeks(opened, music):
    tab = shown(opened(DESK), music)
    box = tab.locator("#timeline .rows").bounding_box()
    tab.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 20)
    wait(tab, lambda now: abs(now - 4) < 0.05)
    assert cursor(tab) == pytest.approx(0.5, abs=0.01)
    tab.get_by_role("button", name="0:05.0\u20130:08.0").click()
    wait(tab, lambda now: abs(now - 5) < 0.05)


def test_many_stretches_fold(opened, tmp_path):
    strokes = [part for _ in range(11) for part in (tone("flute", 0.6), silence(1.4))]
    tab = shown(opened(DESK), written(tmp_path, *strokes))
    buttons = tab.locator(".times button")
    assert buttons.count() == 11
    assert [each.is_visible() for each in buttons.all()] == [True] * 8 + [False] * 3
    tab.get_by_text("3 more").click()
    assert all(each.is_visible() for each in buttons.all())


def test_what_sounds_too_briefly_to_count_is_folded(opened, tmp_path):
    tab = shown(
        opened(DESK), written(tmp_path, tone("double_bass", 40), tone("flute", 0.7), silence(1), subtype="PCM_U8")
    )
    assert tab.locator(".times th[scope=row]").all_text_contents() == ["double bass"]
    tab.get_by_text("Doubtful").click()
    button = tab.locator("#found > details button")
    assert button.is_visible() and button.text_content().startswith("0:3")


def test_keys_do_all_that_the_mouse_does(opened, music):
    tab = opened(DESK)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "file"
    shown(tab, music)
    timeline = tab.get_by_role("slider", name="Place in the sound")
    timeline.focus()
    for key, place in (("ArrowRight", 5), ("End", 8), ("ArrowLeft", 3), ("Home", 0)):
        tab.keyboard.press(key)
        wait(tab, partial(near, place))
        assert float(timeline.get_attribute("aria-valuenow")) == pytest.approx(place, abs=0.05)
    assert timeline.get_attribute("aria-valuetext") == "0:00 of 0:08"
    tab.keyboard.press(" ")
    wait(tab, lambda now: now > 0.1)
    tab.keyboard.press(" ")
    assert tab.evaluate("document.getElementById('audio').paused")


def test_a_file_can_be_dropped(opened, music):
    tab = opened(DESK)
    transfer = tab.evaluate_handle(
        "(content) => { const all = new DataTransfer();"
        "all.items.add(new File([new Uint8Array(content)], 'dropped.wav')); return all; }",
        list(music.read_bytes()),
    )
    tab.dispatch_event("main", "dragover", {"dataTransfer": transfer})
    expect(tab.locator(".drop.over")).to_have_count(1)
    tab.dispatch_event("main", "drop", {"dataTransfer": transfer})
    expect(tab.locator("#result")).to_be_visible(timeout=20_000)
    assert tab.locator("#name").text_content() == "dropped.wav"
    expect(tab.locator(".drop.over")).to_have_count(0)


def test_mistakes_are_told_and_the_next_file_works(opened, tmp_path, music):
    tab = opened(PHONE)
    (tmp_path / "text.wav").write_text("no audio\n" * 40)
    tab.set_input_files("#file", tmp_path / "text.wav")
    expect(tab.locator("#error")).to_contain_text("text.wav: not an audio file that can be decoded", timeout=20_000)
    expect(tab.locator("#result")).to_be_hidden()
    (tmp_path / "big.wav").write_bytes(bytes(1_000_001))
    tab.set_input_files("#file", tmp_path / "big.wav")
    expect(tab.locator("#error")).to_have_text("big.wav: has more than 1 MB; try instrec predict")
    shown(tab, music)
    expect(tab.locator("#error")).to_be_hidden()


def test_what_the_browser_cannot_play_has_its_timeline(opened, tmp_path):
    tab = shown(opened(DESK), written(tmp_path, tone("flute", 2), name="flute.aiff"))
    expect(tab.locator("#mute")).to_be_visible()
    assert tab.locator(".times th[scope=row]").all_text_contents() == ["flute"]
