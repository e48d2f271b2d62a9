import json
from datetime import UTC, datetime

import gevent
import pytest

from realtime_wall.wall.feed.clock import SystemClock
from realtime_wall.wall.sources.replay import LONGEST_GAP, PAUSE, SAMPLE, ReplaySource
from realtime_wall.wall.sources.source import SourceGaveUp
from tests.wall.fakes import FakeClock, x_line


@pytest.fixture
def recording(tmp_path):
    def write(*lines):
        path = tmp_path / "recording.jsonl"
        data = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        path.write_bytes(b"\n".join(data) + b"\n")
        return path

    return write


def at(post_id, second, **data):
    return x_line(post_id, created_at=f"2026-05-14T08:50:{second:06.3f}Z", **data)


def play(source, most=10_000):
    """The posts, and at which of the clock's times each came."""
    came = []

    def emit(post):
        came.append((post, source._clock.elapsed()))
        if len(came) == most:
            source.stop()

    source.run(emit)
    return came


def test_posts_come_at_their_recorded_pace_and_the_first_at_once(recording, clock):
    came = play(ReplaySource(recording(at(1, 0), at(2, 1.5), at(3, 4)), clock=clock))

    assert [(post.text, elapsed) for post, elapsed in came] == [
        ("Hello from the harbour", 0),
        ("Hello from the harbour", 1.5),
        ("Hello from the harbour", 4),
    ]


def test_speed_divides_the_pace(recording, clock):
    came = play(ReplaySource(recording(at(1, 0), at(2, 10)), speed=4, clock=clock))

    assert [elapsed for _, elapsed in came] == [0, 2.5]


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_a_speed_that_cannot_be_played_is_refused(speed):
    with pytest.raises(ValueError, match="speed"):
        ReplaySource(SAMPLE, speed=speed)


def test_the_pace_is_kept_when_publishing_takes_time(recording, clock):
    source = ReplaySource(recording(at(1, 0), at(2, 2), at(3, 4)), clock=clock)
    came = []

    def slow(post):
        came.append(clock.elapsed())
        clock.time += 1

    source.run(slow)

    assert came == [0, 2, 4]


def test_each_post_has_a_fresh_id_and_the_time_of_its_playing(recording, clock):
    ((post, _), (later, _)) = play(ReplaySource(recording(at(1, 0), at(2, 3)), clock=clock))

    assert post.id.startswith("1-")
    assert post.source == "replay"
    assert post.created_at == datetime.fromtimestamp(clock.start, UTC)
    assert (later.created_at - post.created_at).total_seconds() == 3


def test_a_loop_plays_again_with_other_ids_after_a_pause(recording, clock):
    came = play(ReplaySource(recording(at(1, 0), at(2, 1)), loop=True, clock=clock), most=6)

    assert len({post.id for post, _ in came}) == 6
    assert [elapsed for _, elapsed in came] == [0, 1, 1 + PAUSE, 2 + PAUSE, 2 + 2 * PAUSE, 3 + 2 * PAUSE]


def test_ids_are_new_after_a_restart_too(recording):
    path = recording(at(1, 0))
    before = play(ReplaySource(path, clock=FakeClock(1_800_000_000)))
    after = play(ReplaySource(path, clock=FakeClock(1_800_000_007)))

    assert before[0][0].id != after[0][0].id


def test_ids_are_new_even_when_passes_take_no_time(recording, clock):
    came = play(ReplaySource(recording(at(1, 0)), loop=True, speed=1e9, clock=clock), most=5)

    assert len({post.id for post, _ in came}) == 5


def test_a_retweet_names_the_original_of_the_same_pass(recording, clock):
    repeat = at(2, 1)
    repeat["data"]["referenced_tweets"] = [{"type": "retweeted", "id": "1"}]
    came = play(ReplaySource(recording(at(1, 0), repeat), loop=True, clock=clock), most=4)

    assert [came[1][0].original_id, came[3][0].original_id] == [came[0][0].id, came[2][0].id]
    assert came[0][0].original_id == ""


