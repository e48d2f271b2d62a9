"""The recording that comes with the wall: is it what a first look at the wall should show?"""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from realtime_wall.wall.sources.replay import SAMPLE, ReplaySource
from realtime_wall.wall.sources.x.x_payload import read_line

PICTURES = Path(SAMPLE).parent.parent / "static/realtime_wall_wall/sample"


@pytest.fixture(scope="module")
def posts():
    return list(ReplaySource()._recorded())


def test_it_is_long_varied_and_whole(posts):
    lines = SAMPLE.read_bytes().splitlines()

    assert len(posts) == len(lines) >= 220
    assert len({post.id for post in posts}) == len(posts)
    assert len({post.text for post in posts if not post.original_id}) >= 180
    assert len({post.author.username for post in posts}) >= 40
    assert sum(bool(post.retweeter.name) for post in posts) >= 30
    assert {"ar", "he", "ja", "zh", "ko", "es", "pt"} <= {post.lang for post in posts}
    assert {m.kind for post in posts for m in post.media} == {"photo", "video", "gif"}
    assert {entity.kind for post in posts for entity in post.entities} == {"url", "hashtag", "mention"}


def test_a_post_comes_every_few_seconds(posts):
    times = [post.created_at for post in posts]
    gaps = [(after - before).total_seconds() for before, after in zip(times, times[1:], strict=False)]

    assert min(gaps) > 0 and max(gaps) < 8
    assert 1 < sum(gaps) / len(gaps) < 4


def test_it_has_what_a_wall_must_cope_with(posts):
    texts = [post.text for post in posts]

    assert any(275 <= len(text) <= 280 for text in texts)
    assert any(len(text) > 280 for text in texts)
    assert any("<script>" in text for text in texts)
    assert any("javascript:" in text for text in texts)
    assert any("\u202e" in text for text in texts)
    assert any(not re.search(r"\w", text) for text in texts)


def test_what_entities_cover_is_what_they_link(posts):
    for post in posts:
        for entity in post.entities:
            covered = post.text[entity.start : entity.end]
            assert covered.lstrip("#@") in entity.url, (post.id, covered)


def test_it_is_invented_and_leads_to_nobody():
    """Ids beyond those of the century, and addresses that are reserved for examples."""
    for line in SAMPLE.read_bytes().splitlines():
        payload = read_line(line)
        assert int(payload["data"]["id"]) > 9 * 10**18
        for url in re.findall(r"https?://([^/\"\s]+)", line.decode()):
            assert url.endswith((".example", ".example.com")), url


def test_its_pictures_are_there_and_are_still(posts):
    named = {Path(m.url).name for post in posts for m in post.media if m.url.startswith("/")}

    assert named == {path.name for path in PICTURES.glob("*.svg")}
    for path in PICTURES.glob("*.svg"):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
        assert tags <= {"svg", "g", "path", "rect", "circle", "ellipse"}
        assert path.stat().st_size < 4096
