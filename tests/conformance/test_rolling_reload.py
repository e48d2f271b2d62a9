"""Stock clients of workers that are replaced one after the other."""

import signal

import pytest

from tests.conformance.clients import HERE
from tests.live import LiveServer, wait_for

pytestmark = pytest.mark.node


def test_a_visit_goes_on_at_another_worker_when_its_own_is_replaced(node, npm, transports):
    arguments = ("--noreload", "--workers", "2")
    server = LiveServer(project=HERE / "project", program=("manage_visits.py",), arguments=arguments)
    with server:
        client = node.open(server, transports=transports, auth={"join": ["recovery"]})
        before = client.wait("connect")
        wait_for(lambda: client.transport == transports[-1], "its upgrade")
        for times in (1, 2):
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_log("workers were replaced", times)
        back = client.wait("connect", 2)
        wait_for(lambda: client.ask("channels") == [["recovery"]], "its channels")

        assert {one["id"] for one in client.all("connect")} == {before["id"]}
        assert back["recovered"]
        assert server.stop() == 0
