"""The bus as its users know it: whoever calls broadcast(), wherever, reaches the clients."""

import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import gevent
import pytest

from realtime_wall.brokers.commands import GetPosition
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.config import Config
from realtime_wall.control import unix_client
from tests.live import PATIENCE, ROOT, SITE, LiveServer, wait_for
from tests.management import projects

BROADCAST = "from realtime_wall import broadcast; print(broadcast({}))"


def shell(server, code):
    """What ``manage.py shell -c`` prints, or what it failed with: its last line."""
    result = server.manage("shell", "-c", code)
    return (result.stderr if result.returncode else result.stdout).strip().splitlines()[-1]


def script(server, code, settings="site_settings"):
    """What a program of its own prints, as cron would start it: no manage.py, nothing patched."""
    program = f"""
        import os
        os.environ["DJANGO_SETTINGS_MODULE"] = {settings!r}
        import django
        django.setup()
        import sys
        assert "gevent.monkey" not in sys.modules or not sys.modules["gevent.monkey"].saved
        {code}
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=os.path.expanduser("~"),
        env={**server.environment, "PYTHONPATH": f"{ROOT}:{SITE}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return (result.stderr if result.returncode else result.stdout).strip()


@pytest.fixture(scope="module")
def server():
    with LiveServer() as running:
        yield running
        assert "Traceback" not in running.output


@pytest.fixture
def clients(server):
    clients = [server.client() for _ in range(2)]
    yield clients
    for client in clients:
        client.close()
    wait_for(lambda: json.loads(server.get("/health/").body)["sockets"] == 0)


def heard(clients):
    return [client.read()["message"] for client in clients]


def test_a_shell_reaches_everybody_and_says_how_many(server, clients):
    said = shell(server, BROADCAST.format("'from a shell'"))

    assert heard(clients) == ["from a shell"] * 2
    assert said.startswith("reached 2 sockets in 1 process, 0 queued, 0 dropped, position ")


def test_a_shell_asks_everybody_and_gets_their_answers(server, clients):
    def answer(client, what):
        question = client.read_until(lambda one: one["type"] == "where")
        client.tell({"type": "ack", "id": question["id"], "message": what})

    answering = [gevent.spawn(answer, client, number) for number, client in enumerate(clients)]
    code = "from realtime_wall import broadcast_call as ask; print(sorted(ask('where').answers.values()))"

    assert shell(server, code) == "[0, 1]"
    gevent.joinall(answering, timeout=PATIENCE, raise_error=True)


def test_a_shell_is_told_who_was_silent(server, clients):
    code = "from realtime_wall import broadcast_call as ask; print(sorted(ask('where', timeout=0.1).silent))"

    assert shell(server, code) == str(sorted(client.session for client in clients))


def test_a_shell_may_send_bytes(server, clients):
    shell(server, BROADCAST.format("{'file': b'one'}"))

    assert heard(clients) == [{"file": "b25l"}] * 2


def test_a_script_reaches_everybody(server, clients):
    said = script(server, BROADCAST.format("'from a script'"))

    assert heard(clients) == ["from a script"] * 2
    assert said.startswith("reached 2 sockets in 1 process")


def test_a_thread_of_a_script_reaches_everybody(server, clients):
    work = "lambda: print(broadcast('from a thread'))"
    code = f"import threading; thread = threading.Thread(target={work}); thread.start(); thread.join()"

    said = script(server, f"from realtime_wall import broadcast; {code}")

    assert heard(clients) == ["from a thread"] * 2
    assert said.startswith("reached 2 sockets in 1 process")


@pytest.mark.parametrize("kind", ["greenlet", "thread", "fork"])
def test_so_does_whatever_a_view_starts(server, clients, kind):
    answer = json.loads(server.get(f"/broadcast/{kind}/").body)

    assert answer == {"sockets": 2}
    assert heard(clients) == [f"from a {'native ' if kind == 'thread' else ''}{kind}"] * 2


def test_a_view_reaches_everybody_by_itself(server, clients):
    assert json.loads(server.get("/broadcast/?message=hello").body) == {"sockets": 2}
    assert heard(clients) == ["hello"] * 2


def test_the_order_is_that_of_the_calls(server, clients):
    code = "from realtime_wall import broadcast; [broadcast(number) for number in range(100)]; print('done')"

    assert shell(server, code) == "done"

    for client in clients:
        assert [client.read()["message"] for _ in range(100)] == list(range(100))


def test_one_client_can_be_written_to(server, clients):
    code = f"from realtime_wall import send; print(send({clients[1].session!r}, 'only you'))"

    said = shell(server, code)

    assert clients[1].read()["message"] == "only you"
    assert said.startswith("reached 1 socket in 1 process")
    assert shell(server, BROADCAST.format("'all'")).startswith("reached 2 ")
    assert clients[0].read()["message"] == "all"


def test_a_channel_can_be_published_on_and_its_position_is_returned(server, clients):
    clients[0].subscribe("news")

    said = shell(server, "from realtime_wall import publish; print(publish('news', {'a': 1}, event='tick'))")

    message = clients[0].read()
    assert (message["type"], message["message"], message["channel"]) == ("tick", {"a": 1}, "news")
    assert message["cursor"] == said


def test_nobody_listening_is_no_socket(server):
    assert shell(server, BROADCAST.format("1")).endswith("NoSocket: There are no clients.")


def test_a_message_that_cannot_be_sent_is_refused_where_it_was_made(server, clients):
    assert "InvalidMessage" in shell(server, BROADCAST.format("float('nan')"))
    assert "MessageTooBig" in shell(server, BROADCAST.format("'x' * 2_000_000"))

    shell(server, BROADCAST.format("'good'"))
    assert heard(clients) == ["good"] * 2


# Servers that are not there


def test_without_a_server_it_says_where_it_looked():
    server = LiveServer()
    said = shell(server, BROADCAST.format("1"))
    server.directory.cleanup()

    assert f"NoServer: no running server found in {server.directory.name}/" in said


def test_a_killed_server_is_cleaned_up_after():
    with LiveServer() as server:
        server.process.kill()
        server.process.wait(PATIENCE)
        (directory,) = [path for path in os.scandir(server.directory.name) if path.is_dir()]
        assert len(list(Path(directory).glob("*.sock"))) == 1

        assert "NoServer" in shell(server, BROADCAST.format("1"))

        assert list(Path(directory).glob("*.sock")) == []


def test_two_servers_of_one_project_are_both_reached():
    with (
        LiveServer() as first,
        LiveServer(settings={"RUNTIME_DIR": first.directory.name}) as second,
        first.client() as one,
        second.client() as two,
    ):
        said = shell(second, BROADCAST.format("'both'"))

        assert (one.read()["message"], two.read()["message"]) == ("both", "both")
        assert said.startswith("reached 2 sockets in 2 processes")


def test_two_projects_never_hear_each_other(tmp_path):
    """Without any setting: the directories of both are made by default, next to each other."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    default = {"RUNTIME_DIR": None}
    first = projects.serve(projects.make(tmp_path / "first"), settings=default)
    second = projects.serve(projects.make(tmp_path / "second"), settings=default)

    with first, second, first.client() as one, second.client() as two:
        assert shell(first, BROADCAST.format("'first'")).startswith("reached 1 socket in 1 process")
        assert shell(second, BROADCAST.format("'second'")).startswith("reached 1 socket in 1 process")

        assert (one.read()["message"], two.read()["message"]) == ("first", "second")
        first.stop()
        assert "NoServer" in shell(first, BROADCAST.format("'nobody'"))


