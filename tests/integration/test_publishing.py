"""Publishing over HTTP on real connections: proxies, bodies in chunks, sessions, and who listens."""

import json
from time import monotonic

import pytest
import requests

from tests.live import LiveServer
from tests.site_tables import with_tables

LOOSE = {"PUBLISH_FROM_LOOPBACK": True, "MESSAGE_SIZE": 100_000}


@pytest.fixture(scope="module")
def server():
    with LiveServer(settings=LOOSE) as running:
        yield running
        assert "Traceback" not in running.output


def ask(server, method, path, body=b"", *headers):
    length = [] if body is None else [f"Content-Length: {len(body)}"]
    lines = [f"{method} {path} HTTP/1.1", f"Host: {server.host}", "Connection: close", *length, *headers]
    with server.talk("\r\n".join([*lines, "", ""]).encode() + (body or b"")) as conversation:
        return conversation.reply()


def test_a_program_on_this_machine_publishes_and_everybody_hears_it(server):
    with server.client() as client, server.talk(b"GET /events/sub/news HTTP/1.0\r\n\r\n") as stream:
        client.subscribe("news")
        while stream.stream.readline() != b"\r\n":
            pass

        reply = ask(server, "POST", "/pub?id=news", b"hello", "Event-Type: said")

        assert json.loads(reply.body)["subscribers"] == 2
        heard = client.read()
        assert (heard["type"], heard["message"]) == ("said", "hello")
        assert json.loads(stream.stream.readline())["text"] == "hello"


@pytest.mark.parametrize("header", ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=x", "Via: 1.1 proxy"])
def test_who_comes_through_a_proxy_is_no_program_on_this_machine(server, header):
    assert ask(server, "POST", "/events/pub/news", b"hello", header).status == 403


def test_nor_is_who_comes_through_one_that_is_not_trusted():
    with LiveServer(settings={**LOOSE, "TRUSTED_PROXIES": []}) as server:
        forwarded = ask(server, "POST", "/events/pub/news", b"hello", "X-Forwarded-For: 192.0.2.1")

        assert forwarded.status == 403
        assert ask(server, "POST", "/events/pub/news", b"hello").status == 200


def test_a_body_in_chunks_is_a_body(server):
    chunks = b"5\r\nhello\r\n6\r\n, you!\r\n0\r\n\r\n"
    reply = ask(
        server, "PUT", "/events/pub/chunks", None, "Transfer-Encoding: chunked\r\n\r\n" + chunks.decode()
    )

    assert reply.status == 200
    assert json.loads(server.get("/events/poll/chunks.b1").body)["text"] == "hello, you!"


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 100000000",
        "Transfer-Encoding: chunked\r\n\r\n30d40\r\n" + "x" * 200_000 + "\r\n0",
    ],
    ids=["announced", "in chunks"],
)
def test_more_than_a_message_may_have_is_not_read(server, headers):
    assert ask(server, "POST", "/events/pub/large", None, headers).status == 413


def test_a_deleted_channel_ends_its_stream_with_a_goodbye(server):
    with server.talk(b"GET /events/ev/doomed HTTP/1.0\r\n\r\n") as stream, server.client() as client:
        client.subscribe("doomed")
        ask(server, "POST", "/events/pub/doomed", b"hello")

        reply = ask(server, "DELETE", "/events/pub/doomed", b"Good night")

        assert (reply.status, reply.headers["x-nginx-pushstream-explain"]) == (200, "Channel deleted.")
        told = stream.rest().decode()
        assert told.index('"text":"hello"') < told.index('"id":-2,"channel":"doomed","text":"Good night"')
        assert [client.read()["type"] for _ in range(2)] == ["message", "unsubscribed"]
        assert ask(server, "GET", "/events/pub/doomed").status == 404


STAFF = """
from django.contrib.auth.models import User
User.objects.create_user("ada", password="ada", is_staff=True)
"""


def test_staff_publishes_with_the_token_of_its_session_and_not_without():
    with with_tables(LiveServer()) as server:
        assert server.manage("shell", "-v0", "-c", STAFF).returncode == 0
        site = f"http://{server.host}"
        session = requests.Session()
        session.post(f"{site}/login/", data={"name": "ada", "password": "ada"}, timeout=10)
        token = {"X-CSRFToken": session.cookies["csrftoken"]}

        def publish(**headers):
            return session.post(f"{site}/events/pub/news", "hello", headers=headers, timeout=10)

        assert publish(Origin=site, **token).status_code == 200
        assert publish(Origin=site).status_code == 403
        assert publish(Origin="https://evil.example", **token).status_code == 403
        assert session.get(f"{site}/events/stats/", timeout=10).json()["published_messages"] == 1
        assert requests.get(f"{site}/events/stats/", timeout=10).status_code == 403


@pytest.mark.threat("S45")
def test_a_token_is_not_written_to_the_log(server):
    ask(server, "POST", "/events/pub/news?token=abcdefsecretsecret", b"hello")

    line = server.wait_for_log(r".*token=abcdef.*")[-1]
    assert "secretsecret" not in line


def test_two_workers_publish_at_once_though_there_is_an_events_channel():
    """The first message of a channel is followed by an event, which a worker publishes itself."""
    settings = {**LOOSE, "EVENTS_CHANNEL": "life"}
    with LiveServer(settings=settings, arguments=("--noreload", "--workers", "2")) as server:
        for number in range(6):
            began = monotonic()
            assert ask(server, "POST", f"/events/pub/room{number}", b"x").status == 200
            assert monotonic() - began < 5  # a hub that does not answer is waited for twice as long
        for number in range(4):  # listeners that come and go
            with server.talk(f"GET /events/ev/l{number} HTTP/1.0\r\n\r\n".encode()) as stream:
                assert b"200" in stream.stream.readline()
        assert ask(server, "POST", "/events/pub/last", b"x").status == 200
        assert "Traceback" not in server.output
        assert "ended with status" not in server.output
