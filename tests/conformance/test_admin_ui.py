"""The stock page of @socket.io/admin-ui in a browser: it shows the site, and its clicks do what they say."""

import mimetypes

import bcrypt
import pytest
from playwright.sync_api import expect

from tests.browser import running_browser
from tests.conformance.clients import HERE, conformance_server
from tests.live import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.node]

UI = HERE / "node_modules/@socket.io/admin-ui/ui/dist"
HASHED = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
SETTINGS = {
    "NAMESPACES": ["/", "/admin"],
    "SOCKETIO_MSGPACK": True,
    "SOCKETIO_ADMIN": {"USERNAME": "admin", "PASSWORD": HASHED, "ALL_EVENTS": True},
    "EVENT_MIDDLEWARE": ["realtime_wall.socketio_admin.admin_namespace.report_events"],
}


@pytest.fixture(scope="module")
def server():
    with conformance_server(**SETTINGS) as server:
        yield server


@pytest.fixture
def page(npm, server):
    """Under the site's own origin, as one that a site serves among its static files."""

    def serve(route):
        path = UI / route.request.url.partition("/ui/")[2].partition("?")[0]
        route.fulfill(body=path.read_bytes(), content_type=mimetypes.guess_type(path.name)[0] or "")

    with running_browser() as browser:
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.route("**/ui/**", serve)
        page.goto(f"{server.url}ui/index.html")
        yield page


def sign_in(page, server, password="secret"):
    page.get_by_label("Server URL").fill(server.url.rstrip("/"))
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Connect").click()


def show(page, what):
    page.get_by_role("navigation").get_by_text(what, exact=True).click()


def test_it_shows_the_site_and_what_is_clicked_happens(page, server, node):
    client = node.open(server, auth={"join": ["room"]})
    socket_id = client.wait("connect")["id"]

    sign_in(page, server, "wrong")
    expect(page.get_by_text("invalid credentials")).to_be_visible()
    sign_in(page, server)
    expect(page.get_by_text("connected", exact=True).first).to_be_visible()
    show(page, "Servers")
    expect(page.get_by_role("cell", name="Healthy")).to_be_visible()

    show(page, "Sockets")
    expect(page.get_by_text(socket_id)).to_be_visible()
    other = node.open(server, transports=["polling"])
    other_id = other.wait("connect")["id"]
    expect(page.get_by_text(other_id)).to_be_visible()
    expect(page.get_by_role("row", name=other_id).get_by_text("HTTP long-polling")).to_be_visible()
    other.tell("disconnect")
    expect(page.get_by_text(other_id)).to_be_hidden()

    assert client.ask("echo", "seen by the page") == ["seen by the page"]
    show(page, "Events")
    expect(page.get_by_role("row", name="echo")).to_be_visible()

    show(page, "Sockets")
    page.get_by_role("cell", name=socket_id, exact=True).last.click()
    page.get_by_label("Join a room").fill("from the page")
    page.get_by_label("Join a room").press("Enter")
    page.locator("form button[type=submit]").first.click()
    wait_for(lambda: client.ask("channels") == [["room", "from the page"]], "the room")
    expect(page.get_by_role("cell", name="from the page")).to_be_visible()

    page.reload()  # it comes back without a password
    expect(page.get_by_text("connected", exact=True).first).to_be_visible()
    show(page, "Sockets")
    page.get_by_role("row", name=socket_id).get_by_role("button").click()
    assert client.wait("disconnect") == "io server disconnect"
    show(page, "Sockets")
    expect(page.get_by_role("cell", name=socket_id)).to_be_hidden()


@pytest.mark.prove
def test_it_is_told_what_happens_on_every_server_and_reaches_all_of_them(npm, node):
    with conformance_server(arguments=["--workers", "2"], **SETTINGS) as server:
        auth = {"username": "admin", "password": "secret"}
        admin = node.open(server, "/admin", auth=auth, parser="msgpack")

        def seen(name, at):
            return {event[at] for event in admin.events if event[0] == name}

        def servers():
            return {event[1]["serverId"] for event in admin.events if event[0] == "server_stats"}

        wait_for(lambda: len(servers()) == 2, "the figures of both")
        clients = [node.open(server, auth={"join": ["room"]}) for _ in range(12)]
        ids = {client.wait("connect")["id"] for client in clients}
        assert len({session_id.partition(".")[0] for session_id in ids}) == 2
        wait_for(lambda: seen("room_joined", 3) >= ids, "who joins")
        admin.emit("emit", "/", "room", "hello", 1)
        for client in clients:
            client.wait_heard("hello", 1)
        admin.emit("_disconnect", "/", False, "room")
        for client in clients:
            client.wait("disconnect")
        wait_for(lambda: seen("socket_disconnected", 2) >= ids, "who leaves")
