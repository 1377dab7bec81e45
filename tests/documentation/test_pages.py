"""No page rots: every command of every page is run by a test, or is listed with the reason why not."""

import argparse
import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest
from dvc.cli.parser import get_main_parser

from instrec.cli.parsing import parsers
from tests.documentation.pages import (
    COMMANDS,
    NO_COMMANDS,
    OUTSIDE,
    ROOT,
    RUN_ELSEWHERE,
    TEXTS,
    WHOLE,
    WITHOUT_TESTS_OF_THEIR_OWN,
    blocks,
    documented_commands,
)


@pytest.mark.parametrize("page", WITHOUT_TESTS_OF_THEIR_OWN)
def test_every_command_is_run_or_has_a_reason(page: str) -> None:
    assert set(documented_commands(page)) - COMMANDS - OUTSIDE.keys() - RUN_ELSEWHERE == set()


def test_whatever_is_listed_here_is_documented() -> None:
    documented = {command for page in WITHOUT_TESTS_OF_THEIR_OWN for command in documented_commands(page)}
    assert (COMMANDS | OUTSIDE.keys()) - documented == set()
    everything = [block for text in TEXTS.values() for block in blocks(text)]
    assert [start for start in NO_COMMANDS if not any(block.startswith(start) for block in everything)] == []


@pytest.mark.parametrize("page", WHOLE)
def test_a_page_run_elsewhere_is_read_there(page: str) -> None:
    test = (ROOT / "tests" / WHOLE[page]).read_text(encoding="utf-8")
    assert Path(page).name in test


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page: str) -> None:
    prose = re.sub(r"^ {4}.*$", "", TEXTS[page], flags=re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not link.startswith("http"):
            path, _, heading = link.partition("#")
            target = (ROOT / page).parent / path if path else ROOT / page
            assert target.exists(), link
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
            assert not heading or heading in [each.lower().replace(" ", "-") for each in headings], link


INLINE = [
    (page, span)
    for page, text in TEXTS.items()
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE))
    if re.match(r"(bash|dvc|instrec|make|pytest|python) \S", span)
]


def options(parser: argparse.ArgumentParser, words: list[str]) -> set[str]:
    """The options of a command, whose parser is reached through those of the words before."""
    for word in words:
        inner = [each.choices for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        if not inner:
            break
        parser = inner[0][word]
    return set(parser._option_string_actions)


@pytest.mark.parametrize(("page", "command"), INLINE)
def test_a_command_within_a_sentence_exists(page: str, command: str) -> None:
    """What it needs besides may be left out there, but what is named must be there."""
    program, *words = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^([\w ]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert words[0] in " ".join(targets).split()
    elif program in ("dvc", "instrec"):
        parser = get_main_parser() if program == "dvc" else parsers()[0]
        assert {word for word in words if word.startswith("-")} <= options(parser, words)
    else:
        assert (ROOT / (f"{words[1].replace('.', '/')}.py" if words[0] == "-m" else words[0])).exists()


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py")))
def test_benchmarks_say_how_to_run_them(module: str) -> None:
    """They take minutes; here they are only loaded."""
    spec = importlib.util.spec_from_file_location(module, ROOT / f"benchmarks/{module}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded  # dataclasses look themselves up there
    try:
        spec.loader.exec_module(loaded)
    finally:
        del sys.modules[module]
    assert re.search(rf"python (-m benchmarks\.{module}|benchmarks/{module}\.py)", loaded.__doc__)
    assert callable(getattr(loaded, "main", None) or loaded.compared)
