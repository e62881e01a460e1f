from __future__ import annotations

import pytest

from daicho.domain.bulk import kinds
from tests.bulk.work import KIND, Lines


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """The runner of a kind of job that only tests know."""
    monkeypatch.setitem(kinds.KINDS, KIND, "Take in %(file)s")
    return Lines()
