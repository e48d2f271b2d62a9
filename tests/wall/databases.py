"""A database in a file: the feed writes in a thread, which cannot see one in this thread's memory."""

import contextlib

from django.db import connections


@contextlib.contextmanager
def file_database(path):
    """Make the default database this SQLite file, for every thread and greenlet."""
    before, ours = connections.settings["default"], connections["default"]
    connections.settings["default"] = before | {"NAME": str(path), "OPTIONS": {"timeout": 0.05}}
    del connections["default"]
    try:
        yield path
    finally:
        connections["default"].close()
        connections.settings["default"] = before
        connections["default"] = ours
