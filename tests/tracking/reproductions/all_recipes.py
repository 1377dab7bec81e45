"""The recipes of this repository."""

from pathlib import Path

import yaml

from instrec.tracking.reproductions import recipes

ROOT = Path(__file__).parents[3]


FOLDER, PARAMS = ROOT / "recipes", ROOT / "params.yaml"


NAMES = recipes.names(FOLDER)


DEFAULTS = yaml.safe_load(PARAMS.read_text())
