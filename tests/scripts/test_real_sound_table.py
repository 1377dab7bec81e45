"""The table of docs/real-sound.md is what the script makes of the recorded experiments."""

import csv
import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("real_sound_table", ROOT / "scripts/real_sound_table.py")
script = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(script)


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
