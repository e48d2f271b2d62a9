"""The probes of load balancers, before Django."""

import json

import pytest

from realtime_wall.server.http.health_probe import HealthProbe
from tests.fakes import running_node
from tests.live import LiveServer


def ask(path, method="GET"):
    started = []
    probe = HealthProbe(lambda environ, start: [b"django"], "/healthz")
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method}
    body = b"".join(probe(environ, lambda status, headers: started.append((status, dict(headers)))))
    return (*started[0], body) if started else body


def test_a_probe_is_answered_without_django():
    with running_node():
        status, headers, body = ask("/healthz")

    assert status == "200 OK"
    assert json.loads(body)["status"] == "ok"
    assert headers["Content-Length"] == str(len(body))


def test_a_server_that_is_none_or_stops_says_so():
    assert ask("/healthz")[0] == "503 Service Unavailable"
    with running_node() as node:
        node.stopping = True
        assert ask("/healthz")[0] == "503 Service Unavailable"


def test_a_head_has_no_body():
    with running_node():
        assert ask("/healthz", "HEAD")[2] == b""


@pytest.mark.parametrize(("path", "method"), [("/", "GET"), ("/healthz/", "GET"), ("/healthz", "POST")])
def test_everything_else_is_django_s(path, method):
    assert ask(path, method) == b"django"


def test_a_probe_by_address_over_http_reaches_a_site_that_has_a_name_and_redirects():
    with LiveServer(settings={"HEALTH_PATH": "/healthz"}, environment={"SITE_STRICT": "1"}) as server:
        replies = [server.get(path).status for path in ("/healthz", "/health/")]

    assert replies == [200, 400]
