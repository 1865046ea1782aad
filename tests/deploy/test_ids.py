"""What the proxies of deploy/ say of a request is theirs, and not the client's."""

import re

import pytest

from fleet import Fleet
from fronts import Front
from harness import read_response, request_bytes, wait_until


@pytest.mark.parametrize("kind", ["haproxy", "nginx"])
def test_a_clients_own_id_does_not_reach_the_logs(network, kind, tmp_path):
    log = tmp_path / "access.log"
    options = ("--access-logfile", log, "--access-logformat", "%(r)s id=%(i)s queue=%(Q)s")
    with Fleet(network, *options), Front(kind, tmp_path) as front:
        with front.connect() as sock:
            sock.sendall(request_bytes("/?mine", {"X-Request-Id": "chosen-by-the-client-itself"}))
            assert read_response(sock).status == 200
        line = wait_until(lambda: re.search(r"^GET /\?mine HTTP/1\.1 id=(\S+) queue=(\d+)$", log.read_text(), re.M))
        assert re.fullmatch("[0-9a-f-]{32,36}", line[1])
