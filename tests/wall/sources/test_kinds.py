import subprocess
import sys

import gevent
import pytest

from realtime_wall.wall.options import KNOWN_SOURCES, Options
from realtime_wall.wall.sources import kinds
from realtime_wall.wall.sources.bluesky import BlueskySource
from realtime_wall.wall.sources.mastodon import MastodonSource
from realtime_wall.wall.sources.replay import SAMPLE, ReplaySource
from realtime_wall.wall.sources.source import SourceGaveUp, SourceRequest
from realtime_wall.wall.sources.x.recent_search import XSearchSource
from realtime_wall.wall.sources.x.shared_stream import XShare
from tests.fake_jetstream import FakeJetstream
from tests.fake_mastodon import FakeMastodon
from tests.wall.fakes import DEADLINE, FakeClock
from tests.wall.sources.contract import Run


def order(**fields):
    return SourceRequest(wall="main", **{"keywords": ("#tides",), **fields})


class Own:
    name = "own"

    def __init__(self, order):
        self.order = order


def test_replay_plays_the_sample_unless_a_file_is_named(tmp_path):
    sample = kinds.make("replay", order())
    named = Options(replay_file=tmp_path / "a.jsonl", replay_speed=3, replay_loop=True)
    recorded = kinds.make("replay", order(options=named))

    assert isinstance(sample, ReplaySource)
    assert (sample.path, sample.speed, sample.loop) == (SAMPLE, 1.0, False)
    assert (recorded.path, recorded.speed, recorded.loop) == (tmp_path / "a.jsonl", 3, True)


@pytest.mark.parametrize(
    "kind, source",
    [("x", XShare), ("x_search", XSearchSource), ("mastodon", MastodonSource), ("bluesky", BlueskySource)],
)
def test_each_kind_is_made_under_the_name_of_its_posts(kind, source):
    made = kinds.make(kind, order())

    assert isinstance(made, source)
    assert made.name == kinds.name_of(kind)


def test_every_kind_that_the_settings_know_can_be_made_or_is_sent():
    for kind in KNOWN_SOURCES:
        assert kind in kinds.SENT or kinds.make(kind, order())


def test_a_source_of_the_project_is_made_by_its_dotted_path():
    path = f"{__name__}.Own"

    made = kinds.make(path, order(cursor="7"))

    assert isinstance(made, Own)
    assert (made.order.keywords, made.order.cursor) == (("#tides",), "7")
    assert kinds.name_of(path) == "own"


def test_there_is_no_other_source():
    with pytest.raises(ValueError, match="there is no source 'y'"):
        kinds.make("y", order())
    with pytest.raises(ImportError):
        kinds.make("nowhere.Source", order())


def test_the_walls_of_a_site_share_the_stream_of_their_token():
    options = Options(bearer_token="the same")
    one, other = (
        kinds.make("x", SourceRequest(wall=wall, keywords=("tides",), users=(7,), options=options))
        for wall in ("a", "b")
    )

    assert one._stream is other._stream
    assert one.rules == ['"tides" OR from:7']
    assert kinds.make("x", order())._stream is not one._stream


def test_the_token_of_one_mastodon_server_is_not_shown_to_another():
    options = Options(mastodon_url="https://ours.example", mastodon_token="secret")

    assert kinds.make("mastodon", order(options=options))._token == "secret"
    assert kinds.make("mastodon", order(options=options, address="https://other.example"))._token == ""


@pytest.fixture(params=["mastodon", "bluesky"])
def neighbour(request):
    """A kind of source, its server at an address that is not public, and what has been asked of that."""
    clock = FakeClock()
    with FakeMastodon(clock) if request.param == "mastodon" else FakeJetstream() as server:
        yield request.param, server.url, server.requests if request.param == "mastodon" else server.dials


@pytest.mark.threat("S54")
def test_who_edits_a_wall_cannot_have_a_neighbour_asked(neighbour):
    kind, url, asked = neighbour
    made = kinds.make(kind, order(address=url))

    with gevent.Timeout(DEADLINE), pytest.raises(SourceGaveUp, match=r"is private: see PRIVATE_HOSTS"):
        made.run(lambda item: None)
    assert asked == []


@pytest.mark.parametrize("where", ["PRIVATE_HOSTS", "MASTODON_URL and JETSTREAM_URL"])
def test_a_neighbour_that_the_settings_name_is_asked(neighbour, where):
    kind, url, asked = neighbour
    named = {"private_hosts": ("127.0.0.1",)} if where == "PRIVATE_HOSTS" else {}
    ours = {} if named else {"mastodon_url": url, "jetstream_url": url}
    made = kinds.make(kind, order(address=url, options=Options(**named, **ours)))
    run = Run(made, FakeClock())

    run.wait_until(lambda: asked, "a request")
    run.stop()


def test_a_wall_without_x_does_not_load_tweepy():
    script = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import django; django.setup()\n"
        "from realtime_wall.wall.sources import kinds\n"
        "from realtime_wall.wall.sources.source import SourceRequest\n"
        "assert kinds.make('replay', SourceRequest(wall='main'))\n"
        "assert 'tweepy' not in sys.modules and 'requests' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
