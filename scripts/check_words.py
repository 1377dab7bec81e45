"""Look for words that docs/style.md avoids, in all tracked files: `python scripts/check_words.py [FILE ...]`."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
STYLE = ROOT / "docs/style.md"
PAGES = {".md", ".html", ".yaml", ".yml", ".toml", ".sh"}
EXEMPT = {"docs/style.md", "docs/systems.md", "dvc.lock"}


def avoided() -> re.Pattern[str]:
    """Return a pattern of the forms in the first column of the table."""
    section = STYLE.read_text(encoding="utf-8").split("## Words to avoid")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    forms = [form for row in rows for form in re.findall("`([^`]+)`", row)]
    return re.compile("|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for form in forms), re.IGNORECASE)


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and text of a page's lines, or of the comments and docstrings of a Python file."""
    if path.suffix not in {*PAGES, ".py"}:
        return
    text = path.read_text(encoding="utf-8")
    if path.suffix in PAGES:
        yield from enumerate(text.splitlines(), 1)
    else:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield from enumerate(node.value.value.splitlines(), node.lineno)


def main(names: list[str]) -> int:
    """Print what was found; return 1 if anything was."""
    tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    pattern, found = avoided(), 0
    for name in names or tracked:
        if name in EXEMPT or not (ROOT / name).is_file():
            continue
        for number, line in prose(ROOT / name):
            for match in pattern.finditer(line):
                found += 1
                print(f"{name}:{number}: {match[0]!r}; docs/style.md says what to write instead")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
