"""The official client under Node, with the cookies of a visitor and without an ``Origin``."""

import pytest

from tests.conformance.clients import conformance_server
from tests.live import wait_for

pytestmark = pytest.mark.node

COOKIE = {"Cookie": "sessionid=one"}


@pytest.fixture(scope="module")
def lenient(npm):
    with conformance_server(ALLOWED_ORIGINS=["none"]) as server:
        yield server


def test_it_is_let_in_where_the_setting_says_so(node, lenient, transports):
    client = node.open(lenient, transports=transports, extraHeaders=COOKIE)

    client.wait("connect")
    assert client.ask("echo", 1) == [1]
    wait_for(lambda: client.transport == transports[-1], "its upgrade")
    client.tell("disconnect")


def test_elsewhere_it_is_refused_on_every_transport(node, server, transports):
    client = node.open(server, transports=transports, extraHeaders=COOKIE, reconnection=False)

    wait_for(lambda: client.all("connect_error") or client.all("disconnect"), "its refusal")
    assert client.all("connect") == []
    # It may send the site's own instead.
    own = node.open(server, transports=transports, extraHeaders={**COOKIE, "Origin": server.url.rstrip("/")})
    own.wait("connect")
    own.tell("disconnect")
