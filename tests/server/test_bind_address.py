import os
import socket
import stat

import pytest

from realtime_wall.server.bind_address import Address, BadAddress, listen, parse


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("8000", "http://127.0.0.1:8000/"),
        ("0", "http://127.0.0.1:0/"),
        ("65535", "http://127.0.0.1:65535/"),
        ("0:8000", "http://0.0.0.0:8000/"),
        ("0.0.0.0:8000", "http://0.0.0.0:8000/"),
        ("192.0.2.1:80", "http://192.0.2.1:80/"),
        ("localhost:8000", "http://localhost:8000/"),
        ("www.example.com:8000", "http://www.example.com:8000/"),
        ("[::]:8000", "http://[::]:8000/"),
        ("[::1]:8000", "http://[::1]:8000/"),
        ("[2001:db8::1]:8000", "http://[2001:db8::1]:8000/"),
        ("unix:/run/site.sock", "unix:/run/site.sock"),
    ],
)
def test_an_address_is_understood(text, url):
    assert parse(text).url == url


@pytest.mark.parametrize(
    ("text", "url"),
    [("8000", "http://[::1]:8000/"), ("0:8000", "http://[::]:8000/"), ("[::1]:80", "http://[::1]:80/")],
)
def test_ipv6_when_asked_for(text, url):
    assert parse(text, use_ipv6=True).url == url


def test_a_relative_path_is_that_of_the_folder_of_the_start():
    assert parse("unix:site.sock") == Address("", 0, os.path.abspath("site.sock"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":",
        ":8000",
        "localhost",
        "localhost:",
        "localhost:http",
        "65536",
        "-1",
        "+1",
        "1_0",
        "8000 ",
        "\u0661",
        "::1:8000",
        "[::1]",
        "[::1:8000",
        "http://localhost:8000",
        "localhost:8000/",
        "8000\n",
    ],
)
def test_anything_else_is_no_address(text):
    with pytest.raises(BadAddress) as refused:
        parse(text)
    assert str(refused.value) == f"{text!r} is not a valid port number or address:port pair."


def test_a_unix_socket_needs_a_path():
    with pytest.raises(BadAddress, match="'unix:' needs a path"):
        parse("unix:")


# Listening


def test_a_free_port_is_found_and_told():
    listener, address = listen(parse("0"))

    with listener:
        assert address == Address("127.0.0.1", listener.getsockname()[1])
        assert address.port != 0


def test_a_server_may_return_to_its_port_at_once():
    """While connections of the one before are still in the kernel's memory (TIME_WAIT)."""
    listener, address = listen(parse("0"))
    with listener, socket.create_connection(("127.0.0.1", address.port)) as client:
        ours, _ = listener.accept()
        ours.close()
        assert client.recv(1) == b""

    again, _ = listen(address)
    again.close()


def test_a_port_in_use_is_told():
    listener, address = listen(parse("0"))

    with listener, pytest.raises(BadAddress) as refused:
        listen(address)

    assert str(refused.value) == f"{address.url} cannot be listened on: that port is already in use."


def test_a_name_that_leads_nowhere_is_told():
    with pytest.raises(BadAddress, match=r"^http://nowhere\.invalid:0/ cannot be listened on: "):
        listen(parse("nowhere.invalid:0"))


@pytest.fixture
def unix(tmp_path):
    return parse(f"unix:{tmp_path}/site.sock")


def connect(address):
    client = socket.socket(socket.AF_UNIX)
    client.connect(address.path)
    return client


def test_whoever_reaches_a_unix_socket_may_connect(unix):
    listener, address = listen(unix)

    with listener, connect(address):
        assert stat.S_IMODE(os.stat(unix.path).st_mode) == 0o666


def test_a_stale_socket_is_replaced(unix):
    listen(unix)[0].close()

    listener, _ = listen(unix)

    with listener, connect(unix):
        pass


def test_a_live_socket_is_not(unix):
    listener, _ = listen(unix)

    with listener:
        with pytest.raises(BadAddress, match="already in use"):
            listen(unix)
        connect(unix).close()


def test_a_file_of_somebody_else_is_not_removed(unix):
    with open(unix.path, "w") as precious:
        precious.write("precious")

    with pytest.raises(BadAddress, match="already in use"):
        listen(unix)

    with open(unix.path) as precious:
        assert precious.read() == "precious"
