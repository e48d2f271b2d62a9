"""What the fuzzers have found is tried again: each input that once reached something new, or crashed it.

``make fuzz`` goes on from there.
"""

from importlib import import_module
from time import thread_time

import pytest

from tests.fuzz.corpora import NAMES, file_of, read

# In the gate others run beside it, on a machine that may be slow; under atheris it is 50 ms.
STALL = 0.5


@pytest.mark.threat("S07", "S14", "S22", "S30", "S40", "S47", "S58")
@pytest.mark.parametrize("name", NAMES)
def test_no_input_that_is_kept_crashes_or_stalls_what_it_is_for(name):
    parse, inputs = import_module(f"tests.fuzz.fuzz_{name}").parse, read(name)

    for data in inputs:
        begun = thread_time()
        parse(data)
        assert thread_time() - begun < STALL, data

    assert inputs, file_of(name)
