"""A database in a file: the feed writes in a thread, which cannot see one in this thread's memory."""

import contextlib

from django.db import connections


@contextlib.contextmanager
def file_database(path):
    """Make the default database this SQLite file, for every thread and greenlet."""
    # One dict for all of them: the threads of gevent's pool keep their connection objects over tests.
    settings = connections.settings["default"]
    before, ours = dict(settings), connections["default"]
    settings |= {"NAME": str(path), "OPTIONS": {"timeout": 0.05}}
    del connections["default"]
    try:
        yield path
    finally:
        connections["default"].close()
        settings |= before
        connections["default"] = ours
