"""The generated parts of pages are current: what the scripts make of loaders, metrics and recorded experiments."""

import csv
import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from instrec.corpus.published import CORPORA

ROOT = Path(__file__).parents[2]


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


readme, datasets, script = map(loaded, ("readme_table", "datasets_page", "real_sound_table"))


def test_the_table_of_the_readme_holds_the_metrics_of_this_commit() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == readme.page(text), "run `python scripts/readme_table.py`"


def test_a_test_set_without_a_metric_has_a_dash() -> None:
    metrics = {"seen_clean": {"solo": {"top1": 0.5}}}
    recorded = [{"name": "notes", "top1": 0.75, "micro_f1": 0.25}, {"name": "music", "micro_f1": 0.625}]
    lines = readme.table(metrics, {"scores": metrics, "recordings": recorded}).splitlines()
    assert "| `seen_clean` | 0.500 | - | 0.500 | - |" in lines
    assert lines[-2:] == ["| recorded notes | - | - | 0.750 | - |", "| recorded music | - | - | - | 0.625 |"]


def test_the_page_of_datasets_holds_what_the_loaders_know() -> None:
    page = (ROOT / "docs/datasets.md").read_text(encoding="utf-8")
    assert page.endswith(f"{datasets.MARK}\n{datasets.sections(CORPORA)}"), "run `python scripts/datasets_page.py`"


def test_a_change_of_a_loader_changes_the_page() -> None:
    changed = {"irmas": replace(CORPORA["irmas"], license="CC0", labels={"gac": "acoustic_guitar"})}
    assert "- License: CC0\n" in datasets.sections(changed)
    assert "| acoustic_guitar | `gac` |" in datasets.sections(changed)


def recorded() -> list[dict[str, str]]:
    with (ROOT / "docs/real-sound.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_page_holds_the_table_of_the_recorded_experiments() -> None:
    assert (ROOT / "docs/real-sound.md").read_text(encoding="utf-8").endswith(script.table(recorded()))


def test_every_value_is_a_share_or_two() -> None:
    for row in recorded():
        values = [value for metric in script.METRICS for value in row[metric].split(" / ") if value]
        assert values
        assert all(0 <= float(value) <= 1 for value in values)


def test_a_leaked_metric_stands_in_brackets() -> None:
    row = dict.fromkeys(recorded()[0], "") | {"series": "x", "experiment": "e", "unseen_solo": ".9", "leaked": "yes"}
    assert "(.9)" in script.table([row])
    assert "(.9)" not in script.table([row | {"leaked": ""}])
