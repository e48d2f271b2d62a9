"""``manage.py realtime``: what a shell, a script and cron can do."""

import json
import select
import signal
import subprocess
import sys

import pytest

from tests.live import PATIENCE, SITE, LiveServer, wait_for


@pytest.fixture(scope="module")
def server():
    with LiveServer() as running:
        yield running
        assert "Traceback" not in running.output


def run(server, *arguments, **kwargs):
    result = server.manage("realtime", *arguments, **kwargs)
    assert result.returncode == 0, result.stderr
    return result.stdout


class Tail:
    """The command while it runs."""

    def __init__(self, server, *arguments, action="tail"):
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "realtime", action, *arguments],
            cwd=SITE,
            env=server.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read(self):
        return json.loads(self.process.stdout.readline())

    def is_speaking(self, seconds):
        """Whether it says something within so many seconds."""
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        rest, problem = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, rest, problem

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def test_publish_says_where_the_message_is(server):
    with server.client() as client:
        client.subscribe("news")

        said = run(server, "publish", "news", "hello", "--event", "said", "--event-id", "seven")

        heard = client.read()
        assert (heard["type"], heard["message"]) == ("said", "hello")
        assert said == f"Published at {heard['cursor']}\n"


def test_publish_takes_json_from_a_pipe_and_says_it_once(server):
    with server.client() as client:
        client.subscribe("piped")

        for _ in range(2):
            run(server, "publish", "piped", "-", "--json", "--idempotency-key", "k1", input='{"n": 1}\n')
        run(server, "publish", "piped", "over")

        assert [client.read()["message"] for _ in range(2)] == [{"n": 1}, "over"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["publish", "a/b", "x"], "CommandError: channel 'a/b': a name has no '/' and no '*'"),
        (["publish", "a", "{", "--json"], "CommandError: the message is no JSON"),
        (["publish", "a", "x", "--event", "gap"], "CommandError: event name 'gap' gap is reserved"),
        (["tail", "--last", "1001"], "CommandError: --last has to be a number up to 1000"),
    ],
)
def test_what_cannot_be_done_is_one_line(server, arguments, sentence):
    result = server.manage("realtime", *arguments)

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(sentence)


@pytest.mark.parametrize("action", [["publish", "a", "x"], ["tail"], ["stats"]])
def test_without_a_server_it_is_one_line(action):
    never_started = LiveServer()
    result = never_started.manage("realtime", *action)
    never_started.directory.cleanup()

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("CommandError: no running server found in ")


def test_tail_begins_with_the_last_messages_and_follows(server):
    for text in ("one", "two", "three"):
        run(server, "publish", "tail.a", text)
    with Tail(server, "tail*", "--last", "2") as tail:
        assert [tail.read()["data"] for _ in range(2)] == ["two", "three"]

        run(server, "publish", "elsewhere", "unheard")
        run(server, "publish", "tail.b", '{"grüezi": 1}', "--json", "--event", "said", "--event-id", "seven")

        heard = tail.read()
        assert heard.pop("cursor").rpartition(":")[2].isdigit()
        assert heard.pop("time").endswith("+00:00")
        assert heard == {
            **{"channel": "tail.b", "id": 1, "data": {"grüezi": 1}},
            **{"event": "said", "event_id": "seven"},
        }
        assert tail.end() == (0, "", "")


def test_tail_ends_with_the_server_and_the_server_forgets_who_has_gone():
    with LiveServer() as server, Tail(server, "a", "--last", "1") as stays:
        run(server, "publish", "a", "hello")
        assert stays.read()["data"] == "hello"

        server.stop()

        assert stays.wait() == (1, "", "CommandError: the server has ended\n")


def test_tail_ends_quietly_when_its_reader_has_seen_enough(server):
    run(server, "publish", "head", "hello")
    with Tail(server, "head", "--last", "1") as tail:
        tail.read()
        tail.process.stdout.close()

        def has_ended():
            run(server, "publish", "head", "hello")
            return tail.process.poll() is not None

        wait_for(has_ended)
        assert (tail.process.returncode, tail.process.stderr.read()) == (0, "")
        tail.process.stdout = None


def test_stats_tell_people_and_programs(server):
    run(server, "publish", "counted.a", "hello")

    assert run(server, "stats", "counted.a") == (
        "channel: counted.a\npublished_messages: 1\nstored_messages: 1\nactive_subscribers: 0\n"
    )
    told = json.loads(run(server, "stats", "counted*", "--json"))
    assert [one["channel"] for one in told["infos"]] == ["counted.a"]
    assert json.loads(run(server, "stats", "--json"))["by_worker"][0]["pid"] == str(server.process.pid)
    assert "channel: counted.a\n" in run(server, "stats", "ALL")


def test_what_was_recorded_is_replayed(server, tmp_path):
    file = tmp_path / "concert.jsonl"
    with Tail(server, "concert*", action="record") as record:
        while not record.is_speaking(0.2):
            run(server, "publish", "concert.a", "is this on?")
        run(server, "publish", "concert.a", "one", "--event", "said")
        run(server, "publish", "concert.b", '{"two": 2}', "--json", "--event", "said")
        lines = [record.read()]
        while lines[-1]["data"] != {"two": 2}:
            lines.append(record.read())
        record.end()
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    said = run(server, "replay", str(file), "--speed", "1000", "--channel", "again")
    with Tail(server, "again", "--last", "1000") as tail:
        heard = [tail.read() for _ in lines]

    assert said == f"Published {len(lines)} messages\n"
    assert [(one["data"], one["event"]) for one in heard] == [(one["data"], one["event"]) for one in lines]


def test_a_file_that_is_no_recording_is_refused_in_one_line(server, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("dear diary\n")
    result = server.manage("realtime", "replay", str(file))

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "line 1 is not of a recording" in result.stderr
