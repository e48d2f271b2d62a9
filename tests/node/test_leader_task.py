"""One server of all does it, says once what is wrong, and lets go of it when it ends."""

import pytest
from django.db import OperationalError

from realtime_wall import cluster, signals
from realtime_wall.node import leader_task
from realtime_wall.node.leader_task import LeaderTask
from tests.fakes import HeldLease, no_receivers, running_node
from tests.live import wait_for


class Task(LeaderTask):
    name = "digest"
    every = 0.01

    def __init__(self, node, lease):
        super().__init__(node, lease)
        self.looks = 0
        self.problem = None
        self.pause = None
        self.ended = []

    def look(self):
        self.looks += 1
        if self.problem:
            raise self.problem
        return self.pause

    def close(self):
        self.ended.append(self._lease.is_held)


@pytest.fixture
def node():
    with running_node() as node:
        yield node


@pytest.fixture
def start(node):
    started = []

    def start(lease):
        started.append(Task(node, lease))
        started[-1].start()
        return started[-1]

    yield start
    for task in started:
        task.stop()


def test_the_leader_looks_again_and_again_and_nobody_else(start):
    other = HeldLease()
    other.is_free = False
    idle, leader = start(other), start(HeldLease())

    wait_for(lambda: leader.looks > 2, "three looks")

    assert not idle.looks


def test_it_says_itself_when_to_look_again_and_can_be_woken(start):
    task = start(HeldLease())
    task.pause = 99.0
    wait_for(lambda: task.looks, "the first look")

    task.wake()

    wait_for(lambda: task.looks == 2, "the second one")


@pytest.mark.parametrize("problem", [OperationalError("no such table"), KeyError("id")])
def test_what_it_waits_for_is_said_once_however_long_it_lasts(problem, start, monkeypatch, caplog):
    monkeypatch.setattr(leader_task, "AFTER_A_PROBLEM", 0.01)
    task = start(HeldLease())
    task.problem = problem

    wait_for(lambda: task.looks > 5, "more looks")
    assert caplog.text.count(f"digest waits: {problem}") == 1
    assert ("Traceback" in caplog.text) is isinstance(problem, KeyError)
    task.problem = None
    wait_for(lambda: "digest goes on" in caplog.text, "the line that it goes on")


def test_what_it_has_begun_ends_before_another_server_may_begin(node):
    task = Task(node, HeldLease())
    task.start()
    assert task.is_leading

    task.stop()

    assert task.ended == [True]
    assert not task.is_leading


def test_a_server_has_one_from_its_start_to_its_end(node):
    with no_receivers():
        cluster.run_on_leader(Task)
        for _ in range(2):
            signals.server_started.send(node)
        (task,) = Task.running.values()
        assert task._node is node
        wait_for(lambda: task.is_leading, "the lease")
        signals.server_stopping.send(node)

    assert not Task.running and not task.is_leading
