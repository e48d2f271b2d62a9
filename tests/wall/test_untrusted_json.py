import gc

import pytest

from realtime_wall.wall.untrusted_json import load_json
from tests.collector import lost_at_the_end_of_the_stack

BOMBS = ["[" * 5000, '{"a":' * 5000, "[" * 2000 + "]" * 2000]


@pytest.mark.parametrize("bomb", BOMBS)
def test_nesting_without_end_is_refused_and_no_callback_is_lost(bomb):
    def read():
        with pytest.raises(ValueError, match="nested too deeply"):
            load_json(bomb)

    assert lost_at_the_end_of_the_stack(read) == 0
    assert gc.isenabled()


@pytest.mark.parametrize("data", [b"\xff", "", "[1", "9" * 5000])
def test_what_is_no_json_is_a_value_error(data):
    with pytest.raises(ValueError):
        load_json(data)


def test_where_the_collector_is_off_it_stays_off():
    gc.disable()
    try:
        assert load_json('{"a": [1]}') == {"a": [1]}
        assert not gc.isenabled()
    finally:
        gc.enable()
