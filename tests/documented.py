"""The commands of a page in docs/, so that tests run what is written there and not something like it."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def commands(page: str) -> list[str]:
    """Return the indented lines of a page in order, without `$ ` and without the output that follows."""
    found, output = [], False
    for line in re.sub(r"```.*?```", "", (DOCS / page).read_text(), flags=re.DOTALL).splitlines():
        if line.startswith("    $ "):
            found.append(line.removeprefix("    $ "))
            output = True
        elif line.startswith("    ") and not output:
            found.append(line.strip())
        elif not line.startswith("    "):
            output = False
    return found


def programs(page: str) -> list[str]:
    """Return the blocks of Python of a page."""
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)
