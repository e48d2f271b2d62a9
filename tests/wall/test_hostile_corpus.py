"""Two hundred posts that want to do harm, from every source: put aside or shown harmlessly.

And the next one comes.
"""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client, override_settings

from realtime_wall.protocol.json_output import encode_json
from realtime_wall.wall.feed.feed import Feed
from realtime_wall.wall.models import Tweet
from realtime_wall.wall.pages.card import card, card_labels, utc_now
from realtime_wall.wall.sources.x.stream import XStreamSource
from tests.fake_jetstream import DID
from tests.fake_x import FakeX, stream
from tests.wall.fakes import x_line
from tests.wall.mutations import DEEP, VALUES, encoded
from tests.wall.posts import ADDRESSES, SCRIPTS
from tests.wall.sources.test_bluesky import BlueskyHarness
from tests.wall.sources.test_mastodon import MastodonHarness
from tests.wall.sources.test_webhook import SECRET

TEXTS = [
    *SCRIPTS,
    "",
    " ",
    "\x00",
    "\x00\x01\x02",
    "\ud800",
    "half \udfff a pair",
    "\u202eright to left\u202c",
    "\u2028\u2029",
    "\ufeff",
    "a" + "\u0301" * 5_000,
    "x" * 100_000,
    "\U0001f525" * 30_000,
    "<" * 20_000,
    "&" * 20_000,
    "&amp;lt;script&amp;gt;",
    "\r\n\r\n",
    "\t" * 1_000,
    "]]>",
    "-->",
    "${jndi:ldap://a.example}",
    "'; DROP TABLE tweets; --",
    "%s%n%d{0}{{}}",
    "\\u003cscript\\u003e",
    "𝒷𝓸𝓵𝓭 " * 1_000,
]
PLACES = [(-1, 5), (0, 10**9), (5, 2), ("0", "5"), (None, None), (0.5, 1.5), (2**70, 2**71), (True, False)]
FIELDS_OF_X = ("id", "text", "author_id", "created_at", "lang", "entities", "referenced_tweets")


FIELDS_OF_A_BODY = ("id", "text", "author", "username", "url", "lang", "created_at", "version", "deleted")


def bodies_of_x():
    for number, text in enumerate(TEXTS):
        yield x_line(1_000 + number, text)
    for number, address in enumerate(ADDRESSES):
        line = x_line(2_000 + number, "#harm and https://t.example")
        line["data"]["entities"] = {
            "urls": [
                {"start": 10, "end": 27, "url": address, "expanded_url": address, "display_url": "<b>x</b>"}
            ]
        }
        line["includes"]["users"][0] |= {"profile_image_url": address, "username": address, "name": address}
        line["includes"]["media"] = [{"media_key": "1", "type": "photo", "url": address, "alt_text": address}]
        line["data"]["attachments"] = {"media_keys": ["1"]}
        yield line
    for field in (
        "id",
        "text",
        "author_id",
        "created_at",
        "lang",
        "entities",
        "referenced_tweets",
        "attachments",
    ):
        for value in VALUES:
            line = x_line(f"3{abs(hash((field, repr(value)))) % 10**9}", "odd")
            line["data"][field] = value
            yield line
    for number, (start, end) in enumerate(PLACES):
        line = x_line(5_000 + number, "#harm")
        line["data"]["entities"] = {"hashtags": [{"start": start, "end": end, "tag": "harm"}]}
        yield line
    yield from ({"data": value} for value in VALUES)
    yield from (x_line(6_000 + number) | {"includes": value} for number, value in enumerate(VALUES))


def records():
    """Of Bluesky."""
    for text in TEXTS:
        yield {"text": text + " #tides"}
    for address in ADDRESSES:
        feature = {"uri": address}
        yield {"text": "#tides", "facets": [{"index": {"byteStart": 0, "byteEnd": 6}, "features": [feature]}]}
        yield {
            "text": "#tides",
            "embed": {"images": [{"alt": address, "image": {"ref": {"$link": address}}}]},
        }
    for field in ("facets", "tags", "embed", "langs", "createdAt", "text", "reply"):
        for value in VALUES:
            yield {"text": "#tides"} | {field: value}
    for start, end in PLACES:
        yield {
            "text": "é #tides",
            "facets": [{"index": {"byteStart": start, "byteEnd": end}, "features": [{"tag": "tides"}]}],
        }


def statuses(harness):
    """Of Mastodon."""
    fields = ("content", "created_at", "edited_at", "account", "media_attachments", "url", "spoiler_text")
    made = [{"content": text} for text in TEXTS]
    made += [{"content": f"<p>{text}</p>"} for text in TEXTS]
    made += [
        {"content": f'<a href="{address}" class="hashtag">#x</a>', "url": address} for address in ADDRESSES
    ]
    made += [
        {
            "media_attachments": [{"type": "image", "url": address}],
            "account": {"avatar": address, "url": address},
        }
        for address in ADDRESSES
    ]
    made += [{field: value} for field in (*fields, "id") for value in VALUES]
    for number, odd in enumerate(made, 1):
        yield harness.server.status(number, "odd") | odd


