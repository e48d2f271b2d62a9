"""pytest's fixtures, and the promise that a test run speaks to no running server.

It is loaded with pytest itself: nothing of the package is imported before a fixture is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from realtime_wall.testing.in_process import Realtime
    from realtime_wall.testing.live_server import ServedSite

OPTION = "realtime_wall_isolated"


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "tests speak to no running server of the site, and to no Redis"
    parser.addini(OPTION, text, type="bool", default=True)


def pytest_configure(config: pytest.Config) -> None:
    global is_isolated
    is_isolated = bool(config.getini(OPTION))


is_isolated = False  # also without pytest-django; asked by realtime_wall/control/isolation.py


@pytest.fixture
def realtime() -> Iterator[Realtime]:
    """The live site in this process: docs/howto/testing.rst."""
    from realtime_wall.testing.in_process import Realtime

    with Realtime() as site:
        yield site


@pytest.fixture
def realtime_server(request: pytest.FixtureRequest) -> Iterator[ServedSite]:
    """The live site on a port, at ``realtime_server.url``."""
    from django.test.utils import modify_settings

    from realtime_wall.testing.live_server import running_server

    with contextlib.suppress(pytest.FixtureLookupError):  # without pytest-django
        request.getfixturevalue("transactional_db")
    with modify_settings(ALLOWED_HOSTS={"append": "localhost"}), running_server() as site:
        yield site
