from realtime_wall.protocol.rate_limit import Rate, TokenBucket


def test_a_burst_is_free_and_what_follows_has_to_wait():
    bucket = TokenBucket(Rate(10, 20))

    assert bucket.take(20, now=100) <= 0
    assert bucket.take(5, now=100) == 0.5
    assert bucket.take(0, now=100.5) <= 0


def test_who_keeps_to_the_rate_never_waits():
    bucket = TokenBucket(Rate(10, 1))

    assert all(bucket.take(1, now=100 + second / 10) <= 1e-9 for second in range(1000))
    assert not bucket.is_exhausted(200, patience=0)


def test_a_pause_fills_it_and_no_more_than_that():
    bucket = TokenBucket(Rate(10, 20))
    bucket.take(20, now=100)

    assert bucket.take(20, now=1000) <= 0
    assert bucket.take(1, now=1000) > 0


def test_two_bursts_at_once_exhaust_it():
    bucket = TokenBucket(Rate(10, 20))
    bucket.take(40, now=100)
    assert not bucket.is_exhausted(100, patience=30)

    bucket.take(1, now=100)
    assert bucket.is_exhausted(100, patience=30)


def test_more_than_the_rate_for_too_long_exhausts_it():
    bucket = TokenBucket(Rate(10, 20))
    for second in range(32):
        bucket.take(10 if second else 31, now=100 + second)
        assert not bucket.is_exhausted(100 + second, patience=30)

    bucket.take(10, now=133)
    assert bucket.is_exhausted(133, patience=30)


def test_without_a_rate_there_is_no_limit():
    bucket = TokenBucket(Rate(0, 1))

    assert bucket.take(10**9, now=1) <= 0
    assert not bucket.is_exhausted(1, patience=0)
