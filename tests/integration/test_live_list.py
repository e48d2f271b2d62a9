"""The live list of the docs, built as its page says and looked at in a browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import PHONE, RETURNS_SOON
from tests.integration.test_docs_in_browser import blocks, django, write
from tests.live import ROOT, LiveServer

pytestmark = pytest.mark.browser

SETTINGS = """
INSTALLED_APPS += ["realtime_wall", "talks"]
STATIC_URL = "static/"
"""
URLS = """
from django.urls import include

urlpatterns += [path("", include("realtime_wall.urls"))]
"""


@pytest.fixture
def site(tmp_path):
    django(tmp_path, "startproject", "mysite", ".")
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks/__init__.py").touch()
    for name, text in (("settings", SETTINGS), ("urls", URLS)):
        with (tmp_path / f"mysite/{name}.py").open("a") as file:
            file.write(text)
    for block in blocks((ROOT / "docs/howto/live-list.rst").read_text()):
        write(tmp_path, block)
    server = LiveServer(project=tmp_path)
    for command in (["makemigrations", "talks"], ["migrate"]):
        done = server.manage(*command)
        assert done.returncode == 0, done.stderr
    with server:
        yield server
        assert "Traceback" not in server.output


def shell(site, code):
    done = site.manage("shell", "-c", f"from talks.models import Talk\n{code}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def add(site, *titles):
    shell(site, f"for title in {titles!r}: Talk.objects.create(title=title)")


def read_to_the_end(page):
    page.wait_for_function(
        """() => {
            scrollTo(0, document.scrollingElement.scrollHeight);
            return document.querySelector("#end").hidden;
        }""",
        polling=50,
    )


def test_it_scrolls_to_its_end_and_shows_what_happens_meanwhile(site, visitors):
    add(site, *(f"Talk {number}" for number in range(90)))
    page = visitors.tab(f"{site.url}talks/", viewport=PHONE)
    lines = page.locator("#talks li")
    expect(lines.first).to_have_text("Talk 89")
    assert lines.count() < 90

    add(site, "<b>New</b>")
    expect(lines.first).to_have_text("<b>New</b>")
    shell(
        site,
        "for n in (88, 1): Talk.objects.get(title=f'Talk {n}').delete()\n"
        "for n in (87, 2):\n"
        "    talk = Talk.objects.get(title=f'Talk {n}')\n"
        "    talk.room = 'attic'\n"
        "    talk.save(update_fields=['room'])",
    )
    expect(lines.nth(2)).to_have_text("Talk 87 (attic)")
    read_to_the_end(page)

    assert lines.all_inner_texts() == [
        *("<b>New</b>", "Talk 89", "Talk 87 (attic)"),
        *(f"Talk {number}" for number in range(86, 2, -1)),
        *("Talk 2 (attic)", "Talk 0"),
    ]


def test_what_happens_while_a_page_is_on_its_way_is_not_undone_by_it(site, visitors):
    add(site, *(f"Talk {number}" for number in range(60)))
    page = visitors.tab(viewport=PHONE)
    held = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route(re.compile("/older/"), hold_the_first)
    page.goto(f"{site.url}talks/")
    page.evaluate("scrollTo(0, document.scrollingElement.scrollHeight)")
    page.wait_for_function("() => document.querySelectorAll('#talks li').length == 20")
    while not held:
        page.wait_for_timeout(10)
    shell(
        site,
        "Talk.objects.get(title='Talk 39').delete()\n"
        "talk = Talk.objects.get(title='Talk 38'); talk.title = 'changed'; talk.save()\n"
        "Talk.objects.create(title='last')",
    )
    expect(page.locator("#talks li").first).to_have_text("last")
    route, response = held[0]
    route.fulfill(response=response)
    read_to_the_end(page)

    assert page.locator("#talks li").all_inner_texts() == [
        *("last", *(f"Talk {number}" for number in range(59, 39, -1)), "changed"),
        *(f"Talk {number}" for number in range(37, -1, -1)),
    ]


def test_after_a_restart_it_shows_what_was_saved_meanwhile(site, visitors):
    add(site, "first")
    page = visitors.tab(f"{site.url}talks/", viewport=PHONE, script=RETURNS_SOON)
    expect(page.locator("#talks li")).to_have_count(1)
    site.stop()
    add(site, "without a server")
    site.command[1] = str(site.port)
    site.log = site.log.with_name("second")
    site.start()

    expect(page.locator("#talks li").first).to_have_text("without a server")
    assert page.locator("#talks li").all_inner_texts() == ["without a server", "first"]


def test_a_place_that_is_none_is_refused(site):
    places = ("", "x", "1" * 19, "%D9%A1", "7")
    answers = [site.get(f"/talks/older/?before={place}").status for place in places]

    assert answers == [400, 400, 400, 400, 200]
