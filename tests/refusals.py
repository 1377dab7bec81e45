"""What the library refuses, by code, subject and values; its sentences may change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from instrec.errors import UserError


@contextmanager
def refused(code: str, subject: Path | str = "", *named: object) -> Iterator[pytest.ExceptionInfo[UserError]]:
    """Expect an error of this code and subject, whose reason names all these: values, files, the next command."""
    with pytest.raises(UserError) as raised:
        yield raised
    error = raised.value
    assert (error.code, str(error.subject)) == (code, str(subject)), f"{error.code}, {error.subject!s}: {error}"
    reason = str(error).removeprefix(str(subject))
    assert [value for value in named if str(value) not in reason] == [], reason


def assert_one_line(stderr: str, *named: object) -> None:
    """Check that a command has printed one line, an error, that names all these."""
    assert stderr.startswith("error: "), stderr
    assert stderr.count("\n") == 1, stderr
    assert [value for value in named if str(value) not in stderr] == [], stderr