def shown_harmlessly():
    """Every stored post can be told as JSON, and its card holds nothing that a browser would run."""
    labels, now = card_labels(), utc_now()
    for tweet in Tweet.objects.all():
        assert "\x00" not in encode_json(tweet.content)
        html = render_to_string("realtime_wall_wall/card.html", {"card": card(tweet.content, labels, now)})
        tags = re.findall(r"<(\w+)", html)
        assert set(tags) <= {"li", "p", "bdi", "span", "a", "img", "time"}, tags
        for attribute in re.findall(r'(?:href|src)="([^"]*)"', html):
            assert re.match(r"https?://|/static/|#", attribute) or attribute == "", attribute
        assert not re.search(r"<[^>]*\son\w+=", html)
        assert len(html) < 400_000


def fed(source, publisher, last):
    feed = Feed("main", [source], publisher=publisher)
    feed.start()
    try:
        publisher.wait_until(lambda: any(last in message["text"] for _, message, *_ in publisher.published))
    finally:
        feed.stop()


@pytest.fixture
def good():
    return "the last one #tides"


@pytest.mark.threat("S52")
def test_from_x(database, publisher, clock, good):
    bodies = [encoded(body) + b"\r\n" for body in bodies_of_x()]
    bodies += [
        DEEP.encode() + b"\r\n",
        b"\xff\xfe\r\n",
        b"\x00\r\n",
        b'{"data": {"id": "1", "text": NaN}}\r\n',
    ]
    assert len(bodies) >= 200
    with FakeX([stream(*bodies, x_line(9, good), end="silence")], clock=clock) as x:
        fed(XStreamSource("token", ["tides"], base_url=x.url, clock=clock), publisher, good)
        assert len(x.dials) == 1

    assert Tweet.objects.count() > 100
    shown_harmlessly()


@pytest.mark.threat("S52")
def test_from_bluesky(database, publisher, clock, good):
    made = list(records())
    assert len(made) >= 150
    with BlueskyHarness(clock) as harness:
        harness.server.profiles[DID] |= {
            "displayName": SCRIPTS[0],
            "handle": SCRIPTS[1],
            "avatar": ADDRESSES[0],
        }
        harness.server.commit("create", "0", harness.record("nothing"))
        for number, record in enumerate(made, 1):
            harness.server.commit("create", f"3k{number}", record)
        for number, value in enumerate(VALUES):
            harness.server.commit("create", f"4k{number}", harness.record("#tides"), did=value)
            harness.server.commit("create", value, harness.record("#tides"))
            harness.server.commit(value, f"5k{number}", value)
        harness.server.send(DEEP)
        harness.server.commit("create", "last", harness.record(good))
        assert len(harness.server.events) >= 200
        fed(harness.source(cursor="1"), publisher, good)
        assert len(harness.server.dials) == 1

    assert Tweet.objects.count() > 80
    shown_harmlessly()


@pytest.mark.threat("S52")
def test_from_mastodon(database, publisher, clock, good):
    with MastodonHarness(clock) as harness:
        made = [*statuses(harness), *VALUES]
        assert len(made) >= 200
        for number, status in enumerate(made, 1):
            harness.server.statuses[harness.id(number)] = status
        harness.server.put(harness.server.status(900, good))
        fed(harness.source(cursor=harness.id(0)), publisher, good)

    assert Tweet.objects.count() > 80
    shown_harmlessly()


@pytest.mark.threat("S52")
def test_by_webhook(database, publisher, monkeypatch, good):
    monkeypatch.setattr("realtime_wall.wall.feed.publish_queue.DIRECT", publisher)
    made = [{"text": text} for text in TEXTS]
    made += [{"text": "x", field: value} for field in FIELDS_OF_A_BODY for value in VALUES]
    made += [{"text": "x", field: address} for field in ("url", "avatar", "image") for address in ADDRESSES]
    bodies = [*map(encoded, made), DEEP.encode(), b"\xff", b""]
    assert len(bodies) >= 200
    wall = {"SOURCES": ["webhook"], "WEBHOOK_SECRET": SECRET}
    statuses = []
    with override_settings(ROOT_URLCONF="tests.wall.sources.test_webhook", REALTIME_WALL={"WALL": wall}):
        for body in [*bodies, encoded({"text": good})]:
            headers = {"Authorization": f"Bearer {SECRET}"}
            answer = Client().post("/wall/hook/", body, content_type="application/json", headers=headers)
            statuses.append(answer.status_code)

    assert set(statuses) <= {200, 400, 413}
    assert statuses[-1] == 200
    assert statuses.count(200) > 50
    shown_harmlessly()
