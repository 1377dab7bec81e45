"""What the user must mend is one line and exit code 2."""

import pytest

from instrec.errors import UserError, run


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
    assert run(raising(UserError("a.wav: broken\n  at line 3:\n\treplace it"))) == 2
    assert capsys.readouterr() == ("", "error: a.wav: broken at line 3: replace it\n")


def test_ctrl_c_gives_the_shells_code_and_one_line(capsys):
    assert run(raising(KeyboardInterrupt())) == 130
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_a_fault_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(raising(ZeroDivisionError()))
