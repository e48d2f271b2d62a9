import pytest
from django.core.management import CommandError, call_command

from realtime_wall.errors import NoServer
from realtime_wall.wall.models import Tweet, Wall

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def told(publisher, monkeypatch):
    monkeypatch.setattr("realtime_wall.wall.feed.publish_queue.DIRECT", publisher)
    return publisher.published


def test_a_post_of_ones_own_is_on_the_wall_and_on_the_pages(told, capsys):
    call_command("post", "Lunch is ready", author="Kitchen", image="/static/soup.jpg")

    tweet = Tweet.objects.get()
    assert (tweet.source, tweet.content["text"], tweet.content["author_name"]) == (
        "post",
        "Lunch is ready",
        "Kitchen",
    )
    assert [(channel, event) for channel, _, event, _ in told] == [("tweets", "tweet")]
    assert f"posted as post:{tweet.post_id}" in capsys.readouterr().out


def test_the_same_text_twice_is_two_posts(told):
    call_command("post", "Lunch is ready")
    call_command("post", "Lunch is ready")

    assert Tweet.objects.count() == len(told) == 2


def test_unnamed_it_is_the_walls_own(told):
    Wall.objects.create(slug="hall-2", title="Hall 2")
    call_command("post", "Lunch is ready", wall="hall-2")

    assert told[0][0] == "tweets.hall-2"
    assert told[0][1]["author_name"] == "Hall 2"


@pytest.mark.parametrize(
    "arguments, options, reason",
    [
        (["x"], {"wall": "nowhere"}, "there is no wall 'nowhere'"),
        (["x"], {"image": "javascript:alert(1)"}, "--image has to be"),
        (["x"], {"film": "/static/a.mp4"}, "needs an --image"),
        ([" "], {}, "neither text nor picture"),
    ],
)
def test_what_cannot_be_posted_is_told(arguments, options, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("post", *arguments, **options)
    assert not Tweet.objects.exists()


def test_without_a_server_it_is_stored_all_the_same(monkeypatch, caplog):
    def nobody(*args, **kwargs):
        raise NoServer("nowhere")

    monkeypatch.setattr("realtime_wall.api.publish", nobody)
    call_command("post", "Lunch is ready")

    assert Tweet.objects.count() == 1
    assert caplog.records == []
