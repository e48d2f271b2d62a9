"""Of who was refused nothing is heard any more but that he hangs up."""

from realtime_wall.transports.websocket.lingering_close import MOST, LingeringClose


class Connection:
    def __init__(self):
        self.ended = []

    def abort(self, reason):
        self.ended.append(("aborted", reason))

    def lost(self, reason):
        self.ended.append(("lost", reason))


def test_what_was_on_its_way_is_dropped_until_the_client_hangs_up():
    refused = Connection()
    owner = LingeringClose(refused)

    for _ in range(4):
        owner.received(b"x" * (MOST // 4))
    assert refused.ended == []

    owner.lost("closed by the client")
    assert refused.ended == [("lost", "closed by the client")]


def test_who_sends_much_all_the_same_is_cut_off():
    refused = Connection()
    owner = LingeringClose(refused)

    owner.received(b"x" * MOST)
    owner.received(b"x")

    assert refused.ended == [("aborted", "went on sending after it was refused")]
