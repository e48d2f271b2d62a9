import copy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.json_output import encode_json
from realtime_wall.wall.post import BadPost
from realtime_wall.wall.sources.replay import SAMPLE
from realtime_wall.wall.sources.x.x_payload import from_x, read_line
from tests.wall.fakes import x_line

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def read(line, **options):
    return from_x(line, now=NOW, **options)


def shown(post):
    """Each entity as (kind, what of the text it covers, what is shown, address)."""
    return [(e.kind, post.text[e.start : e.end], e.text, e.url) for e in post.entities]


def test_a_post_with_its_author():
    line = x_line("1790000000000000001")
    line["includes"]["users"][0]["profile_image_url"] = "https://pictures.example/mara_normal.jpg"

    post = read(line)

    assert (post.id, post.source, post.lang) == ("1790000000000000001", "x", "en")
    assert post.url == "https://x.com/maraquill/status/1790000000000000001"
    assert post.created_at == datetime(2026, 5, 14, 8, 50, tzinfo=UTC)
    assert (post.author.id, post.author.name) == ("7", "Mara Quillfeather")
    assert (post.author.username, post.author.url) == ("maraquill", "https://x.com/maraquill")
    assert post.author.avatar == "https://pictures.example/mara_bigger.jpg"
    assert (post.original_id, post.retweeter.name) == ("", "")


def test_an_id_and_a_text_are_enough():
    post = read({"data": {"id": "1", "text": "hello"}})

    assert (post.url, post.author.name, post.created_at) == ("https://x.com/i/status/1", "", NOW)
    assert (post.entities, post.media) == ((), ())


@pytest.mark.parametrize(
    "line, reason",
    [
        (None, "is no id"),
        ([], "is no id"),
        ({"data": {"text": "hello"}}, "is no id"),
        ({"data": {"id": "abc", "text": "hello"}}, "is no id"),
        ({"data": {"id": True, "text": "hello"}}, "is no id"),
        ({"data": {"id": "1" * 100, "text": "hello"}}, "is no id"),
        ({"data": {"id": "1"}}, "neither text nor picture"),
        ({"data": {"id": "1", "text": 5}}, "neither text nor picture"),
    ],
)
def test_without_a_usable_id_or_text_it_is_no_post(line, reason):
    with pytest.raises(BadPost, match=reason):
        read(line)


@pytest.mark.threat("S51")
def test_a_number_as_id_becomes_a_string_with_every_digit():
    assert read(x_line() | {"data": {"id": 1790000000000000001, "text": "x"}}).id == "1790000000000000001"


@pytest.mark.parametrize("line", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5000])
def test_what_is_no_json_is_no_post(line):
    with pytest.raises(BadPost, match="no JSON"):
        read_line(line)


def test_entities_are_found_by_code_points():
    text = "🌊🌊 #tide by @benokoro: https://s.example/a"
    line = x_line(text=text)
    line["data"]["entities"] = {
        "hashtags": [{"start": 3, "end": 8, "tag": "tide"}],
        "mentions": [{"start": 12, "end": 21, "username": "benokoro"}],
        "urls": [
            {
                "start": 23,
                "end": 42,
                "url": "https://s.example/a",
                "expanded_url": "https://tides.example/table",
                "display_url": "tides.example/table",
            }
        ],
    }

    assert shown(read(line)) == [
        ("hashtag", "#tide", "#tide", "https://x.com/hashtag/tide"),
        ("mention", "@benokoro", "@benokoro", "https://x.com/benokoro"),
        ("url", "https://s.example/a", "tides.example/table", "https://s.example/a"),
    ]


def test_cashtags_lead_to_what_x_finds_of_them():
    line = x_line(text="Buy $TIDE")
    line["data"]["entities"] = {"cashtags": [{"start": 4, "end": 9, "tag": "TIDE"}, {"start": 0}]}

    assert shown(read(line)) == [("hashtag", "$TIDE", "$TIDE", "https://x.com/search?q=%24TIDE")]


def test_what_x_escapes_is_readable_and_the_entities_move_along():
    text = "1 &lt; 2 &amp;&amp; 3 &gt; 2 #maths &amp;amp; #more"
    line = x_line(text=text)
    line["data"]["entities"] = {
        "hashtags": [
            {"start": text.index("#maths"), "end": text.index("#maths") + 6, "tag": "maths"},
            {"start": text.index("#more"), "end": text.index("#more") + 5, "tag": "more"},
        ]
    }

    post = read(line)

    assert post.text == "1 < 2 && 3 > 2 #maths &amp; #more"
    assert [entity[1] for entity in shown(post)] == ["#maths", "#more"]


def test_only_what_x_escapes_is_unescaped():
    assert read(x_line(text="&copy &notit; &#65; &quot;")).text == "&copy &notit; &#65; &quot;"


def test_nul_and_half_surrogates_leave_and_the_entities_move_along():
    line = x_line(text="a\0b\ud83c #tide")
    line["data"]["entities"] = {"hashtags": [{"start": 5, "end": 10, "tag": "tide"}]}

    post = read(line)

    assert post.text == "ab\ufffd #tide"
    assert [entity[1] for entity in shown(post)] == ["#tide"]


