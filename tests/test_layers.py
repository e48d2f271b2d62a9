"""The floors of the package: a module imports from its own floor or below, and never in a circle.

Imports are read from the source, those inside functions and under TYPE_CHECKING too: what is needed for
a type is needed to understand the file.
"""

import re
import sys
from pathlib import Path

import pytest

from tests.package_source import FILES, PACKAGE, read

TESTS = Path(__file__).parent
ROOT = TESTS.parent
CONTRIBUTING = ROOT / "CONTRIBUTING.rst"

# The longest name that fits decides.
FLOORS = {
    "realtime_wall.wall": 9,
    "realtime_wall.testing": 9,
    "realtime_wall.monitor": 9,
    "realtime_wall.socketio_admin": 9,
    "realtime_wall.tracing": 9,
    "realtime_wall": 8,  # the file itself, which hands out the public names
    "realtime_wall.api": 8,
    "realtime_wall.cluster": 8,
    "realtime_wall.apps": 8,
    "realtime_wall.checks": 8,
    "realtime_wall.urls": 8,
    "realtime_wall.channel_urls": 8,
    "realtime_wall.account_signals": 8,
    "realtime_wall.model_changes": 8,
    "realtime_wall.views": 8,
    "realtime_wall.management": 8,
    "realtime_wall.templatetags": 8,
    "realtime_wall.server": 7,
    "realtime_wall.outbox": 6,
    "realtime_wall.transports": 6,
    "realtime_wall.node": 5,
    "realtime_wall.presence": 5,
    "realtime_wall.sockets": 4,
    "realtime_wall.control": 4,
    "realtime_wall.brokers": 3,
    "realtime_wall.auth": 3,
    "realtime_wall.channels": 2,
    "realtime_wall.wire": 1,
    "realtime_wall.protocol": 1,
    "realtime_wall.errors": 0,
    "realtime_wall.config": 0,
    "realtime_wall.signals": 0,
    "realtime_wall.events": 0,
    "realtime_wall.typed_events": 0,
    "realtime_wall.answers": 0,
    "realtime_wall.async_functions": 0,
}
# Bytes and times go in, events and bytes come out: no network, no clock, no framework.
SANS_IO = ("realtime_wall.protocol", "realtime_wall.channels")
SANS_IO_MAY_IMPORT = ("websockets", "msgpack", "realtime_wall.errors", *SANS_IO)
# How dates and decimals are written is Django's decision.
DJANGOS_JSON = ("realtime_wall.protocol.json_output", "django.core.serializers.json")
NOT_SANS_IO = {
    "asyncio",
    "socket",
    "select",
    "selectors",
    "ssl",
    "threading",
    "time",
    "logging",
    "subprocess",
}
# The wall is an app like any other: what it needs of the package is public, and documented.
WALL_MAY_IMPORT = {
    "realtime_wall": "the names that it hands out",
    "realtime_wall.api": "the verbs",
    "realtime_wall.cluster": "all servers of the site",
    "realtime_wall.events": "what receivers are given",
    "realtime_wall.signals": "where receivers are connected",
    "realtime_wall.answers": "what receivers return",
    "realtime_wall.errors": "what the verbs raise",
    "realtime_wall.config": "its own settings are a part of REALTIME_WALL",
    "realtime_wall.views.content_security": "its pages have our scripts",
    "realtime_wall.templatetags.realtime": "its tags are {% realtime_client %} with more around it",
}
FORBIDDEN_NAMES = {"utils", "util", "common", "manager", "managers", "helpers", "helper", "base", "misc"}


def imports_of(name):
    return read(FILES[name]).imports


def belongs_to(name, package):
    return name == package or name.startswith(package + ".")


def floor(name):
    fitting = [package for package in FLOORS if belongs_to(name, package)]
    best = max(fitting, key=len)
    assert best != "realtime_wall" or name == best, f"{name} has no floor: give it one in {__file__}"
    return FLOORS[best]


def ours(name):
    return [imported for imported in imports_of(name) if belongs_to(imported, "realtime_wall")]


# Of all files at once: a test for each would take longer to be made and reported than it looks.
def test_a_module_imports_from_its_own_floor_or_below():
    upwards = [
        f"{name} (floor {floor(name)}) imports {imported} (floor {floor(imported)})"
        for name in FILES
        for imported in ours(name)
        if floor(imported) > floor(name)
    ]

    assert upwards == []


