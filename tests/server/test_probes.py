"""The cases of h1spec and of Http11Probe: each is refused or answered, and nothing is smuggled."""

import re
from contextlib import ExitStack

import pytest

from tests.server.heads import get
from tests.server.probes import H1SPEC, HTTP11PROBE, IDLE

PROBES = H1SPEC | HTTP11PROBE
BEHIND = get(line=b"GET /user/ HTTP/1.1")
GMT = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
NO_END = {"COMP-POST-CL-UNDERSEND", "COMP-CHUNKED-NO-FINAL"}
WAITED_FOR = [name for name, (status, _) in PROBES.items() if status in (IDLE, None) or name in NO_END]
AT_ONCE = [name for name in PROBES if name not in WAITED_FOR]


def test_there_are_as_many_as_the_suites_have():
    assert len(H1SPEC) == 33
    assert len(HTTP11PROBE) >= 157


@pytest.mark.threat("S14")
@pytest.mark.parametrize("name", AT_ONCE)
def test_a_probe_is_refused_and_its_connection_closed_or_answered_and_nothing_else_is(server, name):
    status, data = PROBES[name]
    with server.talk(data + BEHIND) as conversation:
        reply = conversation.reply(has_body=not data.startswith(b"HEAD"))
        assert reply.status == status
        if status == 100:
            reply = conversation.reply()
            assert reply.status == 200
        assert b"a-secret" not in reply.body
        if reply.headers.get("connection") == "close":
            assert conversation.rest() == b""
        else:
            assert status not in (400, 414, 431, 505)
            assert GMT.fullmatch(reply.headers["date"]) and ("allow" in reply.headers) is (status == 405)
            assert conversation.reply().body == b"user AnonymousUser"


@pytest.mark.threat("S15")
def test_what_is_not_whole_is_waited_for_until_its_time_is_over(server):
    """All at once: each takes as long as the others."""
    with ExitStack() as stack:
        talks = {name: stack.enter_context(server.talk(PROBES[name][1])) for name in WAITED_FOR}
        for name, conversation in talks.items():
            reply = conversation.reply()
            assert (reply and reply.status) == PROBES[name][0], name
            assert conversation.rest() == b""
