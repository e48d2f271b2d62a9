"""What is left of an older project is named with its file, its line and the new word."""

import types

import pytest
from django.test import override_settings

from realtime_wall import checks
from realtime_wall.management import older_words


@pytest.fixture
def found_in(tmp_path, monkeypatch):
    """What is found in a project that has one file."""
    app = types.SimpleNamespace(name="talks", path=str(tmp_path))
    monkeypatch.setattr(older_words.apps, "get_app_configs", lambda: [app])

    def found_in(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        try:
            return [
                (where.removeprefix(str(tmp_path)), word, say) for where, word, say in older_words.in_files()
            ]
        finally:
            path.unlink()

    return found_in


@pytest.mark.parametrize(
    ("name", "text", "word", "new"),
    [
        ("views.py", "from realtime import connected_sockets", "from realtime", "realtime_wall"),
        (
            "events.py",
            "from django_socketio.events import on_message",
            "from django_socketio",
            "realtime_wall",
        ),
        ("models.py", "import twitsocket", "import twitsocket", "realtime_wall.wall"),
        ("consumers.py", "from channels.generic.websocket import W", "from channels.", "events.py"),
        ("map.py", "from tweepy import Stream, StreamListener", "from tweepy", "SOURCES"),
        ("urls.py", "url('', include('realtime.urls'))", "include('realtime.urls", "realtime_wall.urls"),
        ("chat.py", "namespace.broadcast_event_not_me(1)", "namespace.broadcast", "broadcast_emit"),
        ("templates/page.html", "<head>{% flash_hack %}</head>", "{% flash_hack %}", "nothing"),
        ("templates/page.html", "var s = new io.Socket();", "new io.Socket(", "io()"),
        ("static/chat.js", "io.connect(null, {})", "io.connect(null", "io()"),
        ("static/chat.js", "transports: ['flashsocket']", "'flashsocket'", "nothing"),
        ("static/chat.js", 'transports: ["xhr-polling"]', '"xhr-polling"', "'polling'"),
        ("static/map.js", "new WebSocket('ws://h/ws/map/')", "/ws/map/", "/ws/"),
        ("static/map.js", "'https://publish.twitter.com/oembed'", "publish.twitter.com/oembed", "OEMBED_URL"),
    ],
)
def test_an_older_word_is_named_with_the_new_one(found_in, name, text, word, new):
    ((where, what, instead),) = found_in(name, f"\n\n{text}\n")

    assert where == f"/{name}:3"
    assert what.startswith(word)
    assert new in instead


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "views.py",
            "from realtime_wall import broadcast\nfrom channels import news  # an app of this site\n",
        ),
        ("chat.js", "const socket = io({transports: ['polling', 'websocket']})"),
        ("node_modules/io/old.js", "new io.Socket()"),
        ("site-packages/realtime/views.py", "from realtime import connected_sockets"),
        ("bundle.js", "new io.Socket();" + " " * older_words.BYTES),
        ("notes.rst", "from realtime import connected_sockets"),
    ],
)
def test_what_is_of_today_or_of_others_is_left_alone(found_in, name, text):
    assert found_in(name, text) == []


def test_the_check_says_so(found_in, monkeypatch):
    monkeypatch.setattr(
        older_words, "in_files", lambda: [("events.py:3", "import realtime", "realtime_wall")]
    )

    (message,) = checks.check_older_words()

    assert (message.id, message.msg, message.hint) == (
        "realtime_wall.W007",
        "events.py:3 has 'import realtime' of an older project.",
        "Say realtime_wall.",
    )


def test_templates_of_the_project_are_looked_at_too(tmp_path):
    (tmp_path / "wall.html").write_text("{% flash_hack %}")

    with override_settings(TEMPLATES=[{"DIRS": [tmp_path]}]):
        words = [word for _, word, _ in older_words.in_files()]

    assert words == ["{% flash_hack %}"]
