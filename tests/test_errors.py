"""What the user can fix is one line and exit code 2."""

import ast
import pickle
import re
from pathlib import Path

import pytest

from instrec.errors import UserError, run


def _codes():
    """Return the codes of all errors that the code raises, each of which is written out where it is raised."""
    root = Path(__file__).parents[1]
    for path in [path for room in ("instrec", "stages", "scripts") for path in sorted((root / room).rglob("*.py"))]:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("UserError", "DocumentError"):
                yield from (code.value for code in call.args[:1] if isinstance(code, ast.Constant))


CODES = sorted(set(_codes()))
# Their tests run a command or a script, and see its line alone.
PRINTED = {
    "all-files-skipped",
    "backend-unsupported",
    "file-outdated",
    "metrics-missing",
    "port-unavailable",
    "stage-running",
}
# What no test brings about: other machines that fail, packages that are gone, faults that other checks notice first.
RARE = {
    "audio-too-short",
    "cluster-killed-workers",
    "model-too-large",
    "recipe-failed",
}


def raising(error: BaseException):
    def main() -> None:
        raise error

    return main


def test_a_main_that_ends_well_gives_its_own_code(capsys):
    assert run(lambda: None) == 0
    assert run(lambda: 0) == 0
    assert run(lambda: 1) == 1
    assert capsys.readouterr() == ("", "")


def test_what_the_user_must_mend_is_one_line(capsys):
    assert run(raising(UserError("file-empty", "a.wav", "broken\n  at line 3:\n\treplace it"))) == 2
    assert capsys.readouterr() == ("", "error: a.wav: broken at line 3: replace it\n")


def test_an_error_keeps_its_code_on_the_way_from_a_worker():
    error = pickle.loads(pickle.dumps(UserError("file-empty", Path("a.wav"), "replace it")))
    assert (error.code, error.subject, str(error)) == ("file-empty", Path("a.wav"), "a.wav: replace it")
    assert str(UserError("package-missing", "", "git is not installed")) == "git is not installed"


def test_codes_are_in_kebab_case():
    assert len(CODES) > 50
    assert [code for code in CODES if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_each_code_is_tested():
    own = Path(__file__)
    texts = [path.read_text() for path in own.parent.rglob("*.py") if path != own]
    named = {code for code in CODES if any(f'"{code}"' in text for text in texts)}
    assert set(CODES) - named == PRINTED | RARE


def test_ctrl_c_gives_the_shells_code_and_one_line(capsys):
    assert run(raising(KeyboardInterrupt())) == 130
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_a_fault_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(raising(ZeroDivisionError()))
