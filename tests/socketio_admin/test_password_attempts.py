from realtime_wall.socketio_admin import password_attempts
from realtime_wall.socketio_admin.password_attempts import MOST, SECONDS, PasswordAttempts


def test_so_many_and_no_more_until_the_minute_is_over():
    now = 100.0
    attempts = PasswordAttempts(lambda: now)

    assert [attempts.begin("a") for _ in range(MOST + 2)] == [True] * MOST + [False] * 2
    assert attempts.begin("b")
    now += SECONDS
    assert attempts.begin("a")


def test_who_is_let_in_has_made_none():
    attempts = PasswordAttempts()
    for _ in range(3 * MOST):
        assert attempts.begin("a")
        attempts.succeeded("a")


def test_addresses_without_end_are_not_all_remembered(monkeypatch):
    monkeypatch.setattr(password_attempts, "ADDRESSES", 3)
    attempts = PasswordAttempts()
    for address in "abcde":
        attempts.begin(address)

    assert list(attempts._began) == ["c", "d", "e"]
