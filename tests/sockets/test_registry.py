from realtime_wall.sockets.registry import ConnectedSockets


class FakeSocket:
    def __init__(self, id):
        self.id = id


def registry_of(*ids):
    registry = ConnectedSockets()
    for id in ids:
        registry.add(FakeSocket(id))
    return registry


def test_sockets_may_come_and_go_while_somebody_looks_at_them():
    registry = registry_of("a", "b", "c")

    seen = []
    for socket in registry:
        seen.append(socket.id)
        registry.remove(socket)
        registry.add(FakeSocket(socket.id * 2))

    assert seen == ["a", "b", "c"]
    assert [socket.id for socket in registry] == ["aa", "bb", "cc"]


def test_a_socket_is_found_by_its_id_while_it_is_connected():
    registry = registry_of("a")
    socket = registry.get("a")

    assert socket in registry
    assert FakeSocket("b") not in registry
    assert "a" not in registry  # an id is no socket
    assert registry.get("b") is None

    registry.remove(socket)

    assert socket not in registry
    assert registry.get("a") is None


def test_removing_one_that_is_gone_already_changes_nothing():
    registry = registry_of("a")

    registry.remove(FakeSocket("b"))

    assert len(registry) == 1


def test_it_says_how_many_there_are():
    registry = registry_of("a", "b")

    assert len(registry) == 2
    assert bool(registry)
    assert not ConnectedSockets()
    assert repr(registry) == "<2 connected sockets>"


def test_a_socket_is_known_by_the_id_that_it_had_before_too():
    registry = registry_of("a")
    returned = FakeSocket("b")
    registry.add(returned, "a")

    assert registry.known_as("a") == [registry.get("a"), returned]
    assert registry.known_as("b") == [returned]
    assert registry.known_as("c") == []

    registry.remove(returned, "a")

    assert registry.known_as("a") == [registry.get("a")]
    assert registry.known_as("b") == []
    assert not registry._by_earlier_id