def test_no_module_imports_itself_by_way_of_others():
    def visit(name, path):
        if name in path:
            circles.append(" -> ".join([*path[path.index(name) :], name]))
        elif name not in done:
            for imported in ours(name):
                visit(imported, [*path, name])
            done.add(name)

    circles, done = [], set()
    for name in FILES:
        if name != "realtime_wall":
            visit(name, [])

    assert not circles, "\n".join(circles)


@pytest.mark.parametrize("name", [name for name in FILES if any(belongs_to(name, one) for one in SANS_IO)])
def test_protocols_and_channels_know_no_socket_no_clock_and_no_framework(name):
    for imported in imports_of(name):
        if (name, imported) == DJANGOS_JSON:
            continue
        root = imported.partition(".")[0]
        is_standard = root in sys.stdlib_module_names and root not in NOT_SANS_IO
        assert is_standard or any(belongs_to(imported, one) for one in SANS_IO_MAY_IMPORT), imported


def test_only_the_wall_knows_tweepy():
    knowing = [name for name in FILES if any(belongs_to(one, "tweepy") for one in imports_of(name))]

    assert all(belongs_to(name, "realtime_wall.wall") for name in knowing)


APPS = ("realtime_wall.wall", "realtime_wall.monitor", "realtime_wall.socketio_admin")


@pytest.mark.parametrize("app", APPS)
def test_our_apps_use_the_package_as_any_app_does(app):
    inside = {
        name: inside - WALL_MAY_IMPORT.keys()
        for name in FILES
        if belongs_to(name, app) and (inside := {one for one in ours(name) if not belongs_to(one, app)})
    }

    assert inside and not any(inside.values()), inside


def test_nothing_of_the_package_knows_the_wall():
    knowing = {name for name in FILES if not belongs_to(name, "realtime_wall.wall")}

    assert not [name for name in knowing if any(belongs_to(one, "realtime_wall.wall") for one in ours(name))]


def test_gevent_websocket_is_known_to_one_file():
    knowing = [name for name in FILES if any(belongs_to(one, "geventwebsocket") for one in imports_of(name))]

    assert knowing == ["realtime_wall.server.http.websocket_handshake"]


def test_nobody_elses_private_names_are_imported():
    private = [
        f"{name} imports {one}"
        for name in FILES
        for one in imports_of(name)
        if not belongs_to(one, "realtime_wall") and any(part.startswith("_") for part in one.split(".")[1:])
    ]

    assert private == []


def test_package_files_are_empty_save_those_that_hand_out_public_names():
    filled = {path.parent for path in PACKAGE.rglob("__init__.py") if path.read_text().strip()}

    assert filled == {PACKAGE, PACKAGE / "testing"}


def test_a_module_says_which_question_it_answers():
    silent = [
        name
        for name, path in FILES.items()
        if ".migrations." not in f"{name}." and not (read(path).is_empty or read(path).has_docstring)
    ]

    assert silent == []


def test_a_module_has_a_name_that_says_something():
    assert [name for name in FILES if FORBIDDEN_NAMES & set(name.split("."))] == []


def test_every_floor_is_inhabited():
    for package in FLOORS:
        assert any(belongs_to(name, package) for name in FILES), package


def test_contributors_read_of_the_same_floors():
    rows = re.findall(r"^    (\d)  ([a-z_]+(?: [a-z_]+)*)(?:  |$)", CONTRIBUTING.read_text(), re.M)
    written = {f"realtime_wall.{name}": int(number) for number, names in rows for name in names.split()}

    assert written == {name: number for name, number in FLOORS.items() if name != "realtime_wall"}


def test_contributors_are_sent_to_files_that_are_there():
    places = re.findall(r"``((?:tests|docs)/[\w./]+|[a-z_]+(?:/[a-z_]+)*\.py)``", CONTRIBUTING.read_text())
    names = {path.name for path in [*PACKAGE.rglob("*.py"), *TESTS.rglob("*.py")]}

    assert len(CONTRIBUTING.read_text().splitlines()) <= 60
    for place in places:
        is_there = (ROOT / place).exists() or (PACKAGE / place).exists()
        assert is_there or ("/" not in place and place in names), place
