"""A server whose database has its tables: made once for all tests of this process, and copied for each."""

import atexit
import shutil
import tempfile
from functools import cache

from tests.live import LiveServer


def with_tables(server):
    """The same, not started. One without them says so in its log, some time after its start."""
    shutil.copy(_migrated(), server.environment["SITE_DATABASE"])
    return server


@cache
def _migrated():
    folder = tempfile.mkdtemp(prefix="rw")
    atexit.register(shutil.rmtree, folder)
    server = LiveServer()
    server.environment["SITE_DATABASE"] = path = f"{folder}/db.sqlite3"
    done = server.manage("migrate", "-v0")
    server.directory.cleanup()
    assert done.returncode == 0, done.stderr
    return path
