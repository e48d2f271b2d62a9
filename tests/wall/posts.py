"""Posts for tests: an ordinary one to vary, and a collection of those that want to do harm."""

from itertools import count
from typing import Any

from realtime_wall.wall.models import Tweet, Wall

_numbers = count(1)


def make_post(**fields: Any) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "id": str(number),
        "source": "x",
        "url": f"https://x.example/mara/status/{number}",
        "text": f"Post number {number} from the harbour",
        "created_at": "2026-11-21T09:00:00.000+00:00",
        "lang": "en",
        "author_id": "7",
        "author_name": "Mara Lindqvist",
        "author_username": "mara",
        "author_avatar": "https://img.example/mara.jpg",
        "author_url": "https://x.example/mara",
        "entities": [],
        "media": [],
        "link": None,
        "poll": [],
        "original_id": "",
        "retweeted_by": "",
        "retweeted_by_username": "",
    } | fields


def store(post, wall=None, **fields):
    """Straight into the database; its key."""
    Tweet.objects.create(
        wall=wall or Wall.called(),
        post_id=post["id"],
        source=post["source"],
        content=post,
        created_at=post["created_at"],
        **fields,
    )
    return f"{post['source']}:{post['id']}"


def entity(start: int, end: int, kind: str = "hashtag", text: str = "", url: str = "https://x.example/tag"):
    return {"start": start, "end": end, "kind": kind, "text": text, "url": url}


def picture(url: str, kind: str = "photo", alt: str = "", **film: str) -> dict[str, Any]:
    return {"kind": kind, "url": url, "alt": alt, "width": 16, "height": 9, **film}


SCRIPTS = [
    "<script>document.title='hacked'</script>",
    "</script><script>document.title='hacked'</script>",
    "<img src=x onerror=\"document.title='hacked'\">",
    "\"><svg onload=document.title='hacked'>",
    "' onmouseover='document.title=1' x='",
    "{{ 7|add:7 }}{% now 'Y' %}${7*7}`",
    "<!--<script>",
    "&lt;script&gt;&#x3c;script&#x3e;",
]

ADDRESSES = [
    "javascript:document.title='hacked'",
    "JaVaScRiPt:document.title='hacked'",
    " javascript:document.title='hacked'",
    "java\nscript:document.title='hacked'",
    "\x01javascript:document.title='hacked'",
    "data:text/html,<script>document.title='hacked'</script>",
    "vbscript:x",
    "//evil.example/x.js",
    "/logout/",
    "/static/../logout/",
    "/static/%2e%2e/logout/",
    "\\\\evil.example\\x",
    "https:\\\\evil.example",
    "https://a.example/\" onload=\"document.title='hacked'",
    "file:///etc/passwd",
    "blob:https://a.example/x",
    "",
]


def hostile_posts() -> list[dict[str, Any]]:
    everywhere = [
        make_post(
            text=text,
            author_name=text,
            author_username=text,
            source=text,
            lang=text,
            retweeted_by=text,
            created_at="2026-11-21T09:00:00+00:00",
            entities=[entity(7, 9, kind=text, text=text)],
            media=[picture("https://img.example/a.jpg", kind=text, alt=text)],
            link={"url": "https://a.example/", "title": text, "description": text, "picture": ""},
            poll=[text, text],
        )
        for text in SCRIPTS
    ]
    addresses = [
        make_post(
            url=url,
            author_url=url,
            author_avatar=url,
            text="#harm :a:",
            entities=[entity(0, 5, url=url), entity(6, 9, kind="emoji", url=url)],
            link={"url": url, "title": "", "description": "", "picture": url},
            poll=[],
            media=[picture(url), picture("/static/realtime_wall_wall/icon.svg", "video", film=url)],
        )
        for url in ADDRESSES
    ]
    return everywhere + addresses


def odd_posts() -> list[dict[str, Any]]:
    """Honest posts, each with something about it."""
    return [
        make_post(),
        make_post(retweeted_by="Tomás Ferreira", source="replay"),
        make_post(edited=True),
        make_post(passed_on=3),
        make_post(author_name="", author_avatar=""),
        make_post(author_name="🦊", author_username="", author_url="", author_avatar="", source=""),
        make_post(author_name="عبد الله", text="مرحبا بالعالم", lang="ar"),
        make_post(author_name="åsa von öst", text="🎉🚀🎉", lang="und"),
        make_post(text="x" * 70),
        make_post(text="x" * 71),
        make_post(text="x" * 180),
        make_post(text="x" * 181),
        make_post(text="", media=[picture("https://img.example/a.jpg", "video", 'a "quoted" alt')]),
        make_post(
            media=[picture("https://img.example/a.jpg", "gif", film="https://img.example/a.mp4?a=1&b")]
        ),
        make_post(text="two\nlines  and   blanks ", url=""),
        # Code points, not halves of them: the rocket is one, and two in JavaScript's count.
        make_post(
            text="🚀🚀 #lift @mara x.example/long",
            entities=[
                entity(14, 29, "url", "x.example/…", "https://t.example/1"),
                entity(3, 8),
                entity(9, 14, "mention"),
            ],
        ),
        make_post(text="👩🏽‍🚀 #one", entities=[entity(5, 9)]),
        make_post(
            text="🚀 :anchor: up", entities=[entity(2, 10, "emoji", ":anchor:", "https://a.example/a.png")]
        ),
        make_post(poll=["Lighthouse", "Pier\n2", "<b>"]),
        make_post(
            link={
                "url": "https://tides.example/",
                "title": "Tides",
                "description": "When & where",
                "picture": "https://img.example/t.jpg",
            }
        ),
        make_post(
            link={"url": "https://a.example/", "title": "A", "description": "", "picture": ""}, poll=[]
        ),
        make_post(text="overlapping", entities=[entity(0, 5), entity(3, 8), entity(8, 11)]),
        make_post(text="out of it", entities=[entity(-1, 3), entity(4, 4), entity(5, 99), entity(3, 2)]),
        make_post(created_at="2026-11-21T11:59:01.000+00:00"),
        make_post(created_at="2026-11-21T11:59:00.000+00:00"),
        make_post(created_at="2026-11-21T11:00:00.000+00:00"),
        make_post(created_at="2026-11-20T12:00:00.000+00:00"),
        make_post(created_at="2026-11-21T12:00:09.000+00:00"),
    ]
