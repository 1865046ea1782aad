"""Self-signed certificates, as the proxies of deploy/ read them."""

import os
import ssl
import subprocess


class Certificates:
    """certs/site.pem in the directory of a test: certificate chain and key in one file."""

    def __init__(self, folder):
        self._folder = folder / "certs"
        self._folder.mkdir()
        self.renew()

    def renew(self):
        """A new key and certificate in place of the old ones, by renaming. Returns the certificate, as DER."""
        chain, key, site = (self._folder.with_name(name) for name in ("chain.pem", "key.pem", "site.pem.new"))
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subject = ["-subj", "/CN=example.org", "-days", "2", "-keyout", str(key), "-out", str(chain)]
        subprocess.run([*command, *subject], check=True, capture_output=True)
        site.write_text(chain.read_text() + key.read_text())
        os.replace(site, self._folder / "site.pem")
        return ssl.PEM_cert_to_DER_cert(chain.read_text())
