import logging

import pytest

from realtime_wall import signals
from realtime_wall.wall import log_file
from realtime_wall.wall.feed.announce import announce
from realtime_wall.wall.feed.store import Stored
from tests.wall.fakes import RecordingPublisher
from tests.wall.posts import make_post


@pytest.fixture
def path(tmp_path):
    ours = logging.getLogger(log_file.NAME)
    level = ours.level
    log_file.write_to(tmp_path / "wall.log")
    yield tmp_path / "wall.log"
    log_file.stop_writing()
    ours.setLevel(level)
    for signal in (signals.socket_connected, signals.socket_disconnected):
        for receiver in (log_file._connected, log_file._disconnected):
            signal.disconnect(receiver)


def lines(path):
    return path.read_text().splitlines()


def test_the_file_is_made_with_the_first_line(path):
    assert not path.exists()
    logging.getLogger("realtime_wall.wall.feed.feed_supervisor").info("this server feeds the walls")

    (line,) = lines(path)
    assert line.endswith("INFO realtime_wall.wall.feed.feed_supervisor: this server feeds the walls")


def test_it_has_clients_and_of_posts(path):
    signals.socket_connected.send("a socket", request=None)
    signals.socket_disconnected.send("a socket", request=None)
    announce("main", Stored(new=[make_post(), make_post()]), RecordingPublisher())
    announce("main", Stored(), RecordingPublisher())

    assert [line.split(": ", 1)[1] for line in lines(path)] == [
        "a client connected; 0 are connected",
        "a client disconnected; 0 are connected",
        "tweets: 2 new, 0 edited, 0 taken back",
    ]


def test_a_file_that_was_moved_away_is_begun_again(path):
    logger = logging.getLogger("realtime_wall")
    logger.info("one")
    path.rename(path.with_suffix(".1"))
    logger.info("two")

    assert [line[-3:] for line in lines(path)] == ["two"]


def test_each_line_is_written_once_however_often_it_is_set_up(path):
    log_file.write_to(path)
    logging.getLogger("realtime_wall").info("one")

    assert len(lines(path)) == 1


def test_what_cannot_be_encoded_is_no_trouble(path):
    logging.getLogger("realtime_wall").info("half \ud800")

    assert "\\ud800" in lines(path)[0]


def test_warnings_go_to_the_console_as_they_did_without_it(path, capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own
    log_file.write_to(path)

    logging.getLogger("realtime_wall.sockets").warning("a receiver failed")
    logging.getLogger("realtime_wall.sockets").info("a client came")

    assert capsys.readouterr().err == "a receiver failed\n"
    assert len(lines(path)) == 2
