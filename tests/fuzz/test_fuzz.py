"""Mutated files of every format: read right, or told in one line."""

from __future__ import annotations

import os
from collections import Counter

from tests.fuzz import harness
from tests.fuzz.formats import FORMATS

CASES = 1000
_SHARES = sum(form.share for form in FORMATS.values())


def pytest_generate_tests(metafunc):
    only = metafunc.config.getoption("--fuzz-format", None)
    metafunc.parametrize("name", [only] if only else list(FORMATS))


def test_mutated_files_are_read_right_or_refused(name, request, capsys):
    total, number = (request.config.getoption(f"--fuzz-{key}", None) for key in ("cases", "case"))
    count = max(1, round((total or CASES) * FORMATS[name].share / _SHARES))
    cases = [harness.Case(name, each) for each in ([number] if number is not None else range(count))]
    results = list(harness.run(cases, len(os.sched_getaffinity(0))))
    faults = list(dict.fromkeys(result for result in results if result.fault))  # one of a whole file comes often
    became = Counter("fault" if each.fault else "told" if each.told else "read" for each in results)
    with capsys.disabled():  # the log of CI says what was tried
        print(f"{name}: {len(cases)} cases, {dict(sorted(became.items()))}")
    assert not faults, f"{len(faults)} of {len(cases)} cases\n\n" + "\n\n".join(map(str, faults[:20]))
