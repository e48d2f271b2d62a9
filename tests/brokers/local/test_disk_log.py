"""What is confirmed outlives its process, wherever that is killed; what cannot be written is refused."""

import json
import resource
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime_wall.brokers.commands import Delete, Publish, Retract
from realtime_wall.brokers.entry import proposal
from realtime_wall.brokers.local import disk_log, restored_log
from realtime_wall.brokers.local.disk_log import DiskLog
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.replica import Replica
from realtime_wall.channels.message import Binary
from realtime_wall.channels.rules import Rule, Rules
from realtime_wall.errors import LogUnusable, PublishFailed
from realtime_wall.wire.time_slice import TimeSlice

RULES = Rules({}, Rule(history_size=4))
CHANNELS_KEPT = 3


class Owner(Replica):
    """A process with a hub, which it can lose without a word."""

    def __init__(self, directory, rules=RULES):
        super().__init__(rules, CHANNELS_KEPT)
        self._disk_log = DiskLog(str(directory), rules, CHANNELS_KEPT)
        self.hub = Hub(rules, CHANNELS_KEPT, "hub")
        self.hub.belong_to(self, self._disk_log)

    def entry(self, entry):
        self.enter(entry)

    def perform(self, command):
        return self.hub.sequence(proposal(command, "hub"))

    def publish(self, data, channel="news", **more):
        return self.perform(Publish(channel=channel, data_json=json.dumps(data), **more))

    def kept(self, channel="news"):
        return [json.loads(one.data_json) for one in self.newest(channel, 99)]

    def state(self):
        *channels, own = self.log.image(0.0)
        return channels, own

    def crash(self):
        """Without the last words; what was written stays, and the lock goes."""
        if self._disk_log._compaction is not None:
            self._disk_log._compaction.kill()
        self._disk_log._segment.close()
        disk_log.os.close(self._disk_log._lock)


@pytest.fixture
def small_segments(monkeypatch):
    """A new segment every few entries, and turns for others between two channels."""
    monkeypatch.setattr(disk_log, "COMPACT_SIZE", 600)
    monkeypatch.setattr(disk_log, "TimeSlice", lambda: TimeSlice(-1.0))


@pytest.fixture
def other_boot(monkeypatch, tmp_path):
    def other():
        (tmp_path / "boot").write_text("after-the-power-came-back")
        monkeypatch.setattr(restored_log, "BOOT_ID", tmp_path / "boot")

    return other


def test_a_restart_keeps_the_epoch_the_messages_and_the_numbers(tmp_path):
    first = Owner(tmp_path)
    position = first.publish("one", event="tick", event_id="e1").position
    first.publish({"binary": "AQI="}, binary=Binary('{"_placeholder":true,"num":0}', (b"\1\2",)), arity=2)
    before = first.state()
    first.hub.close()

    second = Owner(tmp_path)

    assert second.state() == before
    assert second.log_began == first.log_began
    assert [one.data_json for one in second.since("news", position)] == ['{"binary": "AQI="}']
    assert second.publish("three").position.offset == 3
    second.hub.close()


def copied(directory, torn):
    """The directory as a crash leaves it, ``torn`` being what the next write had managed of its record."""
    copy = Path(shutil.copytree(directory, Path(directory).parent / "copy"))
    if torn:
        with restored_log.segments(copy)[-1].open("ab") as file:
            file.write(torn)
    return copy


