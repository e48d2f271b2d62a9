import logging

import pytest

from realtime_wall.sockets.dispatch import message_log
from tests.fakes import a_request

FORMAT = '%(REMOTE_ADDR)s "%(HTTP_USER_AGENT)s" %(TYPE)s: %(MESSAGE)s'


def lines(caplog, line_format, kind="message", data="hello", **headers):
    with caplog.at_level(logging.INFO):
        message_log.note(line_format, a_request(**headers), kind, data)
    return [record.getMessage() for record in caplog.records]


def test_a_message_is_logged_in_the_projects_format(caplog):
    (line,) = lines(caplog, FORMAT, "say", ["hello"], HTTP_USER_AGENT="a browser")

    assert line == "127.0.0.1 \"a browser\" say: ['hello']"


def test_a_header_that_was_not_sent_is_a_dash(caplog):
    (line,) = lines(caplog, "%(HTTP_X_WHATEVER)s %(TIME)s")

    assert line.startswith("- 20")


@pytest.mark.threat("S44")
@pytest.mark.parametrize("data", ["two\nlines", "\x1b[31mred", "\u202eright to left"])
def test_a_message_stays_on_its_line_whatever_is_in_it(caplog, data):
    (line,) = lines(caplog, "%(MESSAGE)s", data=data)

    assert line.isascii() and line.isprintable()


@pytest.mark.threat("S44")
def test_a_long_message_is_cut(caplog):
    (line,) = lines(caplog, "%(MESSAGE)s", data="x" * 10_000)

    assert len(line) == message_log.MAX_MESSAGE


def test_a_format_that_cannot_be_used_is_named_and_hurts_nobody(caplog):
    (line,) = lines(caplog, "%(MESSAGE)d")

    assert "MESSAGE_LOG_FORMAT" in line
