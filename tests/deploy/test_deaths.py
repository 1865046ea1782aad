"""One of three instances dies: what fails then is what was in its apps and may not be sent to another."""

import pytest

from clients import Clients
from fleet import WORKERS, Fleet
from fronts import Front
from harness import request_bytes, wait_until
from service import Service


@pytest.mark.parametrize("kind", ["haproxy", "nginx"])
def test_an_instance_that_is_killed_costs_no_request_that_may_be_repeated(network, kind, tmp_path):
    with Service(network, kind, tmp_path) as service:
        dead = service.fleet.instances[0]
        dead.kill()
        service.keeping.wait_more(100)
        service.closing.wait_more(100)
        dead.start()
        service.keeping.wait_for(dead)
    service.assert_flawless()


def failed_posts(network, front, clients, busy, end):
    """How many of the requests that may not be repeated fail when `end` ends the first machine.

    It does so when they have just come: so many of its workers are busy with them.
    """
    post = request_bytes("/sleep?ms=500", method="POST", body=b"order")
    with Fleet(network) as fleet, front:
        dying = fleet.instances[0]
        with Clients(front, clients, request=post) as posting:
            wait_until(lambda: dying.busy() >= busy, what=f"{busy} busy workers")
            end(dying)
            posting.wait_more(3 * clients)
        dying.discard()
    failures = len(posting.failures) + sum(count for status, count in posting.answers.items() if status != 200)
    # None at all would mean that the proxy has sent some again, which the app may have done already.
    assert failures > 0
    return failures


def test_of_what_may_not_be_repeated_only_what_is_in_the_apps_fails_behind_nginx(network, tmp_path):
    """nginx passes all on, so there are no more requests than workers."""
    front = Front("nginx", tmp_path)
    assert failed_posts(network, front, 2 * WORKERS, 2, lambda instance: instance.kill()) <= WORKERS


def test_of_what_may_not_be_repeated_only_what_is_in_the_apps_fails_behind_haproxy(network, tmp_path):
    """A machine that is gone without a word. What waits, waits in HAProxy: there are twice as many as workers."""
    front = Front("haproxy", tmp_path, changes=[("timeout server 40s", "timeout server 4s")])
    try:
        assert failed_posts(network, front, 6 * WORKERS, WORKERS, lambda _: network.set_link(0, "down")) == WORKERS
    finally:
        network.set_link(0, "up")
