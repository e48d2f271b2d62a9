"""The official client in a real browser, over each transport."""

import pytest

from tests.browser import Visitors, running_browser
from tests.conformance.clients import HERE

pytestmark = [pytest.mark.browser, pytest.mark.node]

CLIENT = HERE / "node_modules/socket.io-client/dist/socket.io.min.js"
# A page's own code, in a page of the site: connects, and keeps what happens.
CONNECT = """
transports => new Promise((resolve, reject) => {
  window.heard = [];
  window.socket = io({transports, reconnectionDelay: 20, reconnectionDelayMax: 50, query: {resume: RESUME}});
  socket.onAny((name, ...args) => heard.push([name, ...args]));
  socket.on("connect_error", (error) => reject(error));
  socket.once("connect", () => {
    const now = () => socket.io.engine.transport.name;
    if (now() === transports.at(-1)) resolve(now());
    else socket.io.engine.once("upgrade", () => resolve(now()));
  });
})
"""


@pytest.fixture(scope="module")
def browser(npm):
    with running_browser() as browser:
        yield browser


@pytest.fixture
def page(browser, server):
    """A page of the site, with the client in it."""
    visitors = Visitors(browser)
    page = visitors.tab(f"{server.url}health/")
    page.add_script_tag(path=CLIENT)
    yield page
    visitors.leave()
    assert visitors.complaints == []


def connect(page, transports, resume=0):
    return page.evaluate(CONNECT.replace("RESUME", str(resume)), transports)


def test_it_ends_up_on_the_best_transport_that_it_may_use(page, transports):
    assert connect(page, transports) == transports[-1]


def test_events_bytes_and_acknowledgements_go_both_ways(page, transports):
    connect(page, transports)

    assert page.evaluate("socket.emitWithAck('echo', 1, 'ü', {n: [null]})") == 1
    assert page.evaluate("new Promise(done => socket.emit('echo', 1, 'ü', (...all) => done(all)))") == [
        1,
        "ü",
    ]
    sent_back = """
      new Promise(done => {
        socket.once('back', (bytes, more) => done([...new Uint8Array(bytes), more]));
        socket.emit('back', new Uint8Array([0, 1, 255]).buffer, 'more');
      })
    """
    assert page.evaluate(sent_back) == [0, 1, 255, "more"]
    page.evaluate("socket.on('question', (n, answer) => answer(n + 1)); undefined")
    assert page.evaluate("socket.emitWithAck('call', 'question', 41)") == 42


def test_it_comes_back_after_a_cut_and_has_what_it_missed(page, control, transports):
    connect(page, transports, resume=1)
    page.evaluate("socket.emitWithAck('subscribe', 'chromium')")
    control.ask("publish", ["chromium", [1]])
    page.wait_for_function("() => heard.some(one => one[0] === 'news' && one[1] === 1)")

    control.ask("cut", page.evaluate("socket.id"))
    page.wait_for_function("() => socket.recovered")
    control.ask("publish", ["chromium", [2]])

    page.wait_for_function("() => heard.some(one => one[0] === 'news' && one[1] === 2)")
    assert page.evaluate("heard.filter(one => one[0] === 'news').map(one => one[1])") == [1, 2]
