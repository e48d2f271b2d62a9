"""A message to a room, by us and by a bare loop of ``send`` over the same sockets, in this one process.

So both find the same machine: caches that Python has filled, and clients that have read what came before.
"""

import time
from functools import partial

import gevent
from django.http import JsonResponse

from bench.bare import best_loop
from realtime_wall import broadcast_channel, publish
from realtime_wall.node import node

# None follows one to the same sockets.
ORDER = (0, 3, 1, 2)


def alternate(request):
    """CPU seconds of so many messages each: ours to all, the loop's to all, ours to a fifth, the loop's to a
    fifth. They go in turns, and clients have the time to read one before the next, which that would slow
    down. The loop's follow a message of ours to nobody, which leaves as much in the caches as any.
    """
    query, loop = request.GET, best_loop()
    ours, frame, turns = "x" * int(query["size"]), b"x" * int(query["frame"]), []
    for channel in query.getlist("channel"):
        members = node.this_node().subscriptions.snapshot(channel)
        send = loop.room([member.wire._sock for member in members])
        turns += [(_nothing, partial(broadcast_channel, ours, channel))]
        turns += [(partial(publish, "nobody", ours), partial(send, frame))]
    spent = [0.0 for _ in turns]
    for _ in range(int(query["count"])):
        for which in ORDER:
            prepare, act = turns[which]
            gevent.sleep(float(query["pause"]))
            prepare()
            before = time.process_time()
            act()
            spent[which] += time.process_time() - before
    return JsonResponse({"cpu": spent})


def _nothing():
    pass
