import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fuzz", "mutated files (tests/fuzz)")
    group.addoption("--fuzz-cases", type=int, help="how many cases in all, shared by the formats; a thousand")
    group.addoption("--fuzz-format", help="this format alone")
    group.addoption("--fuzz-case", type=int, help="this case of it alone")
