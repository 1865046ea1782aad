"""Three instances behind HAProxy and behind nginx: what is done to one after the other costs no client anything."""

import pytest

from service import Service


@pytest.fixture(params=["haproxy", "nginx"])
def kind(request):
    return request.param


def test_a_rolling_restart_fails_no_request(network, kind, tmp_path):
    with Service(network, kind, tmp_path) as service:
        for instance in service.fleet.instances:
            instance.stop()
            instance.start()
            service.keeping.wait_for(instance)
            service.closing.wait_for(instance)
    service.assert_flawless()


def test_a_rolling_upgrade_fails_no_request(network, kind, tmp_path):
    with Service(network, kind, tmp_path) as service:
        for instance in service.fleet.instances:
            instance.upgrade()
            service.keeping.wait_for(instance)
            service.closing.wait_for(instance)
    service.assert_flawless()
