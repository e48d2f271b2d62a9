"""The official client loses its connection, comes back, and goes on where it was."""

import signal

import pytest

from tests.conformance.clients import conformance_server
from tests.live import wait_for

pytestmark = pytest.mark.node

# What the "control" client does is broadcast to all: so each test looks for numbers of its own.


def connected(node, server, transports=("websocket",), **options):
    client = node.open(server, transports=list(transports), **options)
    client.wait("connect")
    return client


def come_back(client, control, how):
    """Lose the connection; what the client is told when it has another one."""
    before = len(client.all("connect"))
    if how == "server":
        control.ask("cut", client.wait("connect", before)["id"])
    else:
        client.tell(how)
    return client.wait("connect", before + 1)


@pytest.fixture(params=["server", "cut", "half_open"])
def how(request):
    return request.param


def test_a_client_that_was_cut_off_is_the_same_afterwards(node, server, control, how):
    client = connected(node, server)
    before = client.wait("connect")["id"]
    client.ask("join", "room")

    back = come_back(client, control, how)

    assert back == {"id": before, "recovered": True}
    assert client.ask("context") == [{"connects": 2}]
    assert client.ask("channels") == [["room"]]
    # Of a connection that the server thought to be alive, too: one end, and no "finished".
    assert client.ask("told", before) == [["connected", "disconnected", "recovered"]]


def test_a_polling_client_is_recovered_too(node, server, control):
    client = connected(node, server, ["polling"])
    client.ask("join", "room")
    control.ask("publish", ["room", [1]])
    client.wait_heard("news", 1)

    back = come_back(client, control, "server")
    control.ask("publish", ["room", [2]])

    assert back["recovered"] is True
    assert client.wait_heard("news", 2) == [1, 2]


def test_what_was_missed_comes_once_and_in_order_over_all_its_channels(node, server, control):
    client = connected(node, server, reconnectionDelay=400, reconnectionDelayMax=400)
    for channel in ("one", "two"):
        client.ask("join", channel)
    control.ask("publish", ["one", ["before"]])
    client.wait_heard("news", "before")

    client.tell("cut")
    client.wait("disconnect")
    for start in (0, 3, 6):
        control.ask("publish", ["one", [start]])
        control.ask("all_news", [start + 1])
        control.ask("publish", ["two", [start + 2]])
        control.ask("publish", ["elsewhere", ["not for it"]])
    assert client.wait("connect", 2)["recovered"] is True
    control.ask("publish", ["one", ["after"]])

    assert client.wait_heard("news", "after") == ["before", *range(9), "after"]


def test_it_works_again_and_again_with_and_without_something_missed(node, server, control):
    client = connected(node, server, auth={"join": ["again"]})
    for number in range(6):
        if number % 2:
            control.ask("publish", ["again", [number]])
        assert come_back(client, control, ("cut", "server")[number % 2])["recovered"] is True

    control.ask("publish", ["again", ["end"]])

    assert client.wait_heard("news", "end") == [1, 3, 5, "end"]
    # The connect receivers joined it each time, and once is enough.
    assert client.ask("channels") == [["again"]]


def test_what_was_published_while_it_is_being_welcomed_is_not_lost(node, server, control):
    client = connected(node, server)
    client.ask("join", "storm")
    for number in range(20):
        if number % 5 == 2:
            client.tell("cut")
        control.ask("publish", ["storm", [number * 10 + one for one in range(10)]])
    wait_for(lambda: len(client.all("connect")) >= 2, "its return")
    control.ask("publish", ["storm", ["end"]])

    assert client.wait_heard("news", "end") == [*range(200), "end"]
    assert all(one["recovered"] for one in client.all("connect")[1:])


def test_a_text_at_the_end_of_an_event_is_not_taken_for_an_offset(node, server, control):
    client = connected(node, server)
    client.emit("back", "not an offset")
    client.wait_heard("back", "not an offset")

    assert come_back(client, control, "cut")["recovered"] is True


def test_in_a_quiet_channel_it_works_when_the_log_has_forgotten_everything_else(node, npm):
    with (
        conformance_server(HISTORY_CHANNELS=2) as server,
        server.client() as control,
    ):
        client = connected(node, server, auth={"join": ["quiet"]})
        for number in range(5):
            control.ask("publish", [f"other {number}", [number]])

        assert come_back(client, control, "cut")["recovered"] is True


def test_who_missed_more_than_the_log_keeps_is_told_that_it_starts_afresh(node, npm):
    with (
        conformance_server(HISTORY_SIZE=3) as server,
        server.client() as control,
    ):
        client = connected(
            node, server, auth={"join": ["room"]}, reconnectionDelay=400, reconnectionDelayMax=400
        )
        before = client.wait("connect")["id"]
        client.tell("cut")
        client.wait("disconnect")
        control.ask("publish", ["room", list(range(10))])

        back = client.wait("connect", 2)

        assert back["recovered"] is False
        assert back["id"] != before
        wait_for(lambda: client.ask("told", before) == [["connected", "disconnected", "finished"]], "its end")


def test_a_visit_that_is_not_taken_up_in_time_is_over(node, npm):
    with (
        conformance_server(RESUME_TIMEOUT=0.3) as server,
        server.client() as control,
    ):
        client = connected(node, server, reconnection=False)
        before = client.wait("connect")["id"]
        client.tell("cut")
        wait_for(lambda: control.ask("told", before)[-1] == "finished", "the end of the visit")

        client.tell("connect")

        assert client.wait("connect", 2)["recovered"] is False
        assert control.ask("told", before) == ["connected", "disconnected", "finished"]


def test_after_a_restart_of_the_server_clients_come_back_and_start_afresh(node, npm, transports):
    server = conformance_server()
    with server:
        client = connected(node, server, transports)
        before, port = client.wait("connect")["id"], server.port
        # One that is cut off in the middle of an upgrade notices by its heartbeat only.
        wait_for(lambda: client.transport == transports[-1], "its upgrade")
        server.command[1] = str(port)
        server.stop(signal.SIGTERM)
        client.wait("disconnect")
        server.log.write_text("")
        server.start()

        back = client.wait("connect", 2)
        assert (back["recovered"], back["id"] == before) == (False, False)
        assert client.ask("echo", 1) == [1]


def test_another_visitor_cannot_take_up_a_visit_or_cut_it_off(node, server, control):
    headers = {"Cookie": "sessionid=one", "Origin": server.url.rstrip("/")}
    client = connected(node, server, extraHeaders=headers, auth={"join": ["mine"]})
    before = client.wait("connect")["id"]
    client.emit("back", 1)
    client.wait_heard("back", 1)  # with its first offset
    client.tell("secret")
    pid, offset = client.wait("secret")

    thief = connected(
        node,
        server,
        extraHeaders={**headers, "Cookie": "sessionid=two"},
        auth={"pid": pid, "offset": offset},
    )

    assert thief.wait("connect")["recovered"] is False
    assert thief.wait("connect")["id"] != before
    assert client.ask("told", before) == [["connected"]]
    # With its own cookie, the visit could have been taken up.
    same = connected(node, server, extraHeaders=headers, auth={"pid": pid, "offset": offset})
    assert same.wait("connect")["id"] == before
