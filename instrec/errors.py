"""Errors that the user can fix: one line, without passwords or control characters, and exit code 2."""

from __future__ import annotations

import logging
import os
import re
import shlex
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote

HIDDEN = "***"
LONGEST = 1500  # characters of a message; a damaged table can be one cell of a megabyte

# What comes before the last `@` of an address, slashes of a password that nobody encoded included. Digits after a colon
# are a port, though, and an `@` behind them is part of a path.
_USER = re.compile(r"(?<=://)(?:[^\s/?#]+|[^\s/?#:\[]*:(?!\d+[/?#])\S+)(?=@)")
_PARAMETER = re.compile(r"([?&;#][\w.-]*(?:token|secret|passw|pwd|sig|credential|auth|key)[\w.-]*=)[^\s&;#'\"]+", re.I)
_HEADER = re.compile(r"(authorization['\"]?\s*[:=]\s*['\"]?\w+ )[^\s'\"]+", re.I)
# Where libraries take a secret from, which their messages may hold in part, or decoded.
_ADDRESSES = re.compile(r"MLFLOW_TRACKING_URI|GITHUB_API_URL|(?:all|https?)_proxy", re.I)
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "GITHUB_TOKEN")
_SHORTEST = 3  # characters of a password that is looked for outside addresses
_JOINERS = "\u200c\u200d"  # within names of some scripts


def shown(path: Path | str) -> str:
    r"""Give a name as text that can be printed.

    Control characters, marks of direction and what UTF-8 cannot hold are escaped: `\x1b`, `\u202e`, `\xe9`.
    """
    return "".join(map(_escaped, str(path)))


def _escaped(character: str) -> str:
    if character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs":
        return character
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name, as Python hands it over
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def masked(text: str) -> str:
    """Hide passwords and tokens: those in addresses and headers, wherever else they stand, and the environment's."""
    users = [*_USER.findall(text), *_surroundings()]
    secrets = [user.partition(":")[2] for user in users] + [os.environ.get(name, "") for name in _SECRETS]
    text = _HEADER.sub(rf"\1{HIDDEN}", _PARAMETER.sub(rf"\1{HIDDEN}", _USER.sub(HIDDEN, text)))
    for secret in sorted(set(_written(secrets)), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _surroundings() -> Iterator[str]:
    """Return what comes before the last `@` of addresses in the environment."""
    for name, address in os.environ.items():
        if _ADDRESSES.fullmatch(name) and "@" in address:
            yield address.partition("://")[2].rpartition("@")[0]


def _written(secrets: Iterable[str]) -> Iterator[str]:
    """Return secrets as messages may have them: whole or in part, encoded or decoded.

    Where nobody encoded a `/`, libraries take what is before it for a host or a port.
    """
    for secret in secrets:
        for part in (secret, *re.split(r"[@/?#:]", secret)):
            yield from (form for form in (part, unquote(part), quote(part, safe="")) if len(form) >= _SHORTEST)


def one_line(text: object) -> str:
    """Return a message, of a library's error for example, as one line to print: masked, escaped, shortened."""
    line = shown(" ".join(line.strip() for line in masked(str(text)).splitlines()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"


class UserError(Exception):
    """An error that the user can fix. The message names the file or value, what is allowed, and what to do next.

    As text it has no password in it, whatever address or library's message it was made of.

    Parameters
    ----------
    code : the kind of fault in kebab-case, such as `value-unknown`; the same for the same kind in all rooms.
    subject : the file, parameter or option that the message begins with; empty where it names none.
    reason : the rest of the message.
    """

    def __init__(self, code: str, subject: Path | str, reason: str) -> None:
        super().__init__(code, subject, reason)  # what is pickled on the way from a worker
        self.code, self.subject = code, subject

    def __str__(self) -> str:
        return masked(": ".join(str(part) for part in self.args[1:] if part != ""))


def conflict(name: str, reason: str) -> UserError:
    """Return the error of a parameter in params.yaml that does not go with the others."""
    return UserError("parameters-conflict", f"params.yaml: {name}", reason)


def closest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return what may be meant by an unknown name, as the end of a message; `otherwise` where nothing is close."""
    import difflib  # not before there is a mistake

    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else otherwise


@contextmanager
def needs(requirement: str) -> Iterator[None]:
    """Report a package that the block imports and that is missing, and what to install for it."""
    try:
        yield
    except ImportError as error:
        remedy = f"pip install {shlex.quote(requirement)}"
        raise UserError("package-missing", "", f"package {error.name} is missing; {remedy}") from error


def run(main: Callable[[], int | None]) -> int:
    """Run the main function of a command or stage, and turn a `UserError` into one line and exit code 2.

    Ctrl-C gives the shell's own code 130; another signal that arrives as KeyboardInterrupt(number), 128 and its number.
    """
    try:
        with log_to_stderr():
            return main() or 0
    except UserError as error:
        return told(error)
    except KeyboardInterrupt as error:
        number = next(iter(error.args), signal.SIGINT)
        with suppress(OSError):  # the terminal may have gone
            print(interruption(number), file=sys.stderr)
        return 128 + int(number)


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Write the log of instrec to standard error: one line per record, warnings with `warning: ` before them."""
    logger, handler = logging.getLogger("instrec"), _StandardError()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class _StandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm  # not before there is something to say

        prefix = "warning: " if record.levelno >= logging.WARNING else ""
        tqdm.write(prefix + one_line(record.getMessage()), file=sys.stderr)  # above a bar, if there is one


def interruption(number: int) -> str:
    """What is printed after a signal."""
    what = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    return f"{what}; nothing half-written is kept, run it again to go on"


def told(error: UserError) -> int:
    """Print the line, and return the exit code."""
    print(f"error: {one_line(error)}", file=sys.stderr)
    return 2
