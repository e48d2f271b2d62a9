"""Channels in a real browser: an EventSource, the frame of push stream's client, and no WebSocket at all."""

import pytest
import requests

from tests.browser import keys_of as keys
from tests.browser import posts_of_today, wait_until_live, wait_until_shown
from tests.live import PATIENCE, LiveServer

pytestmark = pytest.mark.browser

# As behind a proxy that lets no WebSocket through.
NO_WEBSOCKETS = """
    Math.random = () => 0.1;
    window.WebSocket = class {
        constructor() { setTimeout(() => this.onclose({code: 1006, reason: ""})); }
        close() {}
    };
"""
NO_EVENT_SOURCES = """
    window.EventSource = class {
        constructor() { setTimeout(() => this.onerror({})); }
        close() {}
    };
"""


@pytest.mark.parametrize("script", [NO_WEBSOCKETS, NO_WEBSOCKETS + NO_EVENT_SOURCES], ids=["ws", "ws and es"])
def test_the_wall_fills_where_a_proxy_lets_less_through(wall_server, visitors, shell, script):
    server = wall_server(SOURCES=[])
    manager = shell(server)
    before, live, after = posts_of_today(3, seconds=5)
    manager.post(before)
    page = visitors.tab(server.url, script=script)
    wait_until_live(page)

    manager.post(live)
    wait_until_shown(page, keys(before, live))
    manager.post(after)
    wait_until_shown(page, keys(before, live, after))


@pytest.fixture(scope="module")
def site():
    with LiveServer() as running:
        yield running
        assert "Traceback" not in running.output


def publish(server, channel, text, **query):
    address = f"{server.url}publish/"
    assert requests.post(address, params={"channel": channel, **query}, data=text, timeout=PATIENCE).ok


LISTEN = """
    window.heard = [];
    window.source = new EventSource("/events/ev/news.b1");
    source.onopen = () => (window.isOpen = true);
    source.onmessage = (event) => heard.push(JSON.parse(event.data).text);
    source.addEventListener("said", (event) => heard.push("said " + JSON.parse(event.data).text));
"""


def test_an_event_source_comes_back_by_itself_and_misses_nothing(site, visitors):
    with LiveServer(settings={"CONNECTION_AGE": 1}) as server:
        publish(server, "news", "zero")
        page = visitors.tab(f"{server.url}hello/")
        page.evaluate(LISTEN)
        page.wait_for_function("() => heard.length === 1")
        for number in range(30):
            publish(server, "news", str(number), **({"event": "said"} if number % 2 else {}))
            page.wait_for_timeout(100)  # so that the connection ends between some of them
        page.wait_for_function("() => heard.length >= 31")
        heard = page.evaluate("heard")

    assert heard == ["zero", *(f"said {number}" if number % 2 else str(number) for number in range(30))]


# What pushstream.js gives the page in its frame.
PARENT = """
    window.heard = [];
    const wrapper = {register: (frame) => (frame.p = (...told) => heard.push(told))};
    window.PushStream = {register: () => {}};
    window.PushStreamManager = [{wrapper}];
    const frame = document.createElement("iframe");
    frame.src = "/events/sub/news?streamid=";
    document.body.append(frame);
"""


def test_a_frame_calls_its_page_for_each_message_and_runs_nothing_of_a_strangers(site, visitors):
    page = visitors.tab(f"{site.url}hello/")
    page.evaluate(PARENT)
    page.wait_for_function("() => !!document.querySelector('iframe').contentWindow.p")
    hostile = "</script><script>alert(1)</script>"
    publish(site, "news", hostile, event_id=hostile)
    page.wait_for_function("() => heard.length === 1")

    id, channel, text, event_id, *_ = page.evaluate("heard[0]")
    assert (id, channel, text, event_id) == (1, "news", hostile, hostile)
