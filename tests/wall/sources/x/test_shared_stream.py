import gevent
import pytest

from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.x.recent_search import Search
from realtime_wall.wall.sources.x.shared_stream import VISITORS, SharedStream, XShare
from realtime_wall.wall.sources.x.stream import TAG, XStreamSource
from tests.fake_x import FakeX, refuse
from tests.wall.fakes import DEADLINE, x_line, x_sensitive_line
from tests.wall.sources.contract import Harness, Run, SourceContract


class ShareHarness(Harness):
    def __init__(self, clock):
        super().__init__(clock)
        self.token = "token"
        self.x = FakeX(clock=clock)
        self.x.script = [self.x.open_stream] * 100
        self._edits = 1000
        self.stream = SharedStream(
            lambda connected: XStreamSource(
                self.token,
                tag=TAG,
                base_url=self.x.url,
                stall=3.0,
                clock=clock,
                backoff=ReconnectBackoff(jitter=lambda: 0.0),
                on_connected=connected,
            )
        )

    def __enter__(self):
        self.x.__enter__()
        return self

    def __exit__(self, *problem):
        for queue in list(self.x.live):
            queue.put(None)
        self.x.__exit__(*problem)

    def source(self, cursor="", wall="main", rules=("#tides",)):
        search = Search(self.token, rules, base_url=self.x.url)
        return XShare(self.stream, wall, rules, search, cursor=cursor, clock=self.clock)

    def post(self, number, text, **fields):
        line = x_line(number, text.replace("&", "&amp;").replace("<", "&lt;")) | fields
        self.x.found.append(line)
        self.x.tell(line)

    def post_sensitive(self, number, text):
        self.x.tell(x_sensitive_line(number, text))

    def wait_until_heard(self):
        wait_for(lambda: self.x.live)

    def wait_until_deaf(self):
        """A server sees that a client is gone when it writes."""
        wait_for(lambda: self.x.tell(b"\r\n") or not self.x.live)

    def skipped(self, source):
        return self.stream._source.skipped

    def edit(self, number, text):
        self._edits += 1
        self.x.tell(x_line(self._edits, text, edit_history_tweet_ids=[number, str(self._edits)]))

    def poison(self):
        self.x.tell(b"{not json\r\n")

    def cut(self):
        for queue in list(self.x.live):
            queue.put(None)
        dials = len(self.x.dials)
        wait_for(lambda: len(self.x.dials) > dials)

    def server_error(self):
        self.x.script.insert(0, refuse(503))
        self.cut()

    def rate_limit(self):
        self.x.script.insert(0, refuse(429))
        self.cut()

    def forbid(self):
        self.token = "wrong"


class TestX(SourceContract):
    harness = ShareHarness
    deletions = False  # X tells them to enterprises only


@pytest.fixture
def world(clock):
    with ShareHarness(clock) as harness:
        yield harness


@pytest.fixture
def run(clock):
    runs = []

    def start(source):
        runs.append(Run(source, clock))
        return runs[-1]

    yield start
    for each in runs:
        each.stop()


def tagged(number, *tags):
    return x_line(number) | {"matching_rules": [{"id": "1", "tag": tag} for tag in tags]}


def rules_at(x):
    return sorted((rule["tag"], rule["value"]) for rule in x.rules)


def wait_for(condition):
    with gevent.Timeout(DEADLINE):
        while not condition():
            gevent.sleep(0.005)


def ids(run_):
    return [post.id for post in run_.posts]


def test_walls_share_one_connection_and_each_gets_what_it_asked_for(world, run):
    main = run(world.source(wall="main", rules=["#tides", "#gulls"]))
    hall = run(world.source(wall="hall", rules=["#gulls"]))
    world.wait_until_heard()
    wait_for(lambda: len(world.x.rules) == 2 and "hall+main" in str(world.x.rules))

    world.x.tell(tagged(1, "realtime_wall:main"))
    world.x.tell(tagged(2, "realtime_wall:hall+main"))
    world.x.tell(tagged(3, "realtime_wall:hall"))
    main.wait_for(2)
    hall.wait_for(2)

    assert (ids(main), ids(hall)) == (["1", "2"], ["2", "3"])
    assert rules_at(world.x) == [("realtime_wall:hall+main", "#gulls"), ("realtime_wall:main", "#tides")]
    assert len(world.x.dials) == 1


def test_rules_are_changed_while_the_stream_goes_on(world, run):
    main = run(world.source(rules=["#tides"]))
    world.wait_until_heard()

    main.source.ask_for(["#gulls"])

    wait_for(lambda: rules_at(world.x) == [("realtime_wall:main", "#gulls")])
    assert len(world.x.dials) == 1


