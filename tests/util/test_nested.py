"""Nested mappings: leaves by name, and one laid over another."""

from instrec.util.nested import flat, merged


def test_leaves_are_named_by_their_way() -> None:
    assert list(flat({"a": 1, "b": {"c": [2], "d": {"e": None}}})) == [("a", 1), ("b.c", [2]), ("b.d.e", None)]


def test_what_is_changed_is_replaced_and_nothing_else() -> None:
    base = {"a": 1, "b": {"c": [1, 2], "d": 3}}
    assert merged(base, {"b": {"c": [4]}, "e": {"f": 5}}) == {"a": 1, "b": {"c": [4], "d": 3}, "e": {"f": 5}}
    assert base == {"a": 1, "b": {"c": [1, 2], "d": 3}}
    assert merged(base, {}) == base
