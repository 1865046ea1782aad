"""TLS in front of the instances: certificates are renewed while clients go on."""

import shutil

import pytest

from certificates import Certificates
from clients import TlsClients
from fleet import Fleet
from fronts import Front
from network import CLIENT, FRONT

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

WHOSE = "%({X-Forwarded-For}i)s %({X-Forwarded-Proto}i)s"


def test_haproxy_renews_its_certificate_without_a_failed_request(network, tmp_path):
    certificates = Certificates(tmp_path)
    log = tmp_path / "access.log"
    front = Front("haproxy", tmp_path, tls=True)
    with Fleet(network, "--access-logfile", log, "--access-logformat", WHOSE):
        with front, TlsClients(front) as closing, TlsClients(front, keep_alive=True) as keeping:
            keeping.wait_more(50)
            for _ in range(3):
                certificate = certificates.renew()
                front.reload()
                closing.wait_for_certificate(certificate)
                keeping.wait_for_certificate(certificate)
                keeping.wait_more(50)
        closing.assert_answered()
        keeping.assert_answered()
    assert set(log.read_text().splitlines()) - {"- -"} == {f"{CLIENT} https"}  # "- -": what asks for its health


@pytest.mark.parametrize("kind", ["hitch", "haproxy-bytes"])
def test_what_passes_bytes_on_names_the_client(network, kind, tmp_path):
    Certificates(tmp_path)
    log = tmp_path / "access.log"
    front = Front(kind, tmp_path, tls=True)
    protocol = ["--proxy-protocol", "v2", "--proxy-allow-from", FRONT]
    with Fleet(network, *protocol, "--access-logfile", log, "--access-logformat", "%(h)s %(U)s"):
        with front, TlsClients(front) as closing, TlsClients(front, keep_alive=True) as keeping:
            closing.wait_more(50)
            keeping.wait_more(50)
        closing.assert_answered()
        keeping.assert_flawless()
    assert {line for line in log.read_text().splitlines() if line.endswith(" /env")} == {f"{CLIENT} /env"}
