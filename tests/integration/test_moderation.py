"""What moderators hold back reaches no visitor: tried on every page and every transport."""

import json
import re
import sqlite3
from contextlib import closing

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from realtime_wall.wall.urls import urlpatterns
from tests.browser import ExampleServer
from tests.live import PATIENCE, wait_for

SECRETS = ("WAITINGWORD", "HIDDENWORD", "BANNEDWORD", "EDITEDWORD", "waitingauthor", "waitingsource")
END = "that is all for today"
STORY = """
import io, json
from datetime import UTC, datetime
from django.contrib.auth.models import User
from django.core.management import call_command
from django.template import Context, Template
from realtime_wall import publish
from realtime_wall.wall.feed.announce import post_now
from realtime_wall.wall.models import Ban, Mode, PhonePicture, Tweet, Wall
from realtime_wall.wall.moderation.decisions import Choice, ban, decide, undo
from realtime_wall.wall.moderation.open_pages import publish_decisions
from realtime_wall.wall.changes.wall_changes import change
from realtime_wall.wall.moderation.pinned_post import publish_pinned
from realtime_wall.wall.post import Author, Post
from realtime_wall.wall.programs.program_tables import Webhook, WebhookMessage

def add(id, text, author="mara", source="webhook", **fields):
    now = datetime.now(UTC)
    post = Post(id=id, source=source, text=text, created_at=now, author=Author(username=author), **fields)
    post_now("main", [post])

wall = Wall.called()
Webhook.objects.create(url="http://127.0.0.1:9/")
wall.moderators.add(User.objects.create_user("ada", password="salt-and-tide"))
add("1", "shown and then HIDDENWORD")
add("1", "shown and then HIDDENWORD again", version=1)
add("2", "of a banned one: BANNEDWORD", author="spammer")
change(wall, "pin", "ada", {"pinned_id": Tweet.objects.get(post_id="1").pk})
publish_pinned(wall)
def done(act):
    publish_decisions(wall, act.decided)
    return act
hidden = done(decide(wall, "hide", [Choice("webhook:1", "shown")], "ada"))
done(undo(wall, hidden.id, "ada"))
done(decide(wall, "hide", [Choice("webhook:1", "shown")], "ada"))
for act in ban([wall], Ban(source="webhook", username="spammer", by="ada", wall=wall)):
    done(act)
add("3", "a good one")
Wall.objects.update(mode=Mode.APPROVED)
add("3", "a good one, EDITEDWORD", version=1)
add("4", "WAITINGWORD", author="waitingauthor", source="waitingsource")
add("6", "WAITINGWORD of a phone", author="waitingauthor", source="phone")
PhonePicture.objects.create(post_id="6", wall=wall, data=b"WAITINGWORD in a picture")
add("5", "that is all for today", source="post")
tags = "{% load wall %}{% render_tweets 50 %}{% count %}{% top_users 50 %}{% top_tweets 50 %}"
said = io.StringIO()
call_command("top_tweets", stdout=said)
bodies = [one.body for one in WebhookMessage.objects.order_by("id")]
print(json.dumps({"tags": Template(tags).render(Context()), "command": said.getvalue(), "webhooks": bodies}))
"""


@pytest.fixture(scope="module")
def server(migrated_wall):
    """A wall on which all that has happened, with its position before any of it."""
    with ExampleServer("example_wall", migrated_wall, {"SOURCES": ["webhook"], "VISITORS": True}) as running:
        running.since = re.search(rb'data-cursor="([^"]+)"', running.get("/").body)[1].decode()
        told = running.manage("shell", "--verbosity", "0", "-c", STORY)
        assert told.returncode == 0, told.stderr
        running.said = json.loads(told.stdout)
        yield running


def leaks(text):
    return [secret for secret in SECRETS if secret in (text if isinstance(text, str) else text.decode())]


def routes():
    found = {str(pattern.pattern) for pattern in urlpatterns}
    yield from sorted(route.replace("<slug:slug>", "main").replace("<str:post_id>", "4") for route in found)
    for query in ("?q=word", "?q=word&source=waitingsource", "?author=waitingauthor", "?last=hour"):
        yield from (f"{page}{query}" for page in ("api/posts/", "archive/", "report/"))
    yield from (
        "posts.json?after=webhook:3",
        "posts.json?after=waitingsource:4",
        "picture/6.jpg",
        "?screen=Hall",
        "events/stats/ALL",
        "events/stats/tweets?format=xml",
        "metrics/",
        "start/",
        "admin/",
    )


