import itertools
import re

import pytest

from tests.live import LiveServer, wait_for
from tests.site_tables import with_tables

# Reasons and paths hold no quotes here, so the outer ones are those around what was asked.
ACCESS_LINE = re.compile(r'^\[[^]]+\] "(.*)" (\d{3}) \S+$', re.M)
marks = itertools.count()


def access_lines(text):
    """What was asked and what it was answered, line by line."""
    return ACCESS_LINE.findall(text)


@pytest.fixture(scope="package")
def server():
    """One server for the tests that leave it as it was."""
    with with_tables(LiveServer(settings={"HEAD_TIMEOUT": 0.5, "KEEP_ALIVE": 1.0})) as running:
        yield running
        assert "Traceback" not in running.output


@pytest.fixture
def new_output(server):
    """What the server has written since the test began."""
    mark = f"/hello/?mark={next(marks)} "
    server.get(mark.strip())
    # One more, in the log after whatever was still to come from the test before.
    wait_for(lambda: mark in server.output)
    return lambda: server.output.split(mark, 1)[1].split("\n", 1)[1]
