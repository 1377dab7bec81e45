"""Recipes: published systems, and our own larger model, as what differs from `params.yaml`: a file each in `recipes/`.

title: ConvNet on solo recordings
source: Segal 2016
data: what the publication trained and tested on
published: its figures, on its data
differs: one line on what is not as published, or was silent there and is ours
extends: another recipe                          # optional: its params, cpu and data_sets come first
ours: true                                       # optional: keeps clips and epochs of what it extends, but has network,
                                                 # features and training of params.yaml
params: {task: solo, clip: {seconds: 3.0}, ...}  # only what differs from params.yaml
cpu: {train: {epochs: 10}}                       # optional: a smaller budget for machines without a GPU
cpu_is: another experiment, from random weights  # optional: where that budget does not reproduce the publication; why
data_sets: {sources: {train: [irmas]}}           # optional: to run on the published datasets; comes last
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from instrec import params
from instrec.errors import UserError, closest
from instrec.params_schema import build
from instrec.util import documents
from instrec.util.nested import flat, merged

Tree = dict[str, Any]

BUDGETS = ("full", "cpu")
OURS = "instrec"  # the source of a recipe that nobody has published
_TREES = ("params", "cpu", "data_sets")
_NETWORK = ("spectrogram", "model", "train")
_EPOCHS = ("epochs", "regenerate_every")  # what of `train` is no matter of the network


@dataclass(frozen=True)
class Recipe:
    """One published system, or a variant of it; the fields are those of its file.

    `block` is the title of the table in which it stands: the publication whose clips it is trained on. With classes
    other than those of the recipe that it extends, it has a table of its own, as chance is another there.
    """

    name: str
    block: str
    title: str
    source: str
    data: str
    published: str
    differs: str
    params: Tree
    cpu: Tree
    data_sets: Tree
    cpu_is: str = ""

    def reproduces(self, budget: str) -> bool:
        """Return whether runs with a budget tell something about the conclusions of the publication."""
        return budget != "cpu" or not self.cpu_is

    def title_with(self, budget: str) -> str:
        """Return the title of a run with a budget: it also says where that is another experiment."""
        return self.title if self.reproduces(budget) else f"{self.title} ({self.cpu_is})"

    @property
    def task(self) -> str:
        return str(self.params.get("task", "count_presence"))

    def changes(self, *, budget: str = "full", data_sets: bool = False) -> Tree:
        """Return what to change in params.yaml, as a tree of sections."""
        tree = self.params
        if data_sets and not self.data_sets:
            raise UserError(
                "recipe-without-datasets", f"recipe {self.name}", "names no datasets; leave --data-sets out"
            )
        tree = merged(tree, self.cpu) if budget == "cpu" else tree
        return merged(tree, self.data_sets) if data_sets else tree


_FIELDS = [field.name for field in fields(Recipe) if field.name not in ("name", "block")]
_OPTIONAL = {"cpu_is": ""}


def names(folder: Path) -> list[str]:
    """Return the names of the recipes in a folder, in alphabetical order.

    Raises
    ------
    UserError
        If there are none.
    """
    found = sorted(path.stem for path in folder.glob("*.yaml"))
    if not found:
        raise UserError("folder-empty", folder, "holds no recipes; run this in a clone of the repository")
    return found


def compared(folder: Path) -> list[Recipe]:
    """Return the recipes of a folder that somebody has published, and ours on their clips, block by block."""
    found = [load(folder, name) for name in names(folder)]
    return sorted((each for each in found if each.block != OURS), key=lambda each: (each.block, each.source == OURS))


def clips_alone(tree: Mapping[str, Any]) -> Tree:
    """Return a recipe's tree without its network, features and training: its clips and epochs."""
    train = {key: value for key, value in tree.get("train", {}).items() if key in _EPOCHS}
    kept = {section: values for section, values in tree.items() if section not in _NETWORK}
    return kept | ({"train": train} if train else {})


