"""Programs that the figures of Redis are measured with: ours and bare redis-py, each in a process of its own.

``python -m bench.redis_parts WHO URL PREFIX COUNT RATE`` publishes COUNT messages, RATE a second (0 for one
after another), or receives them, and prints what it took as JSON. A message carries when it was published.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402
import redis  # noqa: E402
from gevent.event import Event  # noqa: E402

from realtime_wall.brokers.commands import Publish  # noqa: E402
from realtime_wall.brokers.entry import proposal  # noqa: E402
from realtime_wall.brokers.redis.redis_link import RedisLink  # noqa: E402
from realtime_wall.brokers.redis.sync_client import SyncClient  # noqa: E402
from realtime_wall.brokers.replica import Replica  # noqa: E402
from realtime_wall.channels.rules import Rules  # noqa: E402
from realtime_wall.config import Config  # noqa: E402

BODY = "x" * 200
# What a message needs at least: a number, and a place that everybody reads from.
BARE = """
local number = redis.call('INCR', KEYS[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 100000, number .. '-0', 'm', ARGV[1])
return number
"""


class Received:
    """What has come: how many, and how long each was on its way."""

    def __init__(self, count):
        self.left, self.waits, self.all = count, [], Event()

    def take(self, sent):
        self.waits.append(time.monotonic() - sent)
        self.left -= 1
        if not self.left:
            self.all.set()


class Member(Replica):
    """A server that does nothing with its entries but keep them."""

    def __init__(self, received):
        super().__init__(Rules({}), 1000)
        self.received = received

    def begin(self, image):
        self.restore(image)

    def entry(self, entry):
        self.enter(entry)
        if self.received is not None:
            self.received.take(json.loads(entry.item.data_json)[0])

    def receive(self, envelope):
        pass

    def wait_for_room(self):
        pass

    def gone(self, address):
        pass


def ours(url, prefix):
    return RedisLink(Config(broker=url, broker_prefix=prefix), Rules({}))


def publish_with(link):
    def publish(data):
        link.sequence(proposal(Publish(channel="bench", data_json=data), link.address))

    return publish


def our_server(url, prefix):
    link = ours(url, prefix)
    link.join(Member(None))
    return publish_with(link)


def our_outsider(url, prefix):
    return publish_with(SyncClient(Config(broker=url, broker_prefix=prefix), Rules({})))


def bare_publisher(url, prefix):
    client = redis.Redis.from_url(url, protocol=2)
    script = client.script_load(BARE)
    keys = f"{{{prefix}}}:n", f"{{{prefix}}}:bare"
    return lambda data: client.evalsha(script, 2, *keys, data)


def bare_server(url, prefix):
    gevent.spawn(bare_reader, url, prefix, lambda sent: None)
    return bare_publisher(url, prefix)


def bare_reader(url, prefix, take):
    client = redis.Redis.from_url(url, protocol=2, socket_timeout=5)
    key, last = f"{{{prefix}}}:bare", "$"
    newest = client.xrevrange(key, count=1)
    last = newest[0][0] if newest else "0-0"
    while True:
        for _, found in client.xread({key: last}, count=500, block=2000):
            for id_, fields in found:
                last = id_
                take(json.loads(fields[b"m"])[0])


def our_receiver(url, prefix, received):
    link = ours(url, prefix)
    link.join(Member(received))


def bare_receiver(url, prefix, received):
    gevent.spawn(bare_reader, url, prefix, received.take)
    gevent.sleep(0.2)


PUBLISHERS = {
    "our-server": our_server,
    "our-outsider": our_outsider,
    "bare-server": bare_server,
    "bare-publisher": bare_publisher,
}
RECEIVERS = {"our-receiver": our_receiver, "bare-receiver": bare_receiver}


def run_publisher(publish, count, rate):
    for _ in range(20):  # what happens once
        publish(json.dumps([time.monotonic(), BODY]))
    began, cpu = time.monotonic(), time.process_time()
    for number in range(count):
        if rate:
            gevent.sleep(max(0, began + number / rate - time.monotonic()))
        publish(json.dumps([time.monotonic(), BODY]))
    cpu = time.process_time() - cpu
    return {"cpu": cpu / count * 1e6, "rate": count / (time.monotonic() - began)}


def run_receiver(receiver, url, prefix, count):
    received = Received(count + 20)
    receiver(url, prefix, received)
    print("ready", flush=True)
    cpu = time.process_time()
    received.all.wait()
    cpu = time.process_time() - cpu
    waits = sorted(received.waits[20:])
    return {
        "cpu": cpu / count * 1e6,
        "p50": waits[len(waits) // 2] * 1e6,
        "p99": waits[len(waits) * 99 // 100] * 1e6,
    }


def main(who, url, prefix, count, rate):
    if who in RECEIVERS:
        result = run_receiver(RECEIVERS[who], url, prefix, int(count))
    else:
        result = run_publisher(PUBLISHERS[who](url, prefix), int(count), float(rate))
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
