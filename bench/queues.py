"""How long requests wait, by how they are spread over workers: a simulation, without a server.

    PYTHONPATH=bench /usr/bin/python3 -m queues            prints the tables of docs/operating.md, draws docs/queues.svg
    PYTHONPATH=bench /usr/bin/python3 -m queues --quick    a tenth of the requests; draws nothing

Requests come at random (a Poisson process). 95 of 100 are short and 5 are twenty times as long, so that these are half
of the work. Times are in mean times in the app: 1 is what a request takes on average.
"""

import heapq
import random
import sys
from pathlib import Path

WORKERS = (4, 16, 64)
LOADS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
REQUESTS = 300_000
CLIENTS_A_WORKER = 32
LONG_SHARE, LONG_TIME = 0.05, 10.0
SHORT_TIME = (1 - LONG_SHARE * LONG_TIME) / (1 - LONG_SHARE)


def mixed(dice):
    """The time that a request takes in the app."""
    return dice.expovariate(1 / (LONG_TIME if dice.random() < LONG_SHARE else SHORT_TIME))


# ---- How the instance is chosen, of those with so many requests `under_way` each. A worker with a queue of its own is
# an instance of one.


def sticky(dice, count, workers):
    """Each client has an instance, by its address or its connection."""
    instances = [dice.randrange(count) for _ in range(CLIENTS_A_WORKER * workers)]
    return lambda under_way: dice.choice(instances)


def at_random(dice, count, workers):
    return lambda under_way: dice.randrange(count)


def two_choices(dice, count, workers):
    """The better of two that are drawn."""

    def choose(under_way):
        first, second = dice.randrange(count), dice.randrange(count)
        return first if under_way[first] <= under_way[second] else second

    return choose


def leastconn(dice, count, workers):
    """The one with the fewest under way; of several, any."""

    def choose(under_way):
        fewest, start = min(under_way), dice.randrange(count)
        try:
            return under_way.index(fewest, start)
        except ValueError:
            return under_way.index(fewest)

    return choose


BLIND = (sticky, at_random)  # they do not look at what is under way
POLICIES = {"sticky": sticky, "random": at_random, "two choices": two_choices, "leastconn": leastconn}
SINGLE = "single queue"


def waits(policy, instances, workers_each, load, requests=REQUESTS, seed=1, time_in_app=mixed):
    """The time that each request waits, in order; those of the first tenth are left out.

    In an instance, whichever worker is free first takes the request that has waited longest. The requests are the same
    for each policy.
    """
    traffic, dice = random.Random(seed), random.Random(seed + 1)
    choose = policy(dice, instances, instances * workers_each)
    free_at = [[0.0] * workers_each for _ in range(instances)]  # heaps: when each worker is free
    under_way = [0] * instances
    ends = []
    now, rate, waited = 0.0, load * instances * workers_each, []
    for _ in range(requests):
        now += traffic.expovariate(rate)
        time = time_in_app(traffic)
        while ends and ends[0][0] <= now:
            under_way[heapq.heappop(ends)[1]] -= 1
        chosen = choose(under_way)
        begin = max(now, free_at[chosen][0])
        heapq.heapreplace(free_at[chosen], begin + time)
        if policy not in BLIND:
            heapq.heappush(ends, (begin + time, chosen))
            under_way[chosen] += 1
        waited.append(begin - now)
    return waited[requests // 10 :]


def shown(value):
    """Beyond 100, a queue that never ends, or as good as one."""
    return "over 100" if value > 100 else f"{value:.1f}"


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def p99(policy, instances, workers_each, load, requests):
    return percentile(waits(policy, instances, workers_each, load, requests), 0.99)


def curves(requests):
    """The 99th percentile of the wait by workers, policy and load."""
    result = {}
    for workers in WORKERS:
        for name, policy in POLICIES.items():
            result[workers, name] = [p99(policy, workers, 1, load, requests) for load in LOADS]
        result[workers, SINGLE] = [p99(at_random, 1, workers, load, requests) for load in LOADS]
    return result


def split(requests, load=0.8, workers=64):
    """The same for 64 workers at 80 %, by how many of them share an instance and its queue."""
    sizes = (1, 4, 16, 64)

    def row(policy):
        return [p99(policy, workers // size, size, load, requests) for size in sizes]

    return sizes, {name: row(policy) for name, policy in POLICIES.items()}


def tables(found, sizes, by_size):
    names = [*POLICIES, SINGLE]
    yield "| workers | busy | " + " | ".join(names) + " |"
    yield "|---|---|" + "---|" * len(names)
    for workers in WORKERS:
        for load in (0.6, 0.8, 0.9):
            cells = (shown(found[workers, name][LOADS.index(load)]) for name in names)
            yield f"| {workers} | {100 * load:.0f} % | " + " | ".join(cells) + " |"
    yield ""
    yield "| 64 workers as | " + " | ".join(POLICIES) + " |"
    yield "|---|" + "---|" * len(POLICIES)
    for at, size in enumerate(sizes):
        cells = (shown(by_size[name][at]) for name in POLICIES)
        yield f"| {64 // size} × {size} | " + " | ".join(cells) + " |"


LOWEST, HIGHEST = 0.05, 100.0  # that are drawn


def drawn(values):
    """What is next to nothing lies on the axis, which has no zero."""
    return [max(value, LOWEST) for value in values]


def draw(found, sizes, by_size, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "bench"  # equal figures, equal files
    from matplotlib import pyplot

    colours = {
        "sticky": "#b5651d", "random": "#c0392b", "two choices": "#8e44ad", "leastconn": "#2e8b57", SINGLE: "#1b6ca8",
    }
    figure, panels = pyplot.subplots(2, 2, figsize=(9, 7.2), sharey=True)
    for axes, workers in zip(panels.flat, WORKERS):
        for name in [*POLICIES, SINGLE]:
            width = 2.4 if name == SINGLE else 1.4
            loads = [100 * load for load in LOADS]
            axes.plot(loads, drawn(found[workers, name]), color=colours[name], linewidth=width, label=name)
        axes.set_title(f"{workers} workers, a queue each; or one for all", fontsize=10, loc="left")
        axes.set_xlabel("load: busy workers, %", fontsize=8, loc="left")
    last = panels.flat[3]
    for name in POLICIES:
        last.plot(range(len(sizes)), drawn(by_size[name]), color=colours[name], linewidth=1.4, marker="o", markersize=4)
    last.set_xticks(range(len(sizes)), [f"{64 // size} × {size}" for size in sizes])
    last.set_title("64 workers, 80 % busy, as instances × workers", fontsize=10, loc="left")
    last.set_xlabel("instances × workers that share a queue", fontsize=8, loc="left")
    for axes in panels.flat:
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, HIGHEST)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#dddddd")
        axes.tick_params(labelsize=8, labelleft=True)
    panels.flat[0].legend(fontsize=8, loc="lower right", frameon=False)
    figure.supylabel("one request of 100 waits longer than (mean times in the app)", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    quick = "--quick" in sys.argv
    requests = REQUESTS // 10 if quick else REQUESTS
    found = curves(requests)
    sizes, by_size = split(requests)
    print("\n".join(tables(found, sizes, by_size)))
    if not quick:
        draw(found, sizes, by_size, Path(__file__).resolve().parents[1] / "docs/queues.svg")


if __name__ == "__main__":
    main()
