"""The ideal that an open loop is compared to: one queue, served in order of arrival by whoever is free."""

import heapq
import random

FAST, SLOW = 0.001, 0.5  # seconds of the app
SLOW_SHARE = 0.01


def poisson_trace(rate, seconds, seed, slow_share=SLOW_SHARE):
    """[(when, how long the app takes)], in order."""
    source = random.Random(seed)
    trace, now = [], source.expovariate(rate)
    while now < seconds:
        trace.append((now, SLOW if source.random() < slow_share else FAST))
        now += source.expovariate(rate)
    return trace


def waits(trace, servers):
    """How long each arrival takes, with its wait."""
    free = [0.0] * servers
    taken = []
    for arrived, service in trace:
        begins = max(arrived, heapq.heappop(free))
        heapq.heappush(free, begins + service)
        taken.append(begins + service - arrived)
    return taken


def percentile(values, share):
    """As the clients take it: the value that so many are below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def fast_p99(trace, taken):
    return percentile([took for took, (_, service) in zip(taken, trace) if service == FAST], 0.99)


def limit(ideal_ms):
    """What we allow ourselves for an ideal of so many milliseconds."""
    return max(1.5 * ideal_ms, ideal_ms + 8)
