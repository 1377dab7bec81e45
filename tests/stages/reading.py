"""Which sections of params.yaml a stage reads, as it runs."""

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from instrec import params
from instrec.params import Params

ROOT = Path(__file__).parents[2]
LISTED = {
    name: {param.split(".")[0] for param in stage["params"]}
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items()
}
CHANGE_NO_RESULT = {"workers", "cluster", "tracking"}
SECTIONS = {field.name for field in dataclasses.fields(Params)}
# Loading and checking reads all; so does the hash that names a backup.
NO_READERS = {params.__file__, dataclasses.__file__}


@contextmanager
def recorded() -> Iterator[set[str]]:
    """Collect the sections that are read of any Params, but for those by what loads, copies or hashes them whole."""
    read: set[str] = set()

    def get(self: Params, name: str) -> Any:
        if name in SECTIONS and sys._getframe(1).f_code.co_filename not in NO_READERS:
            read.add(name)
        return object.__getattribute__(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Params, "__getattribute__", get)
        yield read
