"""The page in Chromium: nothing in the console, sounds that play, and no sideways scrolling on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def opened(browser: Browser, path: Path, complaints: list[str], **options) -> Page:
    """Open a page with all that is folded unfolded; what the console and the network say goes into `complaints`."""
    tab = browser.new_context(**options).new_page()
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: request.url.startswith(("data:", "file:")) or complaints.append(request.url))
    tab.goto(path.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    return tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_it_fits_and_nothing_is_complained_of(browser, report_file, size, scheme):
    complaints: list[str] = []
    tab = opened(browser, report_file, complaints, viewport=size, color_scheme=scheme)
    tab.wait_for_function("[...document.images].every((each) => each.complete && each.naturalWidth > 0)")
    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    assert complaints == []


def test_letters_of_charts_are_readable_on_a_phone(browser, report_file):
    tab = opened(browser, report_file, [], viewport=PHONE)
    heights = tab.evaluate("[...document.querySelectorAll('.chart text')].map((each) => each.getBoundingClientRect())")
    assert len(heights) > 50
    assert all(min(each["height"], each["width"]) > 0 for each in heights)
    lines = tab.evaluate(
        "[...document.querySelectorAll('.chart svg')].map((each) => each.getScreenCTM().a *"
        "Math.min(...[...each.querySelectorAll('text')].map((text) => parseFloat(getComputedStyle(text).fontSize))))"
    )
    assert min(lines) > 6.5  # pixels: the exponents of a logarithmic axis, and counts in cells


def test_sounds_play_one_at_a_time_and_show_where_they_are(browser, report_file):
    complaints: list[str] = []
    tab = opened(browser, report_file, complaints, viewport=DESK)
    sounds = tab.locator("audio")
    assert sounds.count() == 2
    for number in range(2):
        sounds.nth(number).evaluate("(sound) => sound.play()")
        tab.wait_for_function("(number) => document.querySelectorAll('audio')[number].currentTime > 0.1", arg=number)
        lengths = tab.evaluate("[...document.querySelectorAll('audio')].map((each) => each.duration)")
        assert lengths == pytest.approx([1.0, 3.0], abs=0.1)
    playing = tab.evaluate("[...document.querySelectorAll('audio')].map((each) => !each.paused && !each.ended)")
    assert playing[0] is False
    line = tab.locator(".timeline .playhead")
    assert line.evaluate("(each) => each.style.visibility") == "visible"
    assert float(line.evaluate("(each) => parseFloat(each.style.left)")) > 1
    assert complaints == []
