"""The simulation of queues, beside what is known of them."""

import math

import pytest

import queues


def exponential(dice):
    return dice.expovariate(1)


def mean(values):
    return sum(values) / len(values)


def erlang_c(workers, load):
    """How likely a request is to wait, where all come at random and times in the app are exponential."""
    offered = load * workers
    queued = offered**workers / math.factorial(workers) / (1 - load)
    return queued / (sum(offered**k / math.factorial(k) for k in range(workers)) + queued)


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_a_single_queue_waits_as_erlang_says(workers):
    waited = queues.waits(queues.at_random, 1, workers, 0.7, 60_000, time_in_app=exponential)
    likely = erlang_c(workers, 0.7)
    assert mean([wait > 0 for wait in waited]) == pytest.approx(likely, rel=0.1)
    assert mean(waited) == pytest.approx(likely / (workers * 0.3), rel=0.25)


def test_queues_at_random_are_as_many_single_ones():
    waited = queues.waits(queues.at_random, 8, 1, 0.5, 60_000, time_in_app=exponential)
    assert mean(waited) == pytest.approx(1.0, rel=0.15)  # load / (1 - load)


def test_the_mean_time_in_the_app_is_one():
    dice = queues.random.Random(7)
    assert mean([queues.mixed(dice) for _ in range(200_000)]) == pytest.approx(1, rel=0.05)


def test_more_that_is_known_means_less_waiting():
    by_policy = [mean(queues.waits(policy, 8, 1, 0.8, 30_000)) for policy in queues.POLICIES.values()]
    assert by_policy == sorted(by_policy, reverse=True)
    assert mean(queues.waits(queues.at_random, 1, 8, 0.8, 30_000)) < by_policy[-1]


def test_larger_instances_wait_less():
    waited = [mean(queues.waits(queues.leastconn, 16 // size, size, 0.8, 30_000)) for size in (1, 4, 16)]
    assert waited == sorted(waited, reverse=True)
