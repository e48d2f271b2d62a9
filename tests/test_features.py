"""The table of features is whole, its proofs are there, and the page says what the table says."""

import pytest

from tests import features

ROWS = [row for part in features.sections().values() for row in part]


def test_all_144_are_there():
    assert [row.number for row in ROWS] == list(range(1, 145))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_each_is_proved_or_says_why_not(row):
    assert row.state in features.STATES
    assert bool(row.proofs) is (row.state in ("works", "partly"))
    assert bool(row.reason) is (row.state != "works")
    assert [proof for proof in row.proofs if not features.exists(proof)] == []


def test_a_test_that_is_gone_is_noticed():
    assert features.exists("tests/test_features.py::test_a_test_that_is_gone_is_noticed")
    assert not features.exists("tests/test_features.py::test_that_was_renamed")
    assert not features.exists("tests/test_that_was_moved.py::test_a_test_that_is_gone_is_noticed")


def test_the_page_says_what_the_table_says():
    assert features.PAGE.read_text() == features.page(), "run: python -m tests.features"
