import pytest

from realtime_wall.wall.feed import source_config
from realtime_wall.wall.feed.source_config import SourceConfig, read_source_configs, read_terms
from realtime_wall.wall.models import SourcePosition, Wall, WallSource
from realtime_wall.wall.options import Options

pytestmark = pytest.mark.usefixtures("database")

SETTINGS = Options(
    sources=("x", "webhook"), track_keywords=("tides",), track_users=("mara",), posts_per_hour=500
)


def add(kind, slug="main", **fields):
    wall = Wall.called(slug)
    return WallSource.objects.create(wall=wall, kind=kind, **fields)


def test_the_settings_are_about_the_main_wall():
    assert read_source_configs(SETTINGS) == {
        "main": {"x": SourceConfig(kind="x", keywords=("tides",), users=("mara",), cap=500)}
    }
    assert read_source_configs(Options()) == {}


def test_each_wall_has_its_own_sources():
    add(
        "mastodon",
        "hall-2",
        terms="#gulls\n\n sea birds \nfrom:ben\n#gulls",
        cap=60,
        address=" https://a.example ",
    )
    add("bluesky", "hall-2", terms="#gulls")

    planned = read_source_configs(SETTINGS)

    assert planned.keys() == {"main", "hall-2"}
    assert planned["hall-2"]["mastodon"] == SourceConfig(
        kind="mastodon",
        keywords=("#gulls", "sea birds"),
        users=("ben",),
        cap=60,
        address="https://a.example",
    )


@pytest.mark.parametrize("enabled, kinds", [(True, {"x"}), (False, set())])
def test_the_admin_has_the_last_word_about_a_kind(enabled, kinds):
    add("x", terms="#gulls", enabled=enabled)

    assert read_source_configs(SETTINGS).get("main", {}).keys() == kinds


def test_without_terms_the_settings_or_the_hashtag_are_asked_for():
    add("x")
    add("bluesky", "hall-2")
    Wall.objects.filter(slug="hall-2").update(hashtag="gulls")
    planned = read_source_configs(SETTINGS)

    assert (planned["main"]["x"].keywords, planned["main"]["x"].users) == (("tides",), ("mara",))
    assert planned["hall-2"]["bluesky"].keywords == ("#gulls",)


def test_nobody_runs_code_by_editing_a_wall():
    add("os.system", "hall-2", terms="#gulls")

    assert "hall-2" not in read_source_configs(SETTINGS)
    assert "os.system" in read_source_configs(Options(sources=("os.system",)))["hall-2"]


def test_users_are_told_from_words():
    assert read_terms(["From: mara", "from:", "fromage", "@mara"]) == (("fromage", "@mara"), ("mara",))


def test_a_source_goes_on_where_its_posts_end():
    SourcePosition.objects.create(wall=Wall.called(), source="x", cursor="17")

    assert source_config.read_cursor("main", "x") == source_config.read_cursor("main", "x_search") == "17"
    assert source_config.read_cursor("main", "bluesky") == source_config.read_cursor("hall-2", "x") == ""
