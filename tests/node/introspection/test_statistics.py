"""The statistics of several servers, as one."""

from realtime_wall.node.introspection.statistics import of_all


def info(channel, subscribers, published=0):
    return {"channel": channel, "published_messages": published, "subscribers": subscribers}


def test_who_is_there_is_added_up_and_what_is_logged_is_on_all_servers():
    told = of_all([info("a", 2, published=7), info("a", 1, published=8)])

    assert told == info("a", 3, published=8)


def test_a_channel_is_counted_once_whether_it_is_logged_or_only_listened_to():
    one = {"channels": 4, "logged": 2, "unlogged": ["c", "d"], "sockets": 1}
    other = {"channels": 4, "logged": 2, "unlogged": ["d", "e"], "sockets": 2}

    assert of_all([one, other]) == {"channels": 5, "sockets": 3}
    assert of_all([one]) == {"channels": 4, "sockets": 1}


def test_channels_of_several_servers_are_listed_by_name():
    one = {"channels": 2, "infos": [info("a", 1), info("c", 1)]}
    other = {"channels": 2, "infos": [info("b", 1), info("c", 2)]}

    assert of_all([one, other]) == {"channels": 3, "infos": [info("a", 1), info("b", 1), info("c", 3)]}


def test_channels_that_were_asked_for_keep_their_order():
    one = {"channels": 2, "infos": [info("z", 1), info("a", 1)]}

    assert of_all([one, one]) == {"channels": 2, "infos": [info("z", 2), info("a", 2)]}
