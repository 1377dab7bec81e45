import pytest

from instrec.util.text import aligned, clock, markdown


@pytest.mark.parametrize(
    ("seconds", "decimals", "expected"),
    [
        (0, 0, "0:00"),
        (7.4, 0, "0:07"),
        (59.6, 0, "1:00"),
        (754, 0, "12:34"),
        (3723, 0, "1:02:03"),
        (61.25, 1, "1:01.2"),
        (59.96, 1, "1:00.0"),
        (5.0, 1, "0:05.0"),
    ],
)
def test_times_read_as_people_write_them(seconds, decimals, expected):
    assert clock(seconds, decimals=decimals) == expected


def test_columns_are_as_wide_as_their_widest_cell():
    rows = [("name", "files"), ("violin", "7"), ("a", "120")]
    assert aligned(rows, right=(1,)) == ["name    files", "violin      7", "a         120"]


def test_a_table_as_markdown():
    lines = markdown(("metric", "old"), [["F1", "0.5"], iter(("top-1", "-"))], right=("old",)).split("\n")
    assert lines == ["| metric | old |", "| --- | ---: |", "| F1 | 0.5 |", "| top-1 | - |"]
