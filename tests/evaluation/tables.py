"""Tables as they are written."""

import csv


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