# Other users of the machine


if os.getuid() == 0:  # only root can become another user

    def as_nobody(action):
        """What this returns or raises when the user "nobody" does it, as text."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                try:
                    said = str(action())
                except Exception as problem:
                    said = f"{type(problem).__name__}: {problem}"
                os.write(write, said.encode())
            finally:
                os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        with open(read) as stream:
            return stream.read()

    def say_hello(path):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            try:
                connection.sendall(b'{"verb": "Publish", "channel": "*", "data_json": "1"}\n')
                return connection.makefile("rb").read()
            except (BrokenPipeError, ConnectionResetError):
                return "cut off"

    @pytest.fixture
    def bus_path(own_server):
        """The socket of a server, in a directory that everybody may enter."""
        os.chmod(own_server.directory.name, 0o755)
        (path,) = Path(own_server.directory.name).glob("*/*.sock")
        return path

    @pytest.fixture
    def own_server():
        with LiveServer() as server:
            yield server

    @pytest.mark.threat("S59")
    def test_another_user_cannot_publish(own_server, bus_path, monkeypatch):
        monkeypatch.setattr(runtime_dir, "project_dir", lambda config: bus_path.parent)
        config = Config(runtime_dir=own_server.directory.name)

        assert as_nobody(lambda: say_hello(str(bus_path))).startswith("PermissionError")
        assert as_nobody(lambda: unix_client.perform(GetPosition(), config)).startswith("NoServer")
        assert unix_client.perform(GetPosition(), config).processes == 1

    @pytest.mark.threat("S59")
    def test_another_user_cannot_publish_even_where_the_modes_let_him(own_server, bus_path):
        bus_path.parent.chmod(0o755)
        bus_path.chmod(0o666)

        assert as_nobody(lambda: say_hello(str(bus_path))) in ("b''", "cut off")

        own_server.wait_for_log("another Unix user tried to publish")


def test_a_shell_takes_a_message_back(server):
    with server.client() as client:
        client.subscribe("taken back")
        position = shell(server, "from realtime_wall import publish; print(publish('taken back', 'oops'))")

        said = shell(server, f"from realtime_wall import retract; print(retract('taken back', '{position}'))")

        assert client.read_until(lambda one: one["type"] == "message")["message"] == "oops"
        assert client.read()["message"] == {"id": 1, "position": position, "event_id": None}
        assert "reached 1 socket" in said
