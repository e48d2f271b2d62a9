"""What any network sends as a post: a post, a removal, or a BadPost; and what a wall shows of it is JSON."""

import json
from datetime import UTC, datetime

from realtime_wall.protocol.json_output import encode_json
from realtime_wall.wall.pages.card import card, card_labels
from realtime_wall.wall.post import BadPost, Post
from realtime_wall.wall.sources.bluesky_payload import from_bluesky, hashtags_of
from realtime_wall.wall.sources.lines import LineReader
from realtime_wall.wall.sources.mastodon_payload import from_mastodon
from realtime_wall.wall.sources.recording import from_recording, is_recording
from realtime_wall.wall.sources.webhook import from_webhook
from realtime_wall.wall.sources.x.x_payload import from_x, read_line
from tests.fuzz.mutated import mutated

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
LABELS = card_labels()
ENTITY = {
    "start": 0,
    "end": 2,
    "tag": "a",
    "username": "b",
    "url": "https://t.example",
    "expanded_url": "https://a",
}
X = {
    "data": {
        "id": "1",
        "text": "a post & more #tides",
        "author_id": "7",
        "created_at": "2026-05-14T08:50:00.000Z",
        "lang": "en",
        "edit_history_tweet_ids": ["1", "2"],
        "entities": {"hashtags": [ENTITY], "mentions": [ENTITY], "urls": [ENTITY, {"start": 3, "end": 5}]},
        "attachments": {"media_keys": ["3_1"]},
        "referenced_tweets": [{"type": "retweeted", "id": "9"}],
        "possibly_sensitive": False,
        "note_tweet": {"text": "longer", "entities": {"hashtags": [ENTITY]}},
    },
    "includes": {
        "users": [
            {"id": "7", "name": "Mara", "username": "mara", "profile_image_url": "https://a.example/b.png"}
        ],
        "media": [{"media_key": "3_1", "type": "photo", "url": "https://a.example/c.png", "alt_text": "a"}],
        "tweets": [{"id": "9", "text": "an original", "author_id": "7"}],
    },
    "matching_rules": [{"id": "5", "tag": "realtime_wall:main"}],
}
MASTODON = {
    "id": "1",
    "content": '<p>Hi <a href="https://a.example/" class="hashtag">#tides</a> :anchor:</p>',
    "created_at": "2026-05-14T08:50:00.000Z",
    "edited_at": "2026-05-14T08:51:00.000Z",
    "account": {
        "id": "7",
        "acct": "mara@a",
        "display_name": "M :anchor:",
        "avatar": "https://a/b",
        "emojis": [],
    },
    "media_attachments": [{"type": "image", "preview_url": "https://a/c.png", "description": "a"}],
    "poll": {"options": [{"title": "Pier"}]},
    "emojis": [{"shortcode": "anchor", "static_url": "https://a/d.png"}],
    "spoiler_text": "",
    "sensitive": False,
    "language": "en",
    "url": "https://a.example/1",
}
FACET = {
    "index": {"byteStart": 0, "byteEnd": 6},
    "features": [{"tag": "tides"}, {"uri": "https://a.example"}],
}
IMAGE = {"alt": "a", "image": {"ref": {"$link": "bafkreiabcdefghijkl"}}}
BLUESKY = {
    "did": "did:plc:abcdefghijklmnopqrstuvwx",
    "rkey": "3k1",
    "record": {
        "text": "#tides 🌊 today",
        "createdAt": "2026-05-14T08:50:00.000Z",
        "langs": ["en"],
        "tags": ["a"],
        "facets": [FACET],
        "labels": {"values": [{"val": "x"}]},
        "embed": {
            "images": [IMAGE],
            "media": {"images": [IMAGE]},
            "external": {"uri": "https://a", "title": "b"},
        },
    },
    "profile": {
        "handle": "mara.example",
        "displayName": "Mara",
        "avatar": "https://a/b",
        "labels": [{"val": "y"}],
    },
}
WEBHOOK = {
    "id": "1",
    "text": "Doors",
    "author": "Desk",
    "image": "https://a/b.png",
    "created_at": "2026-05-14",
}
POST = from_mastodon(MASTODON, now=NOW).as_message()
RECORDING = {"channel": "tweets", "event": "tweet", "data": POST, "time": "2026-11-25T18:30:00+00:00"}


def bluesky(value):
    if not isinstance(value, dict) or not all(
        isinstance(value.get(key), dict) for key in ("record", "profile")
    ):
        raise BadPost("the source itself looks at these")
    hashtags_of(value["record"])
    did, key = value.get("did"), value.get("rkey")
    return from_bluesky(did, key, value["record"], profile=value["profile"], now=NOW)


READERS = [
    (X, lambda value: from_x(value, now=NOW)),
    (MASTODON, lambda value: from_mastodon(value, now=NOW)),
    (BLUESKY, bluesky),
    (WEBHOOK, lambda value: from_webhook(value, b"", now=NOW)),
    (RECORDING, lambda value: from_recording(value, "replay") if is_recording(value) else None),
]


def urls_of(shown):
    return [
        part[key]
        for part in (shown["media"], shown["link"])
        if part
        for key in ("url", "picture")
        if key in part
    ]


def parse(data: bytes) -> None:
    which, data = data[:1] or b"\0", data[1:]
    sample, read = READERS[which[0] % len(READERS)]
    try:
        if which >= b"\xf0":
            found = [read(read_line(line)) for line in LineReader(500).receive(data)]
        else:
            # As it comes off the wire, where halves of surrogate pairs and NaN can be written, too.
            found = [read(read_line(json.dumps(mutated(sample, data))))]
    except BadPost as problem:
        assert problem.reason
        return
    for post in found:
        if isinstance(post, Post):
            message = post.as_message()
            assert json.loads(encode_json(message))["id"] == post.id
            shown = card(message, LABELS, NOW)
            for url in (shown["avatar"], shown["author_url"], shown["url"], *urls_of(shown)):
                assert url == "" or url.lower().startswith(("https://", "http://", "/static/"))
            assert "<script" not in shown["text"]
