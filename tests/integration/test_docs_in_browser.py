"""Somebody follows the docs, in an empty folder, and gets what they promise."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.live import ROOT, LiveServer

pytestmark = pytest.mark.browser

BLOCK = re.compile(r"^\.\. code-block:: \w+\n\n((?:    .*\n|\n)+)", re.M)
FILE = re.compile(r"(?:#|//|\{#) ([\w/.]+\.\w+)")


def blocks(text):
    return [re.sub(r"^    ", "", block, flags=re.M).rstrip() + "\n" for block in BLOCK.findall(text)]


def django(folder, *arguments):
    subprocess.run([sys.executable, "-m", "django", *arguments], cwd=folder, check=True, timeout=60)


def write(folder, block):
    """A file that Django has made already grows; any other is made."""
    path = folder / FILE.match(block)[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        file.write("\n" + block if path.exists() and path.stat().st_size else block)


def site_by(page, folder):
    """A server of the site that a page's blocks make in an empty folder; and its last command, in a shell."""
    first, *files, last, shell = blocks((ROOT / page).read_text())
    assert first.splitlines() == [
        "pip install realtime-wall",
        "django-admin startproject mysite",
        "cd mysite",
        "python manage.py startapp chat",
    ]
    assert last == "python manage.py migrate\npython manage.py rungevent\n"
    django(folder, "startproject", "mysite")
    server = LiveServer(project=folder / "mysite")
    assert server.manage("startapp", "chat").returncode == 0
    for block in files:
        write(server.project, block)
    assert server.manage("migrate").returncode == 0
    (command,) = re.findall(r'^python manage.py shell -c "(.*)"$', shell, re.M)
    return server, command


@pytest.mark.parametrize("page", ["README.rst", "docs/start/chat.rst"])
def test_the_chat_of_the_docs_talks_between_two_tabs(page, visitors, tmp_path):
    server, command = site_by(page, tmp_path)

    with server:
        ada = visitors.tab(f"{server.url}?name=Ada")
        grace = visitors.tab(f"{server.url}?name=Grace")
        expect(ada.locator("li").last).to_have_text("Grace came in")
        for page, text in ((ada, "Hello <b>you</b>"), (grace, "Hello Ada")):
            page.get_by_label("Message").fill(text)
            page.get_by_role("button", name="Send").click()
            for other in (ada, grace):
                expect(other.locator("li").last).to_contain_text(text)
        done = server.manage("shell", "-c", command)
        assert done.returncode == 0, done.stderr
        expect(grace.locator("li").last).to_have_text("Lunch is ready")
        grace.close()
        expect(ada.locator("li").last).to_have_text("Grace left")

        assert ada.locator("li").all_inner_texts() == [
            "Ada came in",
            "Grace came in",
            "Ada: Hello <b>you</b>",
            "Grace: Hello Ada",
            "Lunch is ready",
            "Grace left",
        ]


def test_the_last_command_of_the_readme_needs_nobody_to_listen(tmp_path):
    server, command = site_by("README.rst", tmp_path)

    with server:
        done = server.manage("shell", "-c", command)

        assert (done.returncode, done.stderr) == (0, "")


def test_a_site_with_the_wall_of_the_docs_shows_posts(visitors, tmp_path):
    page = (ROOT / "docs/howto/wall.rst").read_text()
    *files, commands = blocks(page[page.index("Three steps") : page.index("Settings\n---")])
    assert commands == "python manage.py migrate\npython manage.py rungevent\n"
    (own_page,) = [block for block in blocks(page) if "realtime_wall_wall/wall.html" in block]
    django(tmp_path, "startproject", "mysite", ".")
    for block in files:
        write(tmp_path / "mysite", block)
    with (tmp_path / "mysite/settings.py").open("a") as settings:
        settings.write('\nTEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]\n')
    write(tmp_path, own_page)
    server = LiveServer(project=tmp_path)
    assert server.manage("migrate").returncode == 0

    with server:
        wall = visitors.tab(f"{server.url}wall/")
        wall.locator(".wall-card").first.wait_for()

        expect(wall.locator(".wall-status")).to_have_text("live")
        assert wall.locator("head link[href$='our-colours.css']").count() == 1
