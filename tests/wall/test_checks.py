import pytest
from django.core.checks import run_checks
from django.test import override_settings

from realtime_wall.wall.models import Wall
from tests.wall.databases import file_database


@pytest.fixture(autouse=True)
def no_token_around(monkeypatch):
    monkeypatch.delenv("BEARER_TOKEN", raising=False)


def found(**wall):
    with override_settings(REALTIME_WALL={"WALL": wall}):
        return [(m.id, m.msg) for m in run_checks() if (m.id or "").startswith("realtime_wall.wall.")]


def test_good_settings_are_silent():
    assert found() == []
    assert found(SOURCES=["replay"], REPLAY_LOOP=True) == []
    assert found(SOURCES=["x"], TRACK_USERS=[7], BEARER_TOKEN="secret") == []


def test_an_unknown_key_is_an_error():
    ((check_id, message),) = found(SORCES=[])

    assert check_id == "realtime_wall.wall.E001"
    assert message.startswith("REALTIME_WALL['WALL']['SORCES'] is not a setting of the wall")


def test_x_with_nothing_to_track_is_an_error():
    assert [check_id for check_id, _ in found(SOURCES=["x"], BEARER_TOKEN="secret")] == [
        "realtime_wall.wall.E001"
    ]


def test_x_without_a_token_is_a_warning(monkeypatch):
    settings = {"SOURCES": ["x"], "TRACK_KEYWORDS": ["tides"]}

    assert found(**settings) == [("realtime_wall.wall.W001", "The source 'x' has no token.")]
    monkeypatch.setenv("BEARER_TOKEN", "secret")
    assert found(**settings) == []


def test_a_webhook_without_a_secret_is_a_warning(monkeypatch):
    monkeypatch.delenv("WEBHOOK_SECRET", raising=False)

    assert found(SOURCES=["webhook"]) == [("realtime_wall.wall.W001", "The source 'webhook' has no secret.")]
    assert found(SOURCES=["webhook"], WEBHOOK_SECRET="a secret that is long") == []


def test_sources_of_a_wrong_type_do_not_break_the_checks():
    assert [check_id for check_id, _ in found(SOURCES=5)] == ["realtime_wall.wall.E001"]


def test_a_wall_whose_address_is_another_page_is_a_warning(database):
    Wall.objects.create(slug="hook")
    Wall.objects.create(slug="hooks")

    messages = run_checks(databases=["default"])

    assert [m.msg for m in messages if m.id == "realtime_wall.wall.W002"] == [
        "The wall 'hook' cannot be reached: another page has its address."
    ]


def test_without_tables_nothing_is_said_of_walls(tmp_path):
    with file_database(tmp_path / "empty.sqlite3"):
        assert not [m for m in run_checks(databases=["default"]) if m.id == "realtime_wall.wall.W002"]


@pytest.mark.parametrize("source", ["x", "x_search", "mastodon", "bluesky", "rss"])
def test_a_source_whose_package_is_missing_says_what_to_install(source, monkeypatch):
    monkeypatch.setattr("realtime_wall.wall.checks.find_spec", lambda package: None)

    said = found(
        SOURCES=["replay", source],
        TRACK_KEYWORDS=["django"],
        MASTODON_TOKEN="a",
        MASTODON_URL="https://a.example",
        RSS_URLS=["https://a.example/feed"],
    )
    missing = [text for id, text in said if id == "realtime_wall.wall.E002"]

    assert f"The source '{source}' needs the package requests." in missing
