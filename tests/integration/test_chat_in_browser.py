"""The chat between two tabs: the example's, and the one that docs/start/chat.rst builds."""

import re
import signal

import pytest
from playwright.sync_api import expect

from tests.browser import PHONE, RETURNS_SOON, ExampleServer, keep_picture

pytestmark = pytest.mark.browser

WINDOW = {"width": 900, "height": 640}


@pytest.fixture
def server():
    with ExampleServer("example_chat") as server:
        yield server


@pytest.fixture
def enter(server, visitors):
    """Somebody new comes in by the door."""

    def enter(name, room="lobby", **options):
        page = visitors.tab(server.url, script=RETURNS_SOON, **{"viewport": WINDOW, **options})
        page.get_by_label("Your name").fill(name)
        page.get_by_label("Room").fill(room)
        page.get_by_role("button", name="Enter").click()
        expect(notes(page).filter(has_text=f"{name} joined")).to_have_count(1)
        return page

    return enter


def say(page, text):
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()


def said(page):
    """Every line of the log, as (who, text); who is empty for a small line."""
    return page.locator("#log li").evaluate_all(
        """(lines) => lines.map((line) => {
            const text = line.querySelector("p");
            return text ? [line.querySelector("b").textContent, text.textContent] : ["", line.textContent];
        })"""
    )


def notes(page):
    return page.locator("#log .note")


def bubble(page, text):
    return page.locator("#log li", has=page.locator("p", has_text=text))


def is_delivered(page, text):
    expect(bubble(page, text)).to_have_class(re.compile(r"\bdelivered\b"))


def test_two_people_talk(enter):
    ada = enter("Ada")
    grace = enter("Grace", viewport=PHONE)
    expect(ada.locator("#people")).to_have_text("Ada, Grace")

    say(ada, "Is the tide table right?")
    is_delivered(ada, "tide table")
    expect(bubble(grace, "tide table")).to_be_visible()
    say(grace, "It is an hour off: nobody told it about summer.")
    is_delivered(grace, "hour off")
    expect(bubble(ada, "hour off")).to_be_visible()
    say(ada, "Then I move the regatta.")
    say(ada, "<img src=x onerror=alert(1)>")
    is_delivered(ada, "<img")
    expect(bubble(grace, "<img")).to_be_visible()

    talk = [
        ["Ada", "Is the tide table right?"],
        ["Grace", "It is an hour off: nobody told it about summer."],
        ["Ada", "Then I move the regatta."],
        ["Ada", "<img src=x onerror=alert(1)>"],
    ]
    assert said(ada) == [["", "Ada joined"], ["", "Grace joined"], *talk]
    assert said(grace) == [["", "Grace joined"], *talk]
    assert bubble(ada, "regatta").bounding_box()["x"] > bubble(ada, "hour off").bounding_box()["x"]
    assert bubble(grace, "tide table").get_attribute("class") == "theirs starts"
    assert bubble(grace, "<img").get_attribute("class") == "theirs follows"
    keep_picture(ada, "chat.png")
    keep_picture(grace, "chat-phone.png")

    grace.close()
    expect(notes(ada).last).to_have_text("Grace left")
    expect(ada.locator("#people")).to_have_text("Ada")


def test_what_is_said_in_a_room_stays_there(enter):
    ada, grace, kurt = enter("Ada"), enter("Grace"), enter("Kurt", room="harbour")

    say(ada, "only for the lobby")
    expect(bubble(grace, "only for the lobby")).to_be_visible()
    say(grace, "and back")
    expect(bubble(ada, "and back")).to_be_visible()
    say(kurt, "hello?")
    is_delivered(kurt, "hello?")

    assert said(kurt) == [["", "Kurt joined"], ["Kurt", "hello?"]]


def test_the_talk_goes_on_after_the_server_was_killed(server, enter):
    ada, grace = enter("Ada"), enter("Grace")

    server.stop(signal.SIGKILL)
    expect(ada.locator("#status")).to_have_text("connection lost")
    expect(grace.locator("#status")).to_have_text("connection lost")
    say(ada, "Does anybody hear me?")
    assert bubble(ada, "anybody").get_attribute("class") == "mine starts"
    server.start_again()

    # It has waited for the connection; whether Grace was back by then is another matter.
    is_delivered(ada, "anybody")
    for page in (ada, grace):
        expect(page.locator("#status")).to_have_text("")
        expect(notes(page).filter(has_text="Some messages were lost with the connection.")).to_have_count(1)
    say(grace, "Now I do.")
    expect(bubble(ada, "Now I do.")).to_be_visible()
    say(ada, "Welcome back!")
    expect(bubble(grace, "Welcome back!")).to_be_visible()
    keep_picture(ada, "chat-reconnected.png")
