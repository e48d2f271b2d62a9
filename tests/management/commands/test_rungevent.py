"""``manage.py rungevent`` as a person or a service manager starts it."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from realtime_wall.management.commands.rungevent import Command
from realtime_wall.server import monkey_patch
from tests.live import PATIENCE, ROOT, SITE, Conversation, LiveServer, TypedServer, wait_for
from tests.management import projects
from tests.site_tables import with_tables

HELLO = b"GET /hello/ HTTP/1.0\r\nHost: localhost\r\n\r\n"
HANDSHAKE = (
    b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def interpreter(server):
    return json.loads(server.get("/interpreter/").body)


def free_address(host="127.0.0.1"):
    with socket.create_server((host, 0)) as probe:
        return f"{host}:{probe.getsockname()[1]}"


def what_runserver_says(server):
    """The start of Django's own command, in the same project and environment."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", free_address()],
        cwd=SITE,
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    try:
        while not lines or "Quit the server" not in lines[-1]:
            lines.append(process.stdout.readline())
    finally:
        process.kill()
        process.wait(PATIENCE)
        process.stdout.close()
    return "".join(lines)


def refused(*arguments, **kwargs):
    """What a start that must fail says, and its exit status."""
    server = LiveServer(address=arguments[0], arguments=("--noreload", *arguments[1:]), **kwargs)
    result = server.manage(*server.command)
    server.directory.cleanup()
    assert "Traceback" not in result.stderr
    return result.stderr, result.returncode


# What it says


def test_it_looks_like_runserver():
    with LiveServer(environment={"SITE_DEBUG": "1"}) as server:
        ours, theirs = server.output, what_runserver_says(server)

    # Django 6.1 tells the two kinds of its own apart.
    theirs = re.sub("Starting (WSGI )?development server", "Starting gevent server", theirs)
    variable = r"\w+ \d\d, \d{4} - \d\d:\d\d:\d\d|http://127.0.0.1:\d+/"
    assert re.sub(variable, "*", ours) == re.sub(variable, "*", theirs)
    assert "System check identified no issues" in ours
    assert "unapplied migration(s)" in ours


def test_after_the_migrations_nothing_is_said_of_them():
    with with_tables(LiveServer()) as server:
        assert "unapplied" not in server.output


def test_the_start_leaves_no_database_connection_open():
    with LiveServer() as server:
        files = Path(f"/proc/{server.process.pid}/fd")
        # What begins with the server may be asking the database at the moment.
        wait_for(lambda: not any("sqlite3" in target for target in open_files(files)))


def open_files(folder):
    for name in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield os.readlink(name)


def test_what_it_says_is_seen_at_once_in_a_file_too():
    with LiveServer(environment={"PYTHONUNBUFFERED": ""}) as server:
        assert "Quit the server with CONTROL-C." in server.output


# How it is started


def test_it_works_from_another_folder(tmp_path):
    with TypedServer(program=(str(SITE / "manage.py"),), folder=tmp_path) as server:
        assert server.get("/hello/").body == b"hello"
        assert interpreter(server)["path0"] == str(SITE)


def test_it_works_with_a_relative_path_from_another_folder():
    with TypedServer(program=("site/manage.py",), folder=SITE.parent) as server:
        assert interpreter(server)["path0"] == str(SITE)


def test_the_flags_of_the_interpreter_are_kept():
    flags = ("-W", "error::UnicodeWarning", "-X", "dev", "-u")
    with TypedServer(flags=flags, environment={"PYTHONUNBUFFERED": ""}) as server:
        found = interpreter(server)

    assert (found["dev_mode"], found["unbuffered"], found["isolated"]) == (True, True, False)
    assert "error::UnicodeWarning" in found["warnings"]
    assert found["path0"] == str(SITE)
    assert found["arguments"] == ["rungevent", "0", "--noreload"]


def test_an_isolated_interpreter_stays_isolated(tmp_path):
    manage = f"""
        import os, sys
        sys.path[:0] = [{str(ROOT)!r}, {str(SITE)!r}]
        os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """
    with TypedServer(project=projects.make(tmp_path, manage=manage), flags=("-I",)) as server:
        found = interpreter(server)

    assert found["isolated"]
    assert found["path0"] == str(ROOT)


@pytest.mark.parametrize("program", [("-m", "django"), ("-um", "django"), ("-mdjango",)])
def test_it_works_by_way_of_the_module_django(tmp_path, program):
    environment = {"PYTHONPATH": f"{ROOT}:{SITE}"}
    arguments = ("--noreload", "--settings", "site_settings")
    with TypedServer(
        program=program, folder=tmp_path, environment=environment, arguments=arguments
    ) as server:
        assert server.get("/hello/").body == b"hello"
        assert interpreter(server)["arguments"] == ["rungevent", "0", *arguments]


def test_a_program_that_patches_in_time_is_not_started_again(tmp_path):
    manage = """
        from gevent import monkey
        monkey.patch_all()
        import os, sys
        print("started")
        os.environ["DJANGO_SETTINGS_MODULE"] = "own_settings"
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """
    with projects.serve(projects.make(tmp_path, manage=manage)) as server:
        assert server.get("/own/").body == b"first"
        assert server.output.count("started") == 1


def test_a_program_that_patches_too_late_is_told(tmp_path):
    manage = """
        import os, sys
        os.environ["DJANGO_SETTINGS_MODULE"] = "own_settings"
        import django.db
        from gevent import monkey
        monkey.patch_all()
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """
    server = projects.serve(projects.make(tmp_path, manage=manage))

    result = server.manage(*server.command)
    server.directory.cleanup()

    assert result.returncode == 1
    assert "realtime_wall.E005" in result.stderr


