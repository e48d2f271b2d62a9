import pytest
from django.core.management import call_command

from tests.wall.databases import file_database


@pytest.fixture
def database(tmp_path):
    with file_database(tmp_path / "outbox.sqlite3") as path:
        call_command("migrate", "realtime_wall_outbox", verbosity=0)
        yield path
