"""The gate as its users call it."""

import pytest

from instrec.cli import main


def gate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["dev", "gate", *arguments])
    out, err = capsys.readouterr()
    assert (err == "") == (code != 2)
    return code, out or err