def test_no_page_and_no_answer_has_it(server):
    for route in routes():
        answer = requests.get(server.url + route, timeout=PATIENCE)
        text = answer.text
        # Nor in a cache on the way, tomorrow, when it is hidden.
        assert END not in text or "no-store" in answer.headers["Cache-Control"], route
        asked = [secret for secret in SECRETS if secret in route]  # which a page says again
        assert not set(leaks(text)) - set(asked), route
        assert "a good one" not in text and "BANNED" not in text, route
    assert END in requests.get(server.url, timeout=PATIENCE).text


def test_no_tag_no_command_and_no_webhook_says_it(server):
    assert not leaks(server.said["tags"] + server.said["command"]) and END in server.said["tags"]
    sent = json.dumps(server.said["webhooks"])
    # What was shown was sent then; and that it is gone, without a word of it.
    assert set(leaks(sent)) <= {"HIDDENWORD", "BANNEDWORD"}
    keys = [body["data"]["key"] for body in server.said["webhooks"] if body["type"] == "post.hidden"]
    assert keys == ["webhook:1", "webhook:1", "webhook:2", "webhook:3"]
    assert [body["data"].keys() for body in server.said["webhooks"] if body["type"] == "post.hidden"] == [
        {"wall", "key"}
    ] * 4


def test_a_webhook_is_tried_by_the_server_and_its_neighbours_are_not(server):
    def problem():
        with closing(sqlite3.connect(server.environment["SITE_DATABASE"])) as database:
            return database.execute("SELECT problem FROM realtime_wall_wall_webhook").fetchone()[0]

    assert wait_for(problem, "an attempt").startswith("127.0.0.1 is at 127.0.0.1, which is private")


def test_what_is_kept_in_the_log_has_it_on_no_transport(server):
    with server.client() as client:
        client.tell({"type": "subscribe", "channel": "tweets", "since": server.since, "id": 1})
        heard = ""
        while END not in heard:
            heard += json.dumps(client.read())
    assert not leaks(heard)

    for way in ("sub", "ev", "lp", "poll"):
        path = f"events/{way}/tweets.b1000"
        with requests.get(server.url + path, stream=True, timeout=PATIENCE) as answer:
            text = ""
            for chunk in answer.iter_content(None):
                text += chunk.decode()
                if END in text or way in ("lp", "poll"):
                    break
        assert END in text and not leaks(text), way


@pytest.mark.threat("S43")
@pytest.mark.parametrize("channel", ["wall-desk.main", "wall-desk.main.b100"])
def test_the_moderators_channel_is_closed_on_every_transport(server, channel):
    for way in ("sub", "ev", "lp", "poll", "ws"):
        answer = requests.get(f"{server.url}events/{way}/{channel}", timeout=PATIENCE)
        assert answer.status_code in (400, 403, 426), (way, answer.status_code)
        assert not leaks(answer.text)

    with server.client() as client:
        answer = client.subscribe(channel, since=server.since)
    # A name that only looks like it is another channel, with nothing on it.
    assert answer["type"] == "error", answer


@pytest.mark.threat("S43")
def test_socketio_does_not_open_it_either(server):
    address = f"{server.url}socket.io/?EIO=4&transport=polling"
    session = requests
    sid = json.loads(session.get(address, timeout=PATIENCE).text[1:])["sid"]
    address += f"&sid={sid}"
    asked = [
        f'42{n}["subscribe","{name}","{server.since}"]' for n, name in enumerate(("wall-desk.main", "tweets"))
    ]
    body = "\x1e".join(["40", *asked])
    assert session.post(address, body.encode(), timeout=PATIENCE).text == "ok"
    heard = ""
    while END not in heard:
        heard += session.get(address, timeout=PATIENCE).text

    assert "forbidden" in heard or '"error"' in heard
    assert not leaks(heard)


def test_a_moderator_hears_it_until_he_is_none(server):
    with requests.Session() as browser:
        page = browser.get(f"{server.url}desk/", timeout=PATIENCE)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
        form = {
            "username": "ada",
            "password": "salt-and-tide",
            "csrfmiddlewaretoken": token,
            "next": "/desk/",
        }
        assert "Waiting" in browser.post(page.url, form, timeout=PATIENCE).text
        cookie = {"Cookie": f"sessionid={browser.cookies['sessionid']}"}
        with server.client(origin=server.url.rstrip("/"), additional_headers=cookie) as client:
            client.tell({"type": "subscribe", "channel": "wall-desk.main", "since": server.since, "id": 1})
            heard = ""
            while "WAITINGWORD" not in heard:
                heard += json.dumps(client.read())

            code = "from realtime_wall.wall.models import Wall; Wall.called().moderators.clear()"
            server.manage("shell", "-c", code)
            with pytest.raises(ConnectionClosed):
                while True:
                    client.read()
        assert browser.get(f"{server.url}desk/posts/", timeout=PATIENCE).status_code == 403
