"""Rates and fair shares of callers."""

import pytest

from runtime.quota import WAIT_MS_MAX, Bucket, within_share


def test_a_bucket_gives_its_rate_and_says_how_long_to_wait() -> None:
    bucket = Bucket(100, 0.0)
    assert bucket.wait_ms(0.0) == 0
    bucket.take(150)
    assert bucket.wait_ms(0.0) == 501
    assert bucket.wait_ms(0.4) == 101
    assert bucket.wait_ms(0.51) == 0


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_the_rate_holds_for_batches_of_any_size(batch: int) -> None:
    bucket, taken = Bucket(1_000, 0.0), 0
    for tick in range(100_000):
        if bucket.wait_ms(tick / 1_000) == 0:
            bucket.take(batch)
            taken += batch
    assert 100_000 <= taken <= 101_000 + batch


def test_a_long_rest_saves_a_second_and_a_clock_that_jumps_back_nothing() -> None:
    bucket = Bucket(10, 1_000.0)
    bucket.take(0)
    assert bucket.wait_ms(9_999.0) == 0
    bucket.take(21)
    assert bucket.wait_ms(5.0) == 1_101
    bucket.take(10**9)
    assert bucket.wait_ms(5.0) == WAIT_MS_MAX


def test_greedy_callers_leave_each_other_and_newcomers_room() -> None:
    limit, held = 1_000, [0] * 4
    for _ in range(1_000):
        for index, own in enumerate(held):
            if within_share(own, 1, sum(held), limit):
                held[index] += 1
    assert min(held) == max(held) == limit // 5
    assert within_share(0, limit // 5, sum(held), limit), "a newcomer finds room for as much"