def test_call_command_never_replaces_the_process(monkeypatch):
    started_again = []
    monkeypatch.setattr(monkey_patch, "start_again", lambda: started_again.append(True))
    monkeypatch.setattr(monkey_patch, "is_patched", lambda: False)

    with pytest.raises(CommandError, match="gevent's patches are missing"):
        call_command("rungevent", "0")

    assert started_again == []


def test_the_command_line_starts_again_when_patches_are_missing(monkeypatch):
    class StartedAgain(Exception):
        pass

    def start_again():
        raise StartedAgain

    monkeypatch.setattr(monkey_patch, "start_again", start_again)
    monkeypatch.setattr(monkey_patch, "is_patched", lambda: False)

    with pytest.raises(StartedAgain):
        Command().run_from_argv(["manage.py", "rungevent", "0"])


# Where it listens


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("{port}", "http://127.0.0.1:{port}/"),
        ("0:{port}", "http://0.0.0.0:{port}/"),
        ("localhost:{port}", "http://localhost:{port}/"),
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}/"),
    ],
)
def test_an_address_is_written_as_for_runserver(address, url):
    port = free_address().rpartition(":")[2]

    with LiveServer(address=address.format(port=port)) as server:
        assert server.url == url.format(port=port)
        assert server.get("/hello/").body == b"hello"


@pytest.mark.parametrize("arguments", [("[::1]:0",), ("0", "--ipv6")])
def test_ipv6(arguments):
    address, *options = arguments
    with LiveServer(address=address, arguments=("--noreload", *options)) as server:
        assert server.url == f"http://[::1]:{server.port}/"
        with socket.create_connection(("::1", server.port), PATIENCE) as connection:
            connection.sendall(HELLO)
            assert connection.recv(12) == b"HTTP/1.1 200"


def ask_unix(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        connection.sendall(HELLO)
        return connection.makefile("rb").read()


def test_a_unix_socket(tmp_path):
    path = tmp_path / "site.sock"

    with LiveServer(address=f"unix:{path}") as server:
        assert server.url == f"unix:{path}"
        assert ask_unix(path).endswith(b"hello")
        assert server.stop() == 0


def test_what_a_killed_server_left_is_removed(tmp_path):
    path = tmp_path / "site.sock"
    with LiveServer(address=f"unix:{path}") as killed:
        killed.process.kill()
        killed.process.wait(PATIENCE)
        assert path.exists()

    with LiveServer(address=f"unix:{path}"):
        assert ask_unix(path).endswith(b"hello")


def test_the_socket_of_a_running_server_is_left_alone(tmp_path):
    path = tmp_path / "site.sock"

    with LiveServer(address=f"unix:{path}"):
        error, status = refused(f"unix:{path}")
        assert ask_unix(path).endswith(b"hello")

    assert status == 1
    assert error.strip() == f"Error: unix:{path} cannot be listened on: that port is already in use."


def test_a_port_in_use_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error, status = refused(f"127.0.0.1:{port}")

    assert status == 1
    assert error == f"Error: http://127.0.0.1:{port}/ cannot be listened on: that port is already in use.\n"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nowhere", "CommandError: 'nowhere' is not a valid port number or address:port pair.\n"),
        ("65536", "CommandError: '65536' is not a valid port number or address:port pair.\n"),
        ("unix:", "CommandError: 'unix:' needs a path, such as unix:/run/site/site.sock\n"),
        (
            "203.0.113.1:0",
            "Error: http://203.0.113.1:0/ cannot be listened on: that IP address can't be assigned to.\n",
        ),
        (
            "unix:/nowhere/site.sock",
            "Error: unix:/nowhere/site.sock cannot be listened on: No such file or directory\n",
        ),
    ],
)
def test_a_bad_address_is_one_clear_line(address, message):
    assert refused(address) == (message, 1)


def test_a_runtime_directory_of_somebody_else_is_one_clear_line(tmp_path):
    (tmp_path / "file").touch()

    error, status = refused("0", settings={"RUNTIME_DIR": str(tmp_path / "file")})

    assert status == 1
    assert error.startswith(f"Error: {tmp_path}/file/")
    assert error.count("\n") == 1


# What it serves


def test_static_files_are_served_while_debug_is_on():
    with LiveServer(environment={"SITE_DEBUG": "1"}) as server:
        reply = server.get("/static/admin/css/base.css")

    assert (reply.status, reply.headers["content-type"]) == (200, "text/css")


def test_static_files_are_left_to_others_when_debug_is_off():
    with LiveServer() as server:
        assert server.get("/static/admin/css/base.css").status == 404


def test_static_files_are_left_to_others_when_told_so():
    with LiveServer(environment={"SITE_DEBUG": "1"}, arguments=("--noreload", "--nostatic")) as server:
        assert server.get("/static/admin/css/base.css").status == 404


def test_an_error_in_an_app_s_events_is_shown(tmp_path):
    project = projects.make(tmp_path, events="raise LookupError('of ours')")
    server = projects.serve(project)

    result = server.manage(*server.command)
    server.directory.cleanup()

    assert result.returncode == 1
    assert "LookupError: of ours" in result.stderr
    assert 'own/events.py", line 1' in result.stderr


def test_under_runserver_the_address_of_the_socket_says_what_to_start():
    with LiveServer() as server:
        address = free_address()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", address],
            cwd=SITE,
            env=server.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            host, port = address.split(":")

            def answer():
                try:
                    connection = socket.create_connection((host, int(port)), PATIENCE)
                except ConnectionRefusedError:
                    return None
                with Conversation(connection) as conversation:
                    conversation.send(HANDSHAKE)
                    return conversation.reply()

            reply = wait_for(answer)
        finally:
            process.kill()
            process.wait(PATIENCE)

    assert reply.status == 426
    assert b"start it with 'manage.py rungevent'" in reply.body
