"""Broken files, kills, full disks and inputs that change: nothing is lost, and every answer is one line.

10,000 cases: ``python -m tests.helpers.fuzz_photos``.
"""

import pytest

from tests.helpers.fuzz_photos import KINDS, fuzz


@pytest.mark.parametrize("cases", [200, pytest.param(2500, marks=pytest.mark.slow)])
def test_no_finding(cases):
    counts, findings = fuzz(cases, first=cases, seconds=90)
    assert findings == []
    assert sum(counts.values()) > 100
    kinds = {outcome.partition(":")[0] for outcome in counts}
    assert kinds == set(KINDS)
    for outcome in ("broken: refused", "broken: restored", "full disk: refused", "killed: nothing yet"):
        assert counts[outcome], f"no case of {outcome}: {counts}"
