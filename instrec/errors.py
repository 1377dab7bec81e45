"""What the user must mend: one line on standard error and exit code 2, never a traceback."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from instrec.printing import masked, one_line


class UserError(Exception):
    """Something only the user can mend. The message names the file or value, what is allowed, and what to do next.

    As text it has no password in it, whatever address or library's message it was made of.
    """

    def __str__(self) -> str:
        return masked(super().__str__())


def run(main: Callable[[], int | None]) -> int:
    """Run a command's or a stage's main function and turn what the user must mend into one line and exit code 2.

    Ctrl-C gives the shell's own code 130; another signal that arrives as KeyboardInterrupt(number), 128 and its number.
    """
    try:
        return main() or 0
    except UserError as error:
        return told(error)
    except KeyboardInterrupt as error:
        number = next(iter(error.args), signal.SIGINT)
        with suppress(OSError):  # the terminal may have gone
            print(interruption(number), file=sys.stderr)
        return 128 + int(number)


def interruption(number: int) -> str:
    """What is printed after a signal."""
    what = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    return f"{what}; nothing half-written is kept, run it again to go on"


def told(error: UserError) -> int:
    """Print the line; give the exit code."""
    print(f"error: {one_line(error)}", file=sys.stderr)
    return 2
