"""Files of a commit, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instrec.errors import UserError
from instrec.tracking import git
from instrec.util import documents

TEST_DATA = Path("data.dvc")
TEST_DATA_REMOTE = Path(".dvcstore")
RELEASED = Path("released/classifier.keras.dvc")


def resolve(root: Path, name: str) -> str:
    """Return the hash of a commit, or of a DVC experiment by its name.

    Raises
    ------
    UserError
        If `root` is not in a git repository, or `name` is neither there.
    """
    if git.text(root, "rev-parse", "--git-dir") is None:
        raise UserError("not-a-repository", root.resolve(), "not in a git repository; run the gate in a clone")
    commit = git.text(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if commit is None:  # of experiments with one name, begun from several commits, the last
        experiments = ("--sort=-creatordate", "--count=1", "--format=%(objectname)", f"refs/exps/*/*/{name}")
        commit = git.text(root, "for-each-ref", *experiments)
    if not commit:
        raise UserError(
            "commit-unknown", name, "git knows no such commit; fetch it (`git fetch origin`), or see `git branch --all`"
        )
    return commit


def described(root: Path) -> str:
    """Name the working tree by a tag or a commit, and mark it if it differs."""
    name = git.text(root, "describe", "--always", "--dirty") or "the working tree"
    return f"`{name.removesuffix('-dirty')}`" + ", with changes not committed," * name.endswith("-dirty")


def mapping(root: Path, path: Path, commit: str | None = None) -> Mapping[str, Any] | None:
    """Read a YAML or JSON file of a commit, or of the working tree; None where it is missing.

    Raises
    ------
    UserError
        If it cannot be read, or holds no mapping.
    """
    where = f"{path} of {commit[:7]}" if commit else str(path)
    is_json = path.suffix == ".json"
    if commit:
        content = _blob(root, path, commit)
        if content is None:
            return None
        tree = (documents.parse_json if is_json else documents.parse_yaml)(content, where)
    elif (root / path).exists():
        tree = (documents.load_json if is_json else documents.load_yaml)(root / path)
    else:
        return None
    if not isinstance(tree, dict):
        raise UserError("not-a-mapping", where, f"expected a mapping of names to values, found {str(tree)[:40]!r}")
    return tree


def differs(root: Path, path: Path, commit: str) -> bool:
    """Return whether a file of the working tree differs from the commit's, or is missing there."""
    old = _blob(root, path, commit) if not path.is_absolute() else None
    return old != (root / path).read_bytes()


def changed_test_data(root: Path, commit: str) -> Iterator[str]:
    """Return how the frozen test data differ from the commit's: their checksum, or the files of their remote."""
    old, new = (_checksums(mapping(root, TEST_DATA, side)) for side in (commit, None))
    if old != new:
        yield f"the frozen test data changed: `{TEST_DATA}` was {old or 'missing'} and is {new or 'missing'}"
    # Added files are no harm: they go by their checksums, and `data.dvc` says which ones count.
    arguments = ("diff", "--name-only", "--diff-filter=a", commit, "--", str(TEST_DATA_REMOTE))
    changed = filter(None, (git.text(root, *arguments) or "").split("\n"))
    # Earlier commits have their released model there, too.
    model = _checksums(mapping(root, RELEASED, commit))
    if files := [file for file in changed if "".join(Path(file).parts[-2:]) != model]:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        yield f"the frozen test data were tampered with: `{files[0]}`{more} changed"


def _checksums(tree: Mapping[str, Any] | None) -> str:
    outs = (tree or {}).get("outs")
    found = outs if isinstance(outs, list) else []
    return ", ".join(str(out.get("md5")) for out in found if isinstance(out, Mapping))


def _blob(root: Path, path: Path, commit: str) -> bytes | None:
    """Return a file as a commit has it, or None where it has none."""
    return git.output(root, "show", f"{commit}:./{path.as_posix()}")
