"""Hundreds of ways to damage a post: what is none is counted or refused, and each of the others is stored."""

from django.test import Client, override_settings

from realtime_wall.wall.feed.feed import Feed
from realtime_wall.wall.models import RejectedPost, Tweet
from realtime_wall.wall.post import BadPost, Post
from realtime_wall.wall.sources.mastodon_payload import from_mastodon
from realtime_wall.wall.sources.webhook import from_webhook
from realtime_wall.wall.sources.x.x_payload import read_line
from tests.wall.fakes import DEADLINE
from tests.wall.mutations import LEFT_OUT, encoded, mutations
from tests.wall.sources.test_mastodon import StreamHarness
from tests.wall.sources.test_webhook import NOW, SECRET

GOOD = "the last one #tides"


def judged(cases, read):
    """The ids of the posts among them, and how many are none; a case that knows better is believed."""
    ids, bad = set(), 0
    for case in cases:
        try:
            item = read(read_line(case.data), case.data)
        except BadPost:
            assert case.is_good is not True, case
            bad += 1
        else:
            assert case.is_good is not False, case
            ids |= {item.id} if isinstance(item, Post) else set()
    assert len({case.data for case in cases}) == len(cases) >= 200
    return ids, bad


def status(harness, number):
    """One of Mastodon's with everything that we look at."""
    account = {"id": "7", "acct": "mara", "display_name": "Mara", "url": "https://posts.example/@mara"}
    picture = {"type": "image", "url": "https://posts.example/a.png", "description": "The harbour"}
    return harness.server.status(
        number,
        f"number {number}",
        uri="https://posts.example/1",
        account=account
        | {"avatar": "https://posts.example/m.png", "avatar_static": "https://posts.example/m.png"},
        media_attachments=[picture | {"preview_url": "https://posts.example/small.png"}],
    )


def is_good_status(path, value):
    return path != ("id",)  # whatever else it lacks can be done without


def test_from_the_stream_of_mastodon(database, publisher, clock):
    clock.wait = lambda event, seconds: event.wait(DEADLINE)  # so that it is polled once, before all this
    with StreamHarness(clock) as harness:
        cases = list(mutations(lambda number: status(harness, number), is_good_status))
        ids, bad = judged(cases, lambda value, _: from_mastodon(value, now=NOW))
        source = harness.source()
        feed = Feed("main", [source], publisher=publisher)
        feed.start()
        try:
            harness.wait_until_heard()
            for case in cases:
                harness.server.tell("update", case.data)
            harness.post(9_000, GOOD)
            publisher.wait_until(lambda: any(post["text"] == GOOD for _, post, *_ in publisher.published))
        finally:
            feed.stop()
        dials = [path for path, *_ in harness.server.requests if "streaming" in path]

    stored = set(Tweet.objects.values_list("post_id", flat=True)) - {harness.id(9_000)}
    assert stored == ids
    assert source.skipped == bad > 100
    assert (len(dials), RejectedPost.objects.count()) == (1, 0)


def body(number):
    """One of the webhook's with everything that it takes."""
    return {
        "id": str(number),
        "text": "Doors open at nine",
        "author": "Front desk",
        "username": "desk",
        "avatar": "/static/desk.png",
        "url": "https://desk.example/1",
        "author_url": "https://desk.example/",
        "image": "https://desk.example/doors.png",
        "alt": "The doors",
        "lang": "en",
        "created_at": "2026-05-14T09:00:00Z",
        "version": 1,
        "deleted": False,
    }


def is_good_body(path, value):
    """Nothing is needed where there is a picture, but what is there has to be right."""
    if value is LEFT_OUT:
        return True
    match path[0]:
        case "deleted":
            return value is True
        case "version":
            return type(value) is int and value == 0
        case "created_at":
            return False
        case "id":
            return value == ""  # one is made
    return isinstance(value, str)


def test_by_webhook(database, publisher, monkeypatch):
    monkeypatch.setattr("realtime_wall.wall.feed.publish_queue.DIRECT", publisher)
    cases = list(mutations(body, is_good_body))
    ids, bad = judged(cases, lambda value, data: from_webhook(value, data, now=NOW))
    answers = []
    wall = {"SOURCES": ["webhook"], "WEBHOOK_SECRET": SECRET}
    with override_settings(ROOT_URLCONF="tests.wall.sources.test_webhook", REALTIME_WALL={"WALL": wall}):
        for data in [*(case.data for case in cases), encoded(body(9_000) | {"text": GOOD})]:
            headers = {"Authorization": f"Bearer {SECRET}"}
            answer = Client().post("/wall/hook/", data, content_type="application/json", headers=headers)
            answers.append((answer.status_code, bool(answer.json().get("error"))))

    stored = set(Tweet.objects.values_list("post_id", flat=True)) - {"9000"}
    assert stored == ids
    assert answers.count((400, True)) == bad > 100
    assert answers.count((200, False)) == len(answers) - bad
    assert (answers[-1], publisher.published[-1][1]["text"]) == ((200, False), GOOD)
    assert RejectedPost.objects.count() == 0
