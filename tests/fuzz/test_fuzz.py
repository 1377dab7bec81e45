"""Mutated files of every format: read right, or reported in one line."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.fuzz import harness
from tests.fuzz.formats import FORMATS

CASES = 1000
_SHARES = sum(form.share for form in FORMATS.values())


@pytest.mark.parametrize("name", FORMATS)
def test_mutated_files_are_read_right_or_refused(name, request):
    config = request.config
    total, only, number = (config.getoption(f"--fuzz-{key}", None) for key in ("cases", "format", "case"))
    if only not in (None, name):
        pytest.skip("another format is asked for")
    count = max(1, round((total or CASES) * FORMATS[name].share / _SHARES))
    cases = [harness.Case(name, each) for each in ([number] if number is not None else range(count))]
    results = list(harness.run(cases, len(os.sched_getaffinity(0))))
    faults = [result for result in results if result.fault]
    became = Counter("fault" if each.fault else "told" if each.told else "read" for each in results)
    print(f"{name}: {dict(became)}")
    assert not faults, f"{len(faults)} of {len(cases)} cases\n\n" + "\n\n".join(map(str, faults[:20]))
