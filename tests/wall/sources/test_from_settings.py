import subprocess
import sys

from realtime_wall.wall.options import Options
from realtime_wall.wall.sources.from_settings import sources_from
from realtime_wall.wall.sources.replay import SAMPLE, ReplaySource
from realtime_wall.wall.sources.x import XStreamSource


def test_nothing_named_nothing_made():
    assert sources_from(Options(), "main") == []


def test_replay_plays_the_sample_unless_a_file_is_named(tmp_path):
    (sample,) = sources_from(Options(sources=("replay",)), "main")
    (recorded,) = sources_from(
        Options(sources=("replay",), replay_file=tmp_path / "a.jsonl", replay_speed=3, replay_loop=True),
        "main",
    )

    assert isinstance(sample, ReplaySource)
    assert (sample.path, sample.speed, sample.loop) == (SAMPLE, 1.0, False)
    assert (recorded.path, recorded.speed, recorded.loop) == (tmp_path / "a.jsonl", 3, True)


def test_x_asks_for_what_is_tracked_with_rules_of_its_own_wall():
    options = Options(
        sources=("replay", "x"), track_keywords=("tides",), track_users=(7,), bearer_token="secret"
    )

    _, source = sources_from(options, "upstairs")

    assert isinstance(source, XStreamSource)
    assert source.rules == ['"tides" OR from:7']
    assert (source._token, source._tag) == ("secret", "realtime_wall:upstairs")


def test_a_wall_without_x_does_not_load_tweepy():
    script = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import django; django.setup()\n"
        "from realtime_wall.wall.options import Options\n"
        "from realtime_wall.wall.sources.from_settings import sources_from\n"
        "assert sources_from(Options(sources=('replay',)), 'main')\n"
        "assert 'tweepy' not in sys.modules and 'requests' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
