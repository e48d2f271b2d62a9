import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.post import BadPost
from realtime_wall.wall.sources.mastodon_payload import MOST_HTML, from_mastodon, read_html

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
PLAIN = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
KEYS = [
    "id",
    "content",
    "created_at",
    "edited_at",
    "language",
    "account",
    "media_attachments",
    "url",
    "uri",
    "spoiler_text",
    "sensitive",
]


def status(**fields):
    return {
        "id": "114500000000000001",
        "content": "<p>Hello</p>",
        "created_at": "2026-05-14T08:50:00.000Z",
    } | fields


def read(**fields):
    return from_mastodon(status(**fields), now=NOW)


def test_a_post_with_everything():
    post = read(
        url="https://posts.example/@mara/1",
        language="en",
        account={
            "id": "7",
            "acct": "mara@posts.example",
            "display_name": "Mara",
            "avatar_static": "https://posts.example/mara.png",
            "url": "https://posts.example/@mara",
        },
        media_attachments=[
            {"type": "image", "preview_url": "https://posts.example/small.png", "description": "The harbour"},
            {"type": "audio", "url": "https://posts.example/a.mp3"},
            {
                "type": "gifv",
                "preview_url": "https://posts.example/a.png",
                "url": "https://posts.example/a.mp4",
            },
        ],
    )

    assert (post.source, post.url, post.lang) == ("mastodon", "https://posts.example/@mara/1", "en")
    assert (post.author.name, post.author.username) == ("Mara", "mara@posts.example")
    assert [(item.kind, item.alt) for item in post.media] == [("photo", "The harbour"), ("gif", "")]
    assert [item.url for item in post.media] == [
        "https://posts.example/small.png",
        "https://posts.example/a.png",
    ]
    assert [item.film for item in post.media] == ["", "https://posts.example/a.mp4"]
    assert post.created_at == datetime(2026, 5, 14, 8, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    "html, text",
    [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("a &amp; b &lt;c&gt; &#128293;", "a & b <c> \U0001f525"),
        (
            '<a href="https://a.example/long"><span class="invisible">https://</span>'
            '<span class="ellipsis">a.ex</span><span class="invisible">ample/long</span></a>',
            "a.ex…",
        ),
        ("<script>alert(1)</script>after<style>x</style>", "after"),
        ("<p>never closed", "never closed"),
        ("</p></a></span>odd", "odd"),
        ("", ""),
    ],
)
def test_the_text_is_what_a_reader_sees(html, text):
    assert read_html(html)[0] == text


def test_links_are_where_they_are_in_the_text():
    html = (
        '<p>See <a href="https://a.example/tags/tides" class="mention hashtag">#<span>tides</span></a> by '
        '<a href="https://a.example/@mara" class="u-url mention">@<span>mara</span></a> at '
        '<a href="https://b.example/">b.example</a> and <a href="javascript:alert(1)">no</a></p>'
    )
    text, entities = read_html(html)

    assert [(text[e.start : e.end], e.kind) for e in entities] == [
        ("#tides", "hashtag"),
        ("@mara", "mention"),
        ("b.example", "url"),
    ]


def test_what_is_behind_a_warning_does_not_go_on_a_projector():
    post = read(
        spoiler_text="Spiders", media_attachments=[{"type": "image", "url": "https://posts.example/a.png"}]
    )

    message = post.as_message()
    assert (message["text"], message["media"]) == ("Spiders", [])


ANCHOR = {"shortcode": "anchor", "url": "https://m.example/a.gif", "static_url": "https://m.example/a.png"}


def test_the_options_of_a_poll_are_shown():
    poll = {"options": [{"title": "Pier", "votes_count": 3}, {"title": " "}, 5, {"title": "Lighthouse"}]}

    assert read(poll=poll).poll == ("Pier", "Lighthouse")
    assert read(content="", poll=poll).as_message()["poll"] == ["Pier", "Lighthouse"]
    assert read(poll="none").poll == read(poll={"options": 5}).poll == ()


def test_custom_emoji_are_pictures_in_the_text():
    post = read(content="<p>Up :anchor: and :unknown: :anchor:</p>", emojis=[ANCHOR, {"shortcode": 5}, None])

    assert [(post.text[e.start : e.end], e.kind, e.url) for e in post.entities] == [
        (":anchor:", "emoji", "https://m.example/a.png")
    ] * 2


def test_an_emoji_inside_a_link_stays_text_and_one_in_a_name_is_left_out():
    content = '<a href="https://a.example">see :anchor:</a>'
    account = {"acct": "mara", "display_name": "Mara :anchor:", "emojis": [ANCHOR]}
    post = read(content=content, emojis=[ANCHOR], account=account)

    assert [e.kind for e in post.entities] == ["url"]
    assert post.author.name == "Mara"


def test_an_emoji_whose_picture_is_no_address_of_the_web_stays_text():
    harm = {"shortcode": "anchor", "url": "javascript:alert(1)"}

    assert read(content="Up :anchor:", emojis=[harm]).entities == ()


def test_a_later_edit_is_a_higher_version():
    first, second = (read(edited_at=f"2026-05-14T09:0{minute}:00Z").version for minute in (1, 2))

    assert 0 == read().version < first < second


@pytest.mark.parametrize("bad", [None, [], "text", {}, status(id="1/../2"), status(content=""), status(id=5)])
def test_what_is_no_post_is_refused(bad):
    with pytest.raises(BadPost):
        from_mastodon(bad, now=NOW)


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_whatever_a_server_sends_is_a_post_or_refused(fields):
    try:
        message = read(**fields).as_message()
    except BadPost:
        return
    assert message["text"] or message["media"]


@given(st.text(st.sampled_from("<>/ap&;\"'= spanbrhref:#x")))
def test_whatever_the_html_entities_are_inside_the_text(html):
    text, entities = read_html(html)

    assert all(0 <= entity.start < entity.end for entity in entities)


# With html.parser some of these take half a minute; and meanwhile the server stands still.
PIECES = [
    "<",
    "<!",
    "<!--",
    "<a ",
    "</",
    "<a b='",
    "<a b=",
    "<![CDATA[",
    "<p>",
    "<script>",
    "&a",
    "&#9",
    "<a x",
    "=",
]


@pytest.mark.parametrize("piece", [*PIECES, '<a href="https://a.example/">b</a>', ":anchor: "])
@pytest.mark.parametrize("end", ["", ">", "'>", "-->"])
def test_no_text_of_a_stranger_takes_long_to_read(piece, end):
    html = "<p>a" + (piece * MOST_HTML)[:MOST_HTML] + end

    begun = time.process_time()
    read(content=html, emojis=[ANCHOR])

    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "html, text",
    [
        ("a < b > c", "a < b > c"),
        ("<<b>one", "<one"),
        ("one<!-- <p>two</p> -->three", "onethree"),
        ("one<!-- never ended", "one<!-- never ended"),
        ("one <a href", "one <a href"),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
        ("<SPAN CLASS='invisible'>no</SPAN>yes", "yes"),
    ],
)
def test_markup_that_makes_no_sense_is_read_as_a_browser_would_or_shown(html, text):
    assert read_html(html)[0] == text


def test_of_an_attribute_that_is_there_twice_the_first_counts():
    (link,) = read_html("<a hidden href='https://a.example/?a=1&amp;b=2' href='https://b.example/'>a</a>")[1]

    assert link.url == "https://a.example/?a=1&b=2"
