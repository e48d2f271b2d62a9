from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.post import BadPost
from realtime_wall.wall.sources.bluesky_payload import from_bluesky, hashtags_of, id_of
from tests.fake_jetstream import DID

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
PLAIN = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def read(**record):
    return from_bluesky(DID, "3k1", {"text": "Hello"} | record, profile={}, now=NOW)


def facet(start, end, **feature):
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


def test_places_are_counted_in_bytes_there_and_in_characters_here():
    text = "🌊 é #tides by @mara see x.example"
    data = text.encode()

    def at(part):
        return data.index(part.encode()), data.index(part.encode()) + len(part.encode())

    post = read(
        text=text,
        facets=[
            facet(*at("#tides"), tag="tides"),
            facet(*at("@mara"), did=DID),
            facet(*at("x.example"), uri="https://x.example/"),
            facet(1, 9, tag="inside a character"),
            facet(0, 10_000, tag="beyond the end"),
            facet(*at("see"), uri="javascript:alert(1)"),
        ],
    )

    assert [(text[e.start : e.end], e.kind) for e in post.entities] == [
        ("#tides", "hashtag"),
        ("@mara", "mention"),
        ("x.example", "url"),
    ]


def test_pictures_come_from_bluesky_also_beside_a_quotation():
    image = {"alt": "The harbour", "image": {"ref": {"$link": "bafkreiabcdefghijkl"}}}
    alone, quoting = read(embed={"images": [image]}), read(embed={"media": {"images": [image]}})

    assert alone.media == quoting.media
    assert (
        alone.media[0].url == f"https://cdn.bsky.app/img/feed_thumbnail/plain/{DID}/bafkreiabcdefghijkl@jpeg"
    )
    assert read(embed={"images": [{"image": {"ref": {"$link": "../../x"}}}]}).media == ()


def test_a_long_name_makes_an_id_that_fits():
    assert len(id_of("did:web:" + "a" * 100 + ".example", "3k1")) == 64
    assert id_of(DID, "3k1") == f"{DID}/3k1"


@pytest.mark.parametrize(
    "did, key", [(None, "a"), ("did:plc:x", None), ("did:plc:a/b", "a"), (DID, "a b"), (DID, "")]
)
def test_what_names_nobody_is_refused(did, key):
    with pytest.raises(BadPost):
        id_of(did, key)


@given(
    st.dictionaries(st.sampled_from(["text", "facets", "tags", "embed", "langs", "createdAt"]), JSON),
    st.dictionaries(st.sampled_from(["handle", "displayName", "avatar"]), JSON),
)
def test_whatever_a_record_says_is_a_post_or_refused(record, profile):
    hashtags_of(record)
    try:
        message = from_bluesky(DID, "3k1", record, profile=profile, now=NOW).as_message()
    except BadPost:
        return
    assert all(0 <= e["start"] < e["end"] <= len(message["text"]) for e in message["entities"])


def blob(cid="bafkreiabcdefghijkl"):
    return {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/jpeg"}


@pytest.mark.parametrize("value", ["porn", "sexual", "nudity", "graphic-media"])
def test_what_its_author_or_the_network_marks_as_adult_is_sensitive(value):
    by_author = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": value}]}
    by_network = {"handle": "a.example", "avatar": "https://a.example/1.png", "labels": [{"val": value}]}
    marked = from_bluesky(DID, "3k1", {"text": "Hello"}, profile=by_network, now=NOW)

    assert read(labels=by_author).sensitive
    assert (marked.sensitive, marked.author.avatar) == (True, "")


@pytest.mark.parametrize(
    "labels", [None, 5, [None], {"values": 5}, {"values": [{"val": "!no-unauthenticated"}, {"val": []}]}]
)
def test_other_labels_mark_nothing(labels):
    assert not read(labels=labels).sensitive
    assert not from_bluesky(
        DID, "3k1", {"text": "Hello"}, profile={"labels": [{"val": "porn", "neg": True}]}, now=NOW
    ).sensitive


def test_a_link_card_is_shown_with_its_picture():
    external = {"uri": "https://tides.example/", "title": "Tides", "description": "When", "thumb": blob()}
    expected = {
        "url": "https://tides.example/",
        "title": "Tides",
        "description": "When",
        "picture": f"https://cdn.bsky.app/img/feed_thumbnail/plain/{DID}/bafkreiabcdefghijkl@jpeg",
    }

    assert read(embed={"external": external}).as_message()["link"] == expected
    assert read(embed={"media": {"external": external}}).as_message()["link"] == expected
    assert read(embed={"external": external | {"thumb": 5}}).as_message()["link"]["picture"] == ""
    assert read(embed={"external": {"uri": "javascript:alert(1)"}}).link is None


def test_a_film_is_shown_as_its_first_picture():
    (film,) = read(embed={"video": blob("bafkreifilm12345"), "alt": "Waves"}).media

    assert (film.kind, film.alt) == ("video", "Waves")
    assert film.url.startswith("https://video.bsky.app/watch/did")
    assert film.url.endswith("/bafkreifilm12345/thumbnail.jpg")


def test_a_link_behind_a_character_that_is_removed_is_in_its_place():
    text = "a\0b #tides"
    facet = {"index": {"byteStart": 4, "byteEnd": 10}, "features": [{"tag": "tides"}]}
    message = read(text=text, facets=[facet]).as_message()

    (entity,) = message["entities"]
    assert message["text"][entity["start"] : entity["end"]] == "#tides"


def test_half_a_surrogate_pair_in_a_hashtag_costs_the_hashtag_at_most():
    post = read(text="#ab", facets=[facet(0, 3, tag="\ud800")])

    assert [entity.url for entity in post.entities] == ["https://bsky.app/hashtag/%EF%BF%BD"]