def test_entities_outside_the_text_or_over_another_one_are_dropped():
    line = x_line(text="#tide and #pool")
    line["data"]["entities"] = {
        "hashtags": [
            {"start": 0, "end": 5, "tag": "tide"},
            {"start": 3, "end": 8, "tag": "over"},
            {"start": 10, "end": 99, "tag": "outside"},
            {"start": -3, "end": 2, "tag": "before"},
            {"start": 5, "end": 5, "tag": "empty"},
            {"start": "0", "end": None, "tag": "odd"},
            {"start": 10, "end": 15, "tag": ""},
            {"end": 15, "tag": "pool"},
            "pool",
        ],
        "mentions": [{"start": 10, "end": 15, "username": "a/b"}],
        "urls": {"start": 10},
    }

    assert [entity[1] for entity in shown(read(line))] == ["#tide"]


def test_an_entity_of_which_nothing_is_left_is_dropped():
    line = x_line(text="a\0b" + "c" * 30_000 + "#tide")
    line["data"]["entities"] = {
        "hashtags": [{"start": 1, "end": 2, "tag": "nul"}, {"start": 30_003, "end": 30_008, "tag": "tide"}]
    }

    post = read(line)

    assert (len(post.text), post.entities) == (25_000, ())


def test_a_name_that_is_none_is_no_link():
    line = x_line()
    line["includes"]["users"][0]["username"] = "../<b>"

    post = read(line)

    assert (post.author.username, post.author.url) == ("", "")
    assert (post.author.name, post.url) == ("Mara Quillfeather", "https://x.com/i/status/1")


def test_a_link_that_is_none_stays_text():
    line = x_line(text="click javascript:alert(1)")
    line["data"]["entities"] = {
        "urls": [{"start": 6, "end": 25, "url": "javascript:alert(1)", "expanded_url": "javascript:x"}]
    }

    post = read(line)

    assert (post.text, post.entities) == ("click javascript:alert(1)", ())


def test_a_hashtag_of_any_script_is_linked():
    line = x_line(text="#हिन्दी")
    line["data"]["entities"] = {"hashtags": [{"start": 0, "end": 7, "tag": "हिन्दी/?"}]}

    assert read(line).entities[0].url.isascii()
    assert read(line).entities[0].url.endswith("%2F%3F")


def test_a_long_post_is_shown_whole_with_its_own_entities():
    line = x_line(text="The short one… #short")
    line["data"]["entities"] = {"hashtags": [{"start": 15, "end": 21, "tag": "short"}]}
    line["data"]["note_tweet"] = {
        "text": "The whole of it, with #long",
        "entities": {"hashtags": [{"start": 22, "end": 27, "tag": "long"}]},
    }

    post = read(line)

    assert post.text == "The whole of it, with #long"
    assert [entity[1] for entity in shown(post)] == ["#long"]


def retweet(**original):
    line = x_line("20", "RT @benokoro: the original…", lang="en")
    line["data"]["referenced_tweets"] = [{"type": "quoted", "id": "9"}, {"type": "retweeted", "id": "10"}]
    line["includes"]["users"].append({"id": "8", "name": "Ben", "username": "benokoro"})
    line["includes"]["tweets"] = [
        {"id": "10", "text": "the original text", "author_id": "8", "lang": "pt"} | original
    ]
    return line


def test_a_retweet_shows_the_original_and_who_repeated_it():
    post = read(retweet())

    assert (post.id, post.original_id) == ("20", "10")
    assert (post.text, post.lang, post.author.username) == ("the original text", "pt", "benokoro")
    assert (post.retweeter.name, post.retweeter.username) == ("Mara Quillfeather", "maraquill")
    assert post.url == "https://x.com/benokoro/status/10"
    assert post.created_at == datetime(2026, 5, 14, 8, 50, tzinfo=UTC)


def test_a_retweet_without_its_original_is_shown_as_it_came():
    line = retweet()
    del line["includes"]["tweets"]

    post = read(line)

    assert (post.text, post.original_id) == ("RT @benokoro: the original…", "10")
    assert (post.author.username, post.retweeter.name) == ("maraquill", "")
    assert post.url == "https://x.com/maraquill/status/20"


def test_a_quote_is_no_retweet():
    line = retweet()
    line["data"]["referenced_tweets"].pop()

    assert read(line).original_id == ""


MEDIA = [
    {
        "media_key": "1",
        "type": "photo",
        "url": "https://p.example/1.jpg",
        "alt_text": "One",
        "width": 4,
        "height": 3,
    },
    {"media_key": "2", "type": "video", "preview_image_url": "https://p.example/2.jpg"},
    {"media_key": "3", "type": "animated_gif", "preview_image_url": "https://p.example/3.jpg", "width": -1},
    {"media_key": "4", "type": "hologram", "url": "https://p.example/4.jpg"},
    {"media_key": "5", "type": "photo", "url": "javascript:alert(5)"},
    {"media_key": "6", "type": "photo"},
]


