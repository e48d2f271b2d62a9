"""docs/howto/testing.rst, followed in a new project whose server runs: it passes, and no page hears it."""

import re
import subprocess
import sys

import pytest
from django.core.management import call_command

from tests.integration.test_docs_in_browser import blocks, write
from tests.live import ROOT, LiveServer

CHAT, HOWTO = ROOT / "docs/start/chat.rst", ROOT / "docs/howto/testing.rst"
TESTED = ROOT / "docs/start/chat-tested.rst"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The chat of the docs, with the tests of the docs."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "chat").mkdir()
    call_command("startproject", "mysite", folder)
    call_command("startapp", "chat", folder / "chat")
    server = LiveServer(project=folder)
    tutorial = blocks(TESTED.read_text())[:1]
    for block in [*blocks(CHAT.read_text())[1:-2], *blocks(HOWTO.read_text()), *tutorial]:
        write(server.project, block)
    with server:
        yield server


@pytest.fixture
def page(server):
    """A page that somebody has open."""
    with server.client() as page:
        page.subscribe("lobby")
        yield page


def run(server, *command):
    environment = {**server.environment, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "mysite.settings"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=server.project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )


def hears_nothing(page):
    """What is asked last is answered first."""
    return page.ask("say", "not in yet") is False


def test_the_tests_of_the_docs_pass_under_pytest_and_no_page_hears_them(server, page):
    # The plug-in is named for a machine where the package was installed before it had one.
    plugin = ["-p", "realtime_wall.testing.pytest_plugin"]

    done = run(server, "-m", "pytest", "-q", "-W", "error", "-p", "no:randomly", *plugin)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"(\d+) passed", done.stdout)[1] == "6"
    assert hears_nothing(page)


def test_the_tests_of_the_docs_pass_under_django_and_no_page_hears_them(server, page):
    done = run(server, "-W", "error", "manage.py", "test")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ran 8 tests" in done.stderr
    assert hears_nothing(page)


def test_the_first_test_has_ten_lines():
    (block,) = [one for one in blocks(HOWTO.read_text()) if one.startswith("# chat/test_chat.py")]
    first = block.split("\n\n\n")[0].splitlines()[1:]

    assert len(first) <= 10
