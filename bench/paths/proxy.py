"""deploy/haproxy.cfg in front of a Salon: the web and sound share port 443 of one address. TLS is ended by the same HAProxy behind it."""

import datetime
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.installation import ROOT, Installation
from bench.ports import free_ports
from bench.programs import BenchFailed

PORT = 443
_SHIPPED = ROOT / "deploy" / "haproxy.cfg"
_PATIENCE_SECS = 10
_WEB_SERVER = """
frontend web_server
    mode http
    bind 127.0.0.1:{port} accept-proxy ssl crt {certificate} alpn h2,http/1.1
    timeout tunnel 1h
    option forwardfor
    http-request set-header X-Forwarded-Proto https
    default_backend gateway

backend gateway
    mode http
    timeout tunnel 1h
    server gateway 127.0.0.1:{gateway}
"""


@contextmanager
def proxy(salon: Installation, address: str) -> Iterator[None]:
    """On port 443 of `address`, which is the one of SALON_MEDIA_ADDRESSES as well. Raises BenchFailed."""
    if shutil.which("haproxy") is None:
        raise BenchFailed("haproxy is missing: on Debian, apt-get install haproxy")
    web_port = free_ports(1)
    file, certificate = salon.folder / "haproxy.cfg", salon.folder / "tls.pem"
    _write_certificate(certificate, address)
    shipped = configured(_SHIPPED.read_text(), address, web_port, salon.port + 4)
    file.write_text(shipped + _WEB_SERVER.format(port=web_port, certificate=certificate, gateway=salon.port))
    with (salon.folder / "haproxy.log").open("ab") as log:
        process = subprocess.Popen(["haproxy", "-db", "-f", str(file)], stdout=log, stderr=log)
    try:
        _until_open(process, address, salon.folder / "haproxy.log")
        yield
    finally:
        process.terminate()
        process.wait()


def configured(text: str, address: str, web_port: int, media_port: int) -> str:
    """The shipped configuration with other addresses and ports. Raises BenchFailed where it has none of those that it should."""
    for shipped, here in (
        ("bind :443", f"bind {address}:{PORT}"),
        ("127.0.0.1:8443", f"127.0.0.1:{web_port}"),
        ("127.0.0.1:8004", f"{address}:{media_port}"),
    ):
        text, count = re.subn(rf"^([^#\n]*){re.escape(shipped)}", rf"\g<1>{here}", text, flags=re.MULTILINE)
        if count != 1:
            raise BenchFailed(f"deploy/haproxy.cfg has no single {shipped}")
    return text


def _write_certificate(file: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _until_open(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((address, PORT)) == 0:
                return
        time.sleep(0.02)
    raise BenchFailed(f"HAProxy does not listen: {log.read_text(errors='replace')[-1000:]}")
