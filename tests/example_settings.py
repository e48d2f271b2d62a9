"""The settings of an example, with a database and a bus of a test's own."""

import json
import os

from project.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.quick_hasher.QuickHasher"]
_example = globals()
REALTIME_WALL = _example.get("REALTIME_WALL", {}) | json.loads(os.environ["SITE_REALTIME_WALL"])
if "DATABASES" in _example:
    _example["DATABASES"]["default"]["NAME"] = os.environ["SITE_DATABASE"]
