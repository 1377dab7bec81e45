"""pretty_midi, loaded quietly: `from instrec.scores.library import pretty_midi`.

It imports pyfluidsynth, which prints the path of its library if the variable CI is set.
"""

from __future__ import annotations

from contextlib import redirect_stdout

with redirect_stdout(None):
    import pretty_midi

__all__ = ["pretty_midi"]
