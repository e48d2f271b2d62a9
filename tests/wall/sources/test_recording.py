import json

import pytest

from realtime_wall.wall.post import BadPost, Removal
from realtime_wall.wall.sources.recording import from_recording, is_recording
from realtime_wall.wall.sources.replay import ReplaySource
from tests.wall.posts import entity, hostile_posts, make_post, picture


def line(data, event="tweet", second=0, **fields):
    time = f"2026-11-25T18:00:{second:02}+00:00"
    return {"channel": "tweets", "data": data, "event": event, "time": time, **fields}


def test_a_post_is_read_as_it_was_published():
    post = make_post(
        text="Hello #tides",
        entities=[entity(6, 12, text="#tides")],
        media=[picture("https://img.example/a.jpg", "gif", "A gull", film="https://img.example/a.mp4")],
        link={"url": "https://a.example/", "title": "A", "description": "b", "picture": ""},
        poll=["one", "two"],
        original_id="77",
        retweeted_by="Ada",
        retweeted_by_username="ada",
    )

    message = from_recording(line(post), "replay").as_message()

    assert message == post | {
        "source": "replay",
        "created_at": "2026-11-25T18:00:00.000+00:00",
        "edited": False,
    }


def test_an_edit_and_a_removal_are_what_they_were():
    post = make_post()

    assert from_recording(line(post, "tweet_changed"), "replay").version == 1
    removal = from_recording(line({"id": post["id"], "source": "x"}, "tweet_removed"), "replay")
    assert removal == Removal(id=post["id"], source="replay")


def test_other_events_of_the_channel_are_none_of_its():
    assert from_recording(line({"count": 3}, "viewers"), "replay") is None
    assert from_recording(line("text", None), "replay") is None


TOO_EARLY = line(make_post()) | {"time": "0001-01-01T00:00:00+14:00"}


@pytest.mark.parametrize(
    "bad",
    [
        line([]),
        line({}),
        line(make_post(id="")),
        line(make_post()) | {"time": "noon"},
        line("text"),
        TOO_EARLY,
    ],
)
def test_what_is_no_post_says_so(bad):
    with pytest.raises(BadPost):
        from_recording(bad, "replay")


def test_hostile_posts_come_out_as_harmless_as_they_went_in():
    for post in hostile_posts():
        try:
            message = from_recording(line(post), "replay").as_message()
        except BadPost:
            continue
        assert json.dumps(message)
        assert not message["url"] or message["url"].startswith(("http://", "https://"))


def test_lines_of_x_are_not_taken_for_a_recording():
    assert is_recording(line(make_post()))
    assert not is_recording({"data": {"id": "1", "text": "x"}, "includes": {}})
    assert not is_recording([])


def test_the_source_plays_a_recording_with_its_edits_and_removals(tmp_path, clock):
    kept, gone = make_post(), make_post()
    lines = [
        line(kept, second=0),
        line(gone, second=2),
        line({"n": 1}, "viewers", second=3),
        line(kept | {"text": "Better"}, "tweet_changed", second=4),
        line({"id": gone["id"], "source": "x"}, "tweet_removed", second=5),
    ]
    path = tmp_path / "event.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    came = []

    ReplaySource(path, clock=clock).run(came.append)

    first, second, edit, removal = came
    assert (edit.id, edit.text, edit.version) == (first.id, "Better", 1)
    assert first.id != kept["id"]  # new to the wall
    assert removal == Removal(id=second.id, source="replay")