def test_pictures_videos_and_gifs():
    line = x_line(attachments={"media_keys": ["2", "1", "3", "4", "5", "6", "7", None]})
    line["includes"]["media"] = MEDIA

    media = read(line).media

    assert [(m.kind, m.url) for m in media] == [
        ("video", "https://p.example/2.jpg"),
        ("photo", "https://p.example/1.jpg"),
        ("gif", "https://p.example/3.jpg"),
    ]
    assert [(m.alt, m.width, m.height) for m in media] == [("", 0, 0), ("One", 4, 3), ("", 0, 0)]


def film_of(*variants):
    line = x_line(attachments={"media_keys": ["2"]})
    line["includes"]["media"] = [MEDIA[1] | {"variants": list(variants)}]
    return read(line).media[0].film


def variant(name, bits=None, kind="video/mp4"):
    found = {"content_type": kind, "url": f"https://v.example/{name}"}
    return found if bits is None else found | {"bit_rate": bits}


def test_of_a_film_the_best_that_a_hall_can_take_is_played():
    playlist = variant("a.m3u8", kind="application/x-mpegURL")
    sizes = [variant("1080.mp4", 10_368_000), variant("360.mp4", 832_000), variant("720.mp4", 2_176_000)]

    assert film_of(playlist, *sizes) == "https://v.example/720.mp4"
    assert film_of(sizes[0]) == "https://v.example/1080.mp4"
    assert film_of(variant("gif.mp4", 0)) == film_of(variant("gif.mp4")) == "https://v.example/gif.mp4"
    bad = variant("b.mp4", 9) | {"url": "javascript:alert(1)"}
    assert film_of(playlist) == film_of() == film_of(bad) == film_of("x", None, {}) == ""


def test_the_original_of_a_retweet_keeps_its_picture():
    line = retweet(attachments={"media_keys": ["1"]})
    line["includes"]["media"] = MEDIA

    assert [m.url for m in read(line).media] == ["https://p.example/1.jpg"]


@pytest.mark.parametrize("value", ["9999-12-31T23:59:59Z", "soon", None, 5, "0001-01-01T00:00:00+14:00"])
def test_a_time_that_cannot_be_is_now(value):
    assert read(x_line(created_at=value)).created_at == NOW


def test_a_time_without_a_zone_is_utc():
    assert read(x_line(created_at="2026-05-14T08:50:00")).created_at == datetime(
        2026, 5, 14, 8, 50, tzinfo=UTC
    )


def test_links_and_pictures_can_lead_elsewhere():
    line = x_line(text="#tide", attachments={"media_keys": ["1"]})
    line["data"]["entities"] = {"hashtags": [{"start": 0, "end": 5, "tag": "tide"}]}
    line["includes"]["media"] = MEDIA

    post = read(line, source="replay", site="https://posts.example", picture=lambda url: "/static/1.svg")

    assert (post.source, post.url) == ("replay", "https://posts.example/maraquill/status/1")
    assert post.author.url == "https://posts.example/maraquill"
    assert post.entities[0].url == "https://posts.example/hashtag/tide"
    assert post.media[0].url == "/static/1.svg"


# Real lines with one part exchanged for something else

LINES = [read_line(line) for line in SAMPLE.read_bytes().splitlines()]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def exchange(line, path, odd):
    if not path:
        return odd
    line = copy.deepcopy(line)
    *parents, last = path
    inner = line
    for key in parents:
        inner = inner[key]
    inner[last] = odd
    return line


@given(st.data())
def test_whatever_x_sends_it_is_a_post_that_can_be_published_or_a_bad_post(data):
    line = data.draw(st.sampled_from(LINES))
    line = exchange(line, data.draw(st.sampled_from(list(places(line)))), data.draw(ODD))
    try:
        post = from_x(line)
    except BadPost:
        return

    message = post.as_message()
    encode_json(message)
    assert "\0" not in message["text"]
    ends = [0, *(end for entity in message["entities"] for end in (entity["start"], entity["end"]))]
    assert ends == sorted(ends) and ends[-1] <= len(message["text"])


def test_an_edit_is_a_later_version_of_the_post_that_was_first():
    post = from_x(x_line(12, edit_history_tweet_ids=["10", "11", "12"]))

    assert (post.id, post.version, post.cursor) == ("10", 2, "12")
    assert post.url.endswith("/status/12")


@pytest.mark.parametrize("history", [None, [], ["9"], "12", [None, "12"], [{}], ["12"], ["12", "13"]])
def test_a_history_that_names_nothing_before_is_no_edit(history):
    post = from_x(x_line(12, edit_history_tweet_ids=history))

    assert (post.id, post.version) == ("12", 0)


def test_a_post_knows_the_rules_that_it_was_sent_for():
    line = x_line(1) | {"matching_rules": [{"id": "1", "tag": "a"}, {"id": "2"}, 3, {"tag": "b"}]}

    assert from_x(line).tags == ("a", "b")
