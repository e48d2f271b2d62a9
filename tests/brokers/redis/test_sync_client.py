"""Celery, gunicorn, cron: processes that are no servers publish through Redis, and need nothing else."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import proposal
from realtime_wall.brokers.redis.sync_client import SyncClient
from realtime_wall.config import Config
from realtime_wall.errors import BrokerUnreachable, PublishFailed
from tests.brokers.links import cluster_through
from tests.brokers.members import say, some_rules
from tests.live import wait_for
from tests.redis_server import RedisServer, free_port

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def redis():
    with RedisServer("--appendfsync", "no") as server:
        yield server


@pytest.fixture
def cluster(redis):
    made = cluster_through(redis)
    yield made
    made.end()


def a_message(text, **more):
    return Publish(channel="news", data_json=json.dumps(text), **more)


def test_what_was_published_while_no_server_ran_is_there_when_one_comes(cluster):
    outsider = cluster.outsider()

    places = [say(outsider, a_message(number)).position for number in range(3)]
    assert outsider.servers() == ()
    link, member = cluster.server()

    assert outsider.servers() == (link.address,)
    assert [one.position for one in member.replica.newest("news", 9)] == places


# As in a shell: no gevent anywhere. The parent, a fork of it and threads publish through one link.
PROGRAM = """
import json, os, sys, threading
from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import proposal
from realtime_wall.brokers.redis.sync_client import SyncClient
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config

link = SyncClient(Config(broker=sys.argv[1], broker_prefix=sys.argv[2]), Rules({}))

def publish(who):
    for number in range(20):
        what = Publish(channel="news", data_json=json.dumps(f"{who}.{number}"))
        assert link.sequence(proposal(what, link.address)).is_new

publish("before")
child = os.fork()
publish("child" if child == 0 else "parent")
threads = [threading.Thread(target=publish, args=(f"{os.getpid()}.{n}",)) for n in range(4)]
for one in threads: one.start()
for one in threads: one.join()
assert "gevent" not in sys.modules or not __import__("gevent.monkey").monkey.is_module_patched("socket")
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def test_threads_and_forks_publish_without_gevent(redis, cluster):
    _, member = cluster.server()
    prefix = cluster.kind.settings["broker_prefix"]

    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM, redis.url, prefix]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    member.has(20 * 11)
    assert len(set(member.texts)) == len(member.entries) == 20 * 11


def test_who_asks_hears_the_answers_in_an_inbox_of_its_own(cluster):
    link, member = cluster.server()
    outsider = cluster.outsider()
    link.send(outsider.address, {"before": "the question"})
    wait_for(lambda: outsider.inbox()._last != b"0-0", "the note of before")

    inbox = outsider.inbox()
    outsider.send(link.address, {"call": 1})
    wait_for(lambda: member.envelopes == [{"call": 1}], "the question")
    for number in range(3):
        link.send(outsider.address, {"reply": number})
    heard = []
    while len(heard) < 3:
        heard += inbox.receive(5)

    assert heard == [{"reply": 0}, {"reply": 1}, {"reply": 2}]
    assert inbox.receive(0.01) == []


def test_each_thread_hears_all_notes(cluster):
    link, _ = cluster.server()
    outsider = cluster.outsider()
    inboxes = [outsider.inbox() for _ in range(3)]
    heard = [[] for _ in inboxes]

    def listen(number):
        while not heard[number]:
            heard[number] += inboxes[number].receive(1)

    threads = [threading.Thread(target=listen, args=(number,)) for number in range(3)]
    for one in threads:
        one.start()
    link.send(outsider.address, {"reply": 1})
    for one in threads:
        one.join(20)

    assert heard == [[{"reply": 1}]] * 3


def test_rubbish_in_an_inbox_is_left_out(redis, cluster):
    outsider = cluster.outsider()
    inbox = outsider.inbox()
    for value in (b"\xff", b"[1]", b"[" * 100_000):
        redis.client.xadd(inbox._key, {"n": value})
    redis.client.xadd(inbox._key, {"else": "1"})
    redis.client.xadd(inbox._key, {"n": '{"reply": 0}'})  # not signed
    sealed = outsider._codec.signatures.sealed(outsider.address, '{"reply": 1}')
    redis.client.xadd(inbox._key, {"n": sealed})

    assert inbox.receive(5) == [{"reply": 1}]


def test_without_redis_publishing_fails_and_questions_say_why():
    settings = {"broker": f"redis://ada:secret@127.0.0.1:{free_port()}/0", "publish_timeout": 0.5}
    link = SyncClient(Config(**settings), some_rules())

    with pytest.raises(PublishFailed, match=r"did not confirm it in 0\.5 s: .*refused") as failed:
        link.sequence(proposal(a_message("a"), link.address))
    for ask in (link.top, link.servers, link.inbox):
        with pytest.raises(BrokerUnreachable, match="refused"):
            ask()
    assert "secret" not in str(failed.value)


def test_a_refusal_is_raised_at_once(redis, cluster):
    outsider = cluster.outsider()
    say(outsider, a_message("a"))
    redis.client.config_set("min-replicas-to-write", 3)
    try:
        with pytest.raises(PublishFailed, match="NOREPLICAS"):
            say(outsider, a_message("b"))
    finally:
        redis.client.config_set("min-replicas-to-write", 0)


def test_a_password_that_is_wrong_is_a_refusal(redis, cluster):
    redis.client.execute_command("ACL", "SETUSER", "ada", "on", ">secret", "~*", "+@all")
    url = redis.url.replace("//", "//ada:wrong@")
    link = SyncClient(Config(broker=url), some_rules())

    with pytest.raises(PublishFailed, match="refused it: .*WRONGPASS|invalid username-password") as failed:
        say(link, a_message("a"))
    assert "wrong@" not in str(failed.value)


def test_scripts_that_are_flushed_are_told_again(redis, cluster):
    outsider = cluster.outsider()
    say(outsider, a_message("a"))
    redis.client.script_flush()

    assert say(outsider, a_message("b")).position.offset == 2
