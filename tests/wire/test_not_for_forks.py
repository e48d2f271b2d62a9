import socket

from realtime_wall.wire.not_for_forks import descriptors, not_for_forks


def test_what_is_open_is_named_until_it_is_closed_or_gone():
    before = set(descriptors())
    closed, gone = (not_for_forks(socket.socket()) for _ in range(2))
    with open("/dev/null") as file:
        not_for_forks(file)
        assert set(descriptors()) - before == {closed.fileno(), gone.fileno(), file.fileno()}

    closed.close()
    gone.close()
    del gone

    assert set(descriptors()) - before - {-1} == set()
