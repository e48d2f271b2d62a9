import shutil

import pytest
from django.core.management import call_command

from tests.wall.databases import file_database
from tests.wall.fakes import FakeClock, RecordingPublisher


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """An empty database with all tables, to be copied."""
    with file_database(tmp_path_factory.mktemp("database") / "migrated.sqlite3") as path:
        call_command("migrate", verbosity=0)
    return path


@pytest.fixture
def database(migrated, tmp_path):
    with file_database(shutil.copy(migrated, tmp_path / "wall.sqlite3")) as path:
        yield path


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def publisher():
    return RecordingPublisher()