def test_bad_lines_are_skipped_counted_and_logged_once(recording, clock, caplog):
    path = recording(b"{", at(1, 0), b"", b"[]", b"\xff\xfe", at(2, 1))
    source = ReplaySource(path, loop=True, clock=clock)

    came = play(source, most=4)

    assert [post.id[0] for post, _ in came] == ["1", "2", "1", "2"]
    assert source.skipped == 6
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: line 1 is skipped, it is no JSON: JSONDecodeError (further ones are only counted)"
    ]


@pytest.mark.parametrize("lines", [[], [b"", b"  "], [b"{", b"[]"]])
def test_a_file_without_posts_is_given_up_not_read_for_ever(recording, clock, lines):
    source = ReplaySource(recording(*lines), loop=True, clock=clock)

    with pytest.raises(SourceGaveUp, match="recording.jsonl holds no post to play"):
        source.run(pytest.fail)


def test_a_missing_file_is_named(tmp_path, clock):
    with pytest.raises(SourceGaveUp, match=r"cannot read .*nowhere\.jsonl: No such file"):
        ReplaySource(tmp_path / "nowhere.jsonl", clock=clock).run(pytest.fail)


def test_a_post_without_a_time_is_played_at_once(recording, clock):
    timeless = x_line(2)
    del timeless["data"]["created_at"]

    came = play(ReplaySource(recording(at(1, 0), timeless, at(3, 2)), clock=clock))

    assert [elapsed for _, elapsed in came] == [0, 0, 2]


def test_wrong_times_neither_silence_the_wall_nor_turn_it_back(recording, clock):
    never = x_line(2, created_at="9000-01-01T00:00:00Z")

    came = play(ReplaySource(recording(at(1, 5), never, at(3, 1), at(4, 2)), clock=clock))

    assert [elapsed for _, elapsed in came] == [0, LONGEST_GAP, LONGEST_GAP, LONGEST_GAP + 1]


def test_stopping_ends_a_wait_at_once(recording):
    source = ReplaySource(recording(at(1, 0), at(2, 59)), clock=SystemClock())
    posts = []
    playing = gevent.spawn(source.run, posts.append)
    gevent.sleep(0.01)
    source.stop()
    playing.join(timeout=1)

    assert playing.ready()
    assert len(posts) == 1


def test_nothing_more_is_played_after_a_stop(recording, clock):
    came = play(ReplaySource(recording(at(1, 0), at(2, 0), at(3, 0)), clock=clock), most=1)

    assert len(came) == 1


def test_a_picture_of_the_sample_is_a_static_file(recording, clock):
    pictures = [("1", "sample:stage.svg"), ("2", "sample:../../x.svg"), ("3", "https://p.example/3.jpg")]
    line = at(1, 0, attachments={"media_keys": [key for key, _ in pictures]})
    line["includes"]["media"] = [{"media_key": key, "type": "photo", "url": url} for key, url in pictures]

    ((post, _),) = play(ReplaySource(recording(line), clock=clock))

    assert [m.url for m in post.media] == [
        "/static/realtime_wall_wall/sample/stage.svg",
        "https://p.example/3.jpg",
    ]


def test_links_lead_to_x_unless_the_people_are_invented(recording, clock):
    ((recorded, _),) = play(ReplaySource(recording(at(1, 0)), clock=clock))
    ((sample, _),) = play(ReplaySource(clock=clock), most=1)

    assert recorded.url == "https://x.com/maraquill/status/1"
    assert sample.url.startswith("https://posts.example/")


def test_an_hour_is_played_in_a_moment(clock):
    came = play(ReplaySource(SAMPLE, loop=True, clock=clock), most=1500)

    assert clock.elapsed() > 3600
    assert len({post.id for post, _ in came}) == 1500
