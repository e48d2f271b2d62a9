import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path():
    """A short one: the path of a Unix socket has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="rw") as path:
        yield Path(path)
