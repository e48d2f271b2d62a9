from realtime_wall.config import Config
from realtime_wall.sockets.budgets.user_connection import UserConnection
from realtime_wall.sockets.budgets.visitors import Visitors


def test_it_counts_from_when_its_user_is_known_until_it_is_closed():
    users = {}
    visitors = Visitors(Config(), users.get)
    connection = UserConnection(visitors)
    connection.find_user()
    connection.belongs_to("key")
    assert visitors.user_of("key") is None

    users["key"] = "7"
    for _ in range(3):
        connection.find_user()
        connection.belongs_to("key")
    assert visitors.user_of("key").connections == 1

    for _ in range(2):
        connection.close()
        connection.find_user()
    assert visitors.user_of("key").connections == 0


def test_one_that_is_closed_before_its_user_is_known_never_counts():
    users = {}
    visitors = Visitors(Config(), users.get)
    connection = UserConnection(visitors)
    connection.belongs_to("key")
    connection.close()

    users["key"] = "7"
    connection.find_user()
    assert visitors.user_of("key").connections == 0
