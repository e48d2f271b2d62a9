"""From an empty folder to a live page of one's own with its test: ``manage.py realtime start``."""

import re
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from realtime_wall.management import start_app
from tests.live import ROOT, LiveServer

START = ROOT / "docs/start/first-page.rst"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """What the commands of the docs make, but for the one that installs."""
    folder = tmp_path_factory.mktemp("mysite")
    server = LiveServer(project=folder)
    (block,) = re.findall(r"code-block:: text\n\n((?:    .*\n)+)", START.read_text())
    install, project, echo, start, serve = [line.strip() for line in block.splitlines()]
    assert (install, serve) == ("pip install realtime-wall", "python manage.py rungevent")
    call_command(*project.removeprefix("django-admin ").split()[:2], folder)
    subprocess.run(["bash", "-c", echo], cwd=folder, check=True)
    made = server.manage(*start.removeprefix("python manage.py ").split())
    assert made.returncode == 0, made.stderr
    return server


def test_the_page_is_live(server):
    with server, server.client() as ada:
        page = server.get("/live/").body.decode()
        script = re.search(r'src="([^"]+page\.js)"', page)[1]
        assert server.get(script).status == 200
        assert "realtime_wall/realtime.js" in page and re.search(r'data-cursor="\w+:\d+"', page)
        ada.subscribe("live")
        assert ada.ask("live.say", "Hello") is True
        said = ada.read_until(lambda one: one["type"] == "said")

    assert said["message"] == "Hello"


def test_its_test_passes(server):
    done = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "test", "live"],
        cwd=server.project,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert (done.returncode, "Ran 2 tests" in done.stderr) == (0, True), done.stderr
    assert "Warning" not in done.stderr


def test_nothing_is_overwritten():
    with pytest.raises(CommandError, match="already"):
        start_app.start("realtime_wall", print)


def test_a_file_that_is_not_in_the_folder_is_left_alone():
    written = []

    start_app._append("json", "X = 1\n", written.append)

    assert written == ["Put this at the end of json:\nX = 1\n\n"]
