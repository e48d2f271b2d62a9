import pytest

from realtime_wall.sockets.pending_acks import MAX_OPEN, PendingAcks, Reply


class Waiting:
    def __init__(self):
        self.told = []

    def reply(self):
        return Reply(self.told.append, lambda: self.told.append("given up"))


@pytest.fixture
def questions():
    return PendingAcks()


def test_an_answer_reaches_who_asked_and_nobody_else(questions):
    one, two = Waiting(), Waiting()
    ids = [questions.add(waiting.reply()) for waiting in (one, two)]

    questions.acknowledged(ids[1], [1, 2])
    questions.acknowledged(ids[1], ["again"])

    assert (one.told, two.told) == ([], [[1, 2]])


@pytest.mark.parametrize("reply_id", [0, -1, 7, 10**15, None, "1", 1.5, [1]])
def test_an_answer_that_nobody_waits_for_is_ignored(questions, reply_id):
    waiting = Waiting()
    questions.add(waiting.reply())

    questions.acknowledged(reply_id, [1])

    assert waiting.told == []


def test_when_the_client_is_gone_all_are_told_so_once(questions):
    waiting = Waiting()
    questions.add(waiting.reply())
    questions.add(waiting.reply())

    questions.give_up()
    questions.give_up()
    questions.acknowledged(1, ["late"])

    assert waiting.told == ["given up"] * 2


def test_a_client_that_never_answers_is_not_waited_for_for_ever(questions):
    first = Waiting()
    questions.add(first.reply())
    ids = {questions.add(Waiting().reply()) for _ in range(MAX_OPEN)}

    assert first.told == ["given up"]
    assert len(ids) == MAX_OPEN
