"""Feeds as they are: every dialect, and what strangers make of them."""

import time
from datetime import UTC, datetime

import pytest

from realtime_wall.wall.post import BadPost
from realtime_wall.wall.sources.rss.rss_payload import MOST_ENTRIES, read_feed

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
URL = "https://blog.example/feed"
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
<title>Tide &amp; Salt</title>
<link href="https://blog.example/"/><logo>https://blog.example/logo.png</logo>
<entry><id>tag:1</id><title type="html">High &lt;b&gt;tide&lt;/b&gt;</title><link href="/posts/1"/>
<author><name>Mara</name></author>
<published>2026-11-28T10:00:00Z</published><updated>2026-11-28T11:00:00Z</updated>
<content type="html">&lt;p&gt;At nine.
&lt;img src="https://blog.example/1.jpg" onerror="x"&gt;&lt;/p&gt;</content>
</entry></feed>"""


def rss(items, attributes=""):
    return f'<rss version="2.0" {attributes}><channel><title>T</title>{items}</channel></rss>'.encode()


def read(body, url=URL):
    return read_feed(body if isinstance(body, bytes) else body.encode(), url, NOW)


def test_atom():
    (post,) = read(ATOM).posts
    message = post.as_message()

    assert message["text"] == "High tide\nAt nine."
    assert (message["url"], message["author_name"]) == ("https://blog.example/posts/1", "Mara")
    assert message["author_avatar"] == "https://blog.example/logo.png"
    assert [item["url"] for item in message["media"]] == ["https://blog.example/1.jpg"]
    assert message["created_at"].startswith("2026-11-28T10:00:00") and message["edited"]


def test_rss_with_pictures_films_and_sound():
    enclosures = "".join(
        f'<enclosure url="https://e.example/{name}" type="{kind}" length="1"/>'
        for name, kind in (("a.jpg", "image/jpeg"), ("b.mp3", "audio/mpeg"), ("c.mp4", "video/mp4"))
    )
    film = '<media:thumbnail url="https://e.example/still.jpg"/>'
    item = f"<item><title>Hi</title>{enclosures}{film}</item>"
    (post,) = read(rss(item, 'xmlns:media="http://search.yahoo.com/mrss/"')).posts

    assert [(one.kind, one.url[18:]) for one in post.media] == [("photo", "a.jpg"), ("video", "still.jpg")]
    assert [one.film[18:] for one in post.media] == ["", "c.mp4"]


def test_rdf():
    body = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
    <channel><title>T</title></channel>
    <item><title>One</title><link>https://e.example/1</link></item></rdf:RDF>"""

    assert [post.text for post in read(body).posts] == ["One"]


def test_a_title_that_is_made_of_the_text_is_not_said_twice():
    item = "<item><title>The tide is …</title><description>The tide is high</description></item>"

    assert read(rss(item)).posts[0].text == "The tide is high"


def test_ids_are_of_the_feed_and_stay():
    item = rss("<item><guid>1</guid><title>One</title></item>")
    first, again, elsewhere = read(item), read(item), read(item, "https://other.example/feed")

    assert first.posts[0].id == again.posts[0].id != elsewhere.posts[0].id


def test_a_time_in_the_future_is_now_and_how_often_it_may_be_asked_is_read():
    found = read(
        rss("<ttl>60</ttl><item><title>x</title><pubDate>Mon, 01 Jan 2035 00:00:00 GMT</pubDate></item>")
    )

    assert found.posts[0].created_at == NOW and found.rest == 3600


def test_names_of_html_are_letters_in_xml_too():
    assert read(rss("<item><title>a&nbsp;b &eacute; &amp;lt;</title></item>")).posts[0].text == "a\xa0b é <"


def test_a_feed_is_read_by_its_first_entries():
    many = "".join(f"<item><guid>{number}</guid><title>{number}</title></item>" for number in range(500))

    assert len(read(rss(many)).posts) == MOST_ENTRIES


BOMB = (
    b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">%b]><rss version="2.0"><channel><title>&j;</title></channel></rss>'
)
BOMB %= b"".join(b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
OUTSIDE = b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss version="2.0"><title>&a;</title></rss>'
HOSTILE = {
    "nothing": b"",
    "html": b"<!DOCTYPE html><html><head><title>x</title></head><body/></html>",
    "a bomb": BOMB,
    "a bomb in UTF-16": BOMB.decode().encode("utf-16"),
    "a file of ours": OUTSIDE,
    "a file of ours in UTF-16": OUTSIDE.decode().encode("utf-16"),
    "deep": rss("<item>" + "<a>" * 100_000 + "</a>" * 100_000 + "</item>"),
    "broad": rss("<item " + " ".join(f'a{number}="1"' for number in range(20_000)) + "></item>"),
    "many": rss("<a/>" * 200_000),
    "open": b"<rss><channel><item>" + b"<a " * 500_000,
    "less than": b"<rss><channel><item><title>" + b"<" * 500_000,
    "a charset that hides": b'<?xml version="1.0" encoding="utf-7"?><rss version="2.0"/>',
    "no charset": b'<?xml version="1.0" encoding="nothing"?><rss version="2.0"/>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_strangers_make_of_it_is_refused_soon(name):
    began = time.process_time()
    with pytest.raises(BadPost):
        read(HOSTILE[name])

    assert time.process_time() - began < 2


@pytest.mark.threat("S52")
def test_scripts_and_bad_schemes_are_texts_or_nothing():
    item = (
        "<item><title>&lt;script>alert(1)&lt;/script>ok</title><link>javascript:alert(1)</link>"
        "<description>&lt;img src='javascript:alert(1)'>&lt;a href='data:text/html,x'>there&lt;/a>"
        "</description>"
        '<enclosure url="data:image/png;base64,x" type="image/png"/></item>'
    )
    message = read(rss(item)).posts[0].as_message()

    assert (message["text"], message["url"], message["media"]) == ("ok\nthere", "", [])
    assert all(entity["url"] == "" for entity in message["entities"])
