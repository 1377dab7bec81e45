"""The command line: `instrec predict`, `serve`, `evaluate` and the others that `instrec --help` lists."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Slow imports come later, where Ctrl-C is reported in one line.
from instrec.errors import UserError, closest, run, told
from instrec.util.processes import guard


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code: 0, 2 for an error that the user can fix, 1 if `gate` fails.

    Without `argv` the command is the whole of this process.
    """
    if argv is None:
        guard()
        _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that a terminal of ASCII cannot show
    try:
        code = run(lambda: _dispatch(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()  # here, where errors are reported
        return code
    except BrokenPipeError:  # the reader, for example `head`, has gone; the rest of the buffer must not raise again
        _drop_output()
        return 141  # the shell's own code for it
    except OSError as error:
        if error.filename is not None:
            reason = f"{(error.strerror or str(error)).lower()}; check the name, and the permissions of its folder"
            return told(UserError("file-unreadable", str(error.filename), reason))
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _drop_output()
        return told(
            UserError("file-unwritable", "standard output cannot be written", f"{error.strerror}; free some space")
        )


def _open_closed_streams() -> None:
    """Open what the caller has closed, as some schedulers do: the next file would take its place, and its output."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for the whole process


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(argv: Sequence[str]) -> int:
    from instrec.cli.parsing import parsers

    parser, dev = parsers()
    known = parser.commands
    # What begins with an option is argparse's: the option may have a value.
    words = [] if argv and argv[0].startswith("-") else [word for word in argv if not word.startswith("-")]
    for prog in ("instrec", "instrec dev"):
        if words and words[0] not in known:
            hint = f"it is `instrec dev {words[0]}`" if words[0] in dev.commands else ""
            hint = hint or closest(words[0], known, f"see `{prog} --help`")
            raise UserError("command-unknown", "", f"unknown command {words[0]!r}; {hint}")
        if not words or known[words[0]] is not dev:
            break
        known, words = dev.commands, words[1:]
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        options = args.parser._option_string_actions  # argparse offers no public list
        hint = closest(unknown[0], options, f"see `{args.parser.prog} --help`")
        raise UserError("argument-unknown", "", f"unknown argument {unknown[0]!r}; {hint}")
    if getattr(args, "quiet", False):
        logging.getLogger("instrec").setLevel(logging.ERROR)
    return int(args.function(args))
