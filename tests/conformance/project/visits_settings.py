"""For the tests with clients from npm and PyPI: settings come from the environment as JSON."""

import json
import os

from conformance_settings import *  # noqa: F403

INSTALLED_APPS = ["realtime_wall", "visits"]
REALTIME_WALL = json.loads(os.environ.get("SITE_REALTIME_WALL", "{}"))
if "SOCKETIO_ADMIN" in REALTIME_WALL:
    INSTALLED_APPS.append("realtime_wall.socketio_admin")