def test_rules_that_cannot_be_changed_are_tried_again(world, run):
    main = run(world.source(rules=["#tides"]))
    world.wait_until_heard()
    world.x.rules_script = [(503, {}), (503, {})]

    main.source.ask_for(["#gulls"])

    wait_for(lambda: rules_at(world.x) == [("realtime_wall:main", "#gulls")])


def test_the_first_changes_come_after_a_second_and_no_quarter_of_an_hour_sees_too_many(world, run, clock):
    main = run(world.source(rules=["#tides"]))
    world.wait_until_heard()
    clock.waits.clear()
    for number in range(12):
        main.source.ask_for([f"#word{number}"])
        wait_for(lambda number=number: rules_at(world.x) == [("realtime_wall:main", f"#word{number}")])

    assert clock.waits == [1.0] * 10 + [13.5, 22.5]


def test_where_x_wants_no_more_changes_they_wait_for_as_long_as_it_says(world, run, clock):
    main = run(world.source(rules=["#tides"]))
    world.wait_until_heard()
    clock.waits.clear()
    reset = int(clock.now()) + 300
    world.x.rules_script = [(429, {}, {"x-rate-limit-reset": reset})]

    main.source.ask_for(["#gulls"])

    wait_for(lambda: rules_at(world.x) == [("realtime_wall:main", "#gulls")])
    assert clock.waits == [1.0, reset + 1 - clock.start - 1.0]


def test_the_stream_ends_with_its_last_share_and_begins_with_the_next(world, run):
    main, hall = run(world.source(wall="main")), run(world.source(wall="hall"))
    world.wait_until_heard()
    main.stop()
    wait_for(lambda: rules_at(world.x) == [("realtime_wall:hall", "#tides")])
    assert len(world.x.dials) == 1

    hall.stop()
    world.wait_until_deaf()
    run(world.source(wall="main"))

    world.x.wait_for_dials(2)


def test_what_somebody_elses_rule_asked_for_is_on_every_wall_and_not_for_visitors(world, run):
    main, visitors = run(world.source()), run(world.source(wall=VISITORS, rules=["#crabs"]))
    world.wait_until_heard()

    world.x.tell(tagged(1, "of another program"))
    world.x.tell(x_line(2) | {"matching_rules": []})
    world.x.tell(tagged(3, f"realtime_wall:{VISITORS}"))
    main.wait_for(2)
    visitors.wait_for(1)

    assert (ids(main), ids(visitors)) == (["1", "2"], ["3"])


def test_each_wall_searches_for_what_it_missed(world, run):
    main = run(world.source())
    world.wait_until_heard()
    world.post("5", "before")
    main.wait_for(1)
    world.x.found = [x_line(4, "known"), x_line(6, "missed"), x_line(7, "missed, too")]

    world.cut()
    main.wait_for(3)

    assert ids(main) == ["5", "6", "7"]
    assert world.x.searches[0]["since_id"] == "5"


def test_a_hole_is_searched_for_up_to_where_the_stream_went_on(world, run):
    """X begins with the newest: a busy stream would push the hole out of what is read."""
    main = run(world.source(cursor="5"))
    asked = gevent.event.Event()

    def hang(connection):
        asked.wait()
        refuse(503)(connection)

    world.x.search_script = [hang]
    world.wait_until_heard()
    wait_for(lambda: world.x.searches)
    world.x.found = [x_line(number) for number in (6, 7, 8, 9)]
    world.x.tell(x_line(8))
    main.wait_for(1)
    asked.set()
    main.wait_for(3)

    assert world.x.searches[1]["until_id"] == "8"
    assert ids(main) == ["8", "6", "7"]


def test_a_search_that_fails_is_tried_again(world, run):
    main = run(world.source(cursor="5"))
    world.x.search_script = [refuse(503), refuse(429), lambda connection: None]
    world.x.found = [x_line(6, "missed")]
    main.wait_for(1)

    assert ids(main) == ["6"]


def test_until_a_hole_is_filled_whoever_takes_over_begins_before_it(world, run):
    main = run(world.source(cursor="5"))
    world.x.search_script = [lambda connection: connection.recv(1)]
    world.wait_until_heard()
    world.x.tell(x_line(9))
    main.wait_for(1)

    assert main.cursor == ""


def test_at_the_very_beginning_nothing_is_searched_for(world, run):
    main = run(world.source())
    world.wait_until_heard()
    world.post("1", "first")
    main.wait_for(1)

    assert world.x.searches == []
    assert main.cursor == "1"


def test_a_refused_token_ends_every_share(world, run, caplog):
    world.token = "wrong"
    main, hall = run(world.source()), run(world.source(wall="hall"))

    main.greenlet.join(timeout=DEADLINE)
    hall.greenlet.join(timeout=DEADLINE)

    assert caplog.text.count("the bearer token is wrong") == 2
