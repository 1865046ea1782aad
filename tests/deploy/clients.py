"""Clients of the fleet that tell what became of each request, and wrk for pressure."""

import re
import shutil
import signal
import ssl
import subprocess
from collections import Counter

import pytest

from harness import _die_with_parent, request_bytes, wait_until
from load import Load

WHO = request_bytes("/env?name=INSTANCE")


class Clients(Load):
    """Ask through a proxy which instance answers."""

    def __init__(self, front, clients=3, keep_alive=False, request=WHO):
        super().__init__(front, clients, keep_alive, request)
        self._front = front

    def _connect(self):
        return self._front.connect()

    def answers_of(self, instance):
        return self.bodies[instance.name.encode() + b"\n"]

    def wait_for(self, instance, more=5):
        """Until the instance has answered so many more."""
        before = self.answers_of(instance)
        wait_until(lambda: self.answers_of(instance) >= before + more, 20, f"answers of {instance.name}")


class TlsClients(Clients):
    """The same over TLS; `certificates` counts those that they were shown, a connection each."""

    def __init__(self, front, clients=3, keep_alive=False):
        super().__init__(front, clients, keep_alive)
        self.certificates = Counter()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE  # which one it is, the test looks at

    def _connect(self):
        sock = self._context.wrap_socket(super()._connect(), server_hostname="example.org")
        self.certificates[sock.getpeercert(binary_form=True)] += 1
        return sock

    def wait_for_certificate(self, certificate):
        """Until each of them, probably, has connected again and was shown it."""
        wait_until(lambda: self.certificates[certificate] >= 3, 20, "the new certificate")

    def assert_answered(self):
        """Connections may be closed by an answer that says so."""
        assert self.failures == []
        assert set(self.answers) == {200}


class Wrk:
    """wrk for one `with` block, on requests that hold a worker for a while."""

    def __init__(self, front, connections=16, path="/sleep?ms=10"):
        program = shutil.which("wrk") or pytest.skip("wrk is not installed")
        url = f"http://{front.host}:{front.port}{path}"
        self._command = [program, "-t", "1", "-c", str(connections), "-d", "300s", "--timeout", "20s", url]

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=_die_with_parent
        )
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)  # its summary follows
        self.summary = self._process.communicate(timeout=40)[0]

    def assert_flawless(self):
        requests = re.search(r"(\d+) requests in", self.summary)
        assert requests and int(requests[1]) > 100, self.summary
        assert "Socket errors" not in self.summary and "Non-2xx" not in self.summary, self.summary