def load(folder: Path, name: str) -> Recipe:
    """Read a recipe with all that it extends.

    Raises
    ------
    UserError
        If it does not exist, is not YAML, has an unknown or missing field, or extends itself.
    """
    return _recipe(folder, name, ())


def _recipe(folder: Path, name: str, heirs: tuple[str, ...]) -> Recipe:
    known = names(folder)
    if name not in known:
        hint = closest(name, known, f"allowed: {', '.join(known)}")
        raise UserError("value-unknown", folder, f"no recipe {name!r}; {hint}")
    path = folder / f"{name}.yaml"
    if name in heirs:
        raise UserError("recipe-circular", path, f"extends itself; remove one `extends` of {', '.join(heirs)}")
    tree = _read(path)
    parts: Tree = {}
    block = tree.get("source")
    if (parent := tree.pop("extends", None)) is not None:
        if not isinstance(parent, str):
            raise UserError("value-invalid", f"{path}: extends", f"expected the name of a recipe, found {parent!r}")
        base = _recipe(folder, parent, (*heirs, name))
        parts, block = {key: getattr(base, key) for key in _FIELDS}, block or base.block
        if tree.get("ours"):
            parts |= {key: clips_alone(parts[key]) for key in _TREES} | {"source": OURS}
    for key in _FIELDS:
        if key in _TREES:
            value = tree.get(key, {})
            if not isinstance(value, dict):
                raise UserError("not-a-mapping", f"{path}: {key}", f"expected a mapping, found {value!r}")
            parts[key] = merged(parts.get(key, {}), value)
        else:
            value = tree.get(key, parts.get(key, _OPTIONAL.get(key)))
            if not isinstance(value, str):
                raise UserError("value-invalid", f"{path}: {key}", f"expected text, found {value!r}")
            parts[key] = " ".join(value.split())
    other_classes = parent is not None and "classes" in tree.get("params", {})
    return Recipe(name=name, block=_block(str(block), parts) if other_classes else str(block), **parts)


def _block(block: str, parts: Tree) -> str:
    return block if block == OURS else f"{parts['source']}, {len(parts['params']['classes'])} classes"


def _read(path: Path) -> Tree:
    tree = documents.load_yaml(path)
    if not isinstance(tree, dict):
        raise UserError("not-a-mapping", path, f"expected a mapping of fields to values, found {tree!r}")
    for key in tree:
        if key not in (allowed := (*_FIELDS, "extends", "ours")):
            raise UserError("key-unknown", f"{path}: {key}", f"unknown field; allowed: {', '.join(allowed)}")
    return tree


def settings(params_file: Path, changes: Mapping[str, Any], where: str) -> tuple[Tree, params.Params]:
    """Apply changes to params.yaml, and check the whole.

    Returns
    -------
    The tree to write, and the same typed.

    Raises
    ------
    UserError
        Naming the recipe and the `section.key` that does not fit.
    """
    params.load(params_file)  # its own mistakes are its own
    tree = merged(documents.load_yaml(params_file), changes)
    return tree, build(params.Params, tree, where, joint=": ")


def overrides(changes: Mapping[str, Any]) -> list[str]:
    """Return changes as `section.key=value`, as `dvc exp run -S` takes them; none needs quoting in a shell."""
    return [f"{key}={_written(value)}" for key, value in flat(changes)]


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def rows(recipes: Iterable[Recipe]) -> list[tuple[str, str, str, str]]:
    """Return name, source, task and classes of each, for a list."""
    return [(each.name, each.source, each.task, _classes(each.params.get("classes", []))) for each in recipes]


def _classes(classes: Any) -> str:
    if classes == ["general_midi"]:
        return "128: General MIDI's programs"
    if not isinstance(classes, list):  # a mistake, which `settings` refuses; a list of recipes shows it
        return str(classes)
    return f"{len(classes)}: {', '.join(map(str, classes))}" if classes else "those of params.yaml"