names = st.sampled_from(["a", "b", "c", "d"])
steps = st.one_of(
    st.tuples(st.just("publish"), names, st.text(max_size=200)),
    st.tuples(st.just("retract"), names, st.integers(1, 12)),
    st.tuples(st.just("delete"), names, st.none()),
    st.tuples(st.just("turn"), names, st.none()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it only sets what never changes
@given(script=st.lists(steps, max_size=40), torn=st.binary(max_size=80), data=st.data())
def test_a_crash_at_any_moment_loses_nothing_that_was_confirmed(small_segments, script, torn, data):
    with TemporaryDirectory() as directory:
        home = Path(directory) / "log"
        owner = Owner(home)
        for what, channel, value in script:
            if what == "publish":
                more = (
                    {"event": value, "event_id": channel, "arity": 2}
                    if len(value) % 2
                    else {"event": value or None}
                )
                owner.publish(value, channel, **more)
            elif what == "retract":
                owner.perform(Retract(channel=channel, message_ref=f"{owner.top.epoch}:{value}"))
            elif what == "delete":
                owner.perform(Delete(channel=channel, notice="gone"))
            else:
                gevent.sleep(0)  # for who writes a new segment
        if torn and data.draw(st.booleans()):  # a part of a whole record
            line = restored_log.segments(home)[-1].read_bytes().splitlines(keepends=True)[-1]
            torn = line[: len(line) * len(torn) // 81]
        copy = copied(home, torn.replace(b"\n", b" "))
        expected = owner.state()
        owner.crash()

        again = Owner(copy)

        assert again.state() == expected
        again.crash()


def test_old_segments_go_when_the_new_one_stands_for_them(small_segments, tmp_path):
    owner = Owner(tmp_path)
    (first,) = restored_log.segments(tmp_path)

    for number in range(5000):
        owner.publish(number, f"c{number % 3}")
        gevent.sleep(0)
        left = restored_log.segments(tmp_path)
        if len(left) == 1 and left != [first]:
            break

    assert len(left) == 1 and left != [first]
    expected = owner.state()
    owner.crash()
    again = Owner(tmp_path)
    assert again.state() == expected
    again.crash()


def test_a_key_of_a_publisher_is_known_after_a_restart_and_after_a_new_segment(small_segments, tmp_path):
    first = Owner(tmp_path)
    position = first.publish("once", idempotency_key="k1").position
    for _ in range(3):
        first.crash()
        first = Owner(tmp_path)
        gevent.sleep(0.001)
        again = first.publish("once", idempotency_key="k1")
        assert (again.position, again.is_new) == (position, False)
    first.crash()


def test_what_a_full_disk_does_not_take_is_refused_and_nowhere(tmp_path, caplog):
    owner = Owner(tmp_path)
    owner.publish("before")
    size = restored_log.segments(tmp_path)[-1].stat().st_size
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limit[1]))  # room for a part of a record
    try:
        for _ in range(3):
            with pytest.raises(PublishFailed, match="LOG_DIR"):
                owner.publish("lost")
        with pytest.raises(PublishFailed):
            owner.perform(Retract(channel="news", message_ref=str(owner.top)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert owner.kept() == ["before"]

    owner.publish("after")

    assert owner.top.offset == 2
    assert [one.message.split(" ", 2)[2] for one in caplog.records] == [
        "takes no messages: No space left on device",
        "takes messages again",
    ]
    owner.crash()
    again = Owner(tmp_path)
    assert again.kept() == ["before", "after"]
    again.crash()


def test_a_machine_that_lost_power_may_have_lost_the_end_so_a_new_epoch_begins(tmp_path, other_boot):
    first = Owner(tmp_path / "log")
    first.publish("kept")
    first.crash()
    other_boot()

    second = Owner(tmp_path / "log")

    assert second.kept() == ["kept"]
    assert second.top.epoch != first.top.epoch
    second.crash()


def test_after_a_stop_in_good_order_the_machine_may_end_too(tmp_path, other_boot):
    first = Owner(tmp_path / "log")
    first.publish("kept")
    first.hub.close()
    other_boot()

    second = Owner(tmp_path / "log")
    assert second.top == first.top
    second.crash()


@pytest.mark.parametrize("rubbish", [b"\0" * 40 + b"\n", b'1c291ca3 {"unknown":1}\n', b"00000000 {}\n"])
def test_what_follows_a_damaged_place_is_not_believed(tmp_path, rubbish, caplog):
    first = Owner(tmp_path)
    first.publish("whole")
    first.crash()
    path = restored_log.segments(tmp_path)[-1]
    whole = path.read_bytes()
    path.write_bytes(whole + rubbish + whole.splitlines(keepends=True)[-1])

    second = Owner(tmp_path)

    assert second.kept() == ["whole"]
    assert second.top.epoch != first.top.epoch
    assert f"is damaged behind byte {len(whole)}" in caplog.text
    second.crash()


def test_one_directory_is_for_one_server(tmp_path):
    first = Owner(tmp_path)
    with pytest.raises(LogUnusable, match="in use by another server"):
        Owner(tmp_path)
    first.hub.close()


def test_a_directory_that_others_may_write_to_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(LogUnusable, match="another user"):
        Owner(tmp_path)


def test_json_with_a_new_line_is_one_record(tmp_path):
    first = Owner(tmp_path)
    first.perform(Publish(channel="news", data_json='[\n1,\n"two\\n"]'))
    first.crash()

    second = Owner(tmp_path)

    assert second.kept() == [[1, "two\n"]]
    second.crash()


def test_a_message_that_is_not_kept_is_not_written_either(tmp_path):
    owner = Owner(tmp_path)
    size = restored_log.segments(tmp_path)[-1].stat().st_size
    owner.publish("volatile", volatile=True)
    assert restored_log.segments(tmp_path)[-1].stat().st_size == size
    owner.hub.close()
