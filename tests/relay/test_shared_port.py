"""deploy/haproxy.cfg: the web and sound on one port, told apart by their first bytes."""

import asyncio
import contextlib
import datetime
import re
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from salon.relay._engine import Engine, Speaker
from tests.relay.engine_browser import connect, open_page, selected_pair, until_heard, write_tone
from tests.relay.engine_peers import room_of

CONFIGURATION = Path("deploy/haproxy.cfg")
MEDIA_PORT, PUBLIC_PORT, WEB_PORT = 18713, 18714, 18715
PROXY_PROTOCOL = b"\r\n\r\n\0\r\nQUIT\n"

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="needs haproxy")


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[None]:
    """HAProxy with the configuration that we ship, on other ports."""
    text = CONFIGURATION.read_text()  # noqa: ASYNC240  (a small file, before anything runs)
    for shipped, here in [
        ("bind :443", f"bind 127.0.0.1:{PUBLIC_PORT}"),
        ("127.0.0.1:8443", f"127.0.0.1:{WEB_PORT}"),
        ("127.0.0.1:8004", f"127.0.0.1:{MEDIA_PORT}"),
        ("inspect-delay 5s", "inspect-delay 300ms"),
    ]:
        assert shipped in text
        text = re.sub(rf"^([^#\n]*){re.escape(shipped)}", rf"\g<1>{here}", text, flags=re.MULTILINE)
    file = tmp_path / "haproxy.cfg"
    file.write_text(text)
    process = await asyncio.create_subprocess_exec("haproxy", "-db", "-f", file)
    try:
        while not _is_listening(PUBLIC_PORT):
            assert process.returncode is None
            await asyncio.sleep(0.02)
        yield
    finally:
        process.terminate()
        await process.wait()


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _tls_for_localhost(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "tls.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_sound_passes_through_the_port_of_the_web(proxy: None, tmp_path: Path) -> None:
    engine = Engine(port=MEDIA_PORT, addresses=["127.0.0.1"], bind="127.0.0.1", tcp_ports=[PUBLIC_PORT])
    async with room_of(engine) as room:
        engine.set_stage("room", [Speaker("ada", 7, False)])
        await room.speak("ada", 620)
        async with open_page(write_tone(tmp_path / "tone.wav")) as page:

            def only_public(answer: str) -> str:
                return re.sub(rf"a=candidate:.* 127.0.0.1 {MEDIA_PORT} .*\r\n", "", answer)

            await connect(room, page, "listen-bob", "bob", slots=1, edit=only_public)
            await until_heard(page)
            assert await selected_pair(page) == {"protocol": "tcp", "port": PUBLIC_PORT}


async def test_tls_reaches_the_web_server_with_the_address_of_who_asks(proxy: None, tmp_path: Path) -> None:
    """The web server stands behind a line of the PROXY protocol; asyncio has no server that takes one, so TLS is spoken by hand."""
    asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    tls, inward, outward = _tls_for_localhost(tmp_path), ssl.MemoryBIO(), ssl.MemoryBIO()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header = await reader.readexactly(16)
        assert header.startswith(PROXY_PROTOCOL)
        await reader.readexactly(int.from_bytes(header[14:16], "big"))
        server = tls.wrap_bio(inward, outward, server_side=True)
        while not asked.done():
            try:
                server.do_handshake()
                asked.set_result(server.read(100))
            except ssl.SSLWantReadError:
                pass
            writer.write(outward.read())
            if not asked.done():
                inward.write(await reader.read(4096))
        writer.close()

    web = await asyncio.start_server(answer, "127.0.0.1", WEB_PORT)
    async with web:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "tls.pem"))
        trusting.check_hostname = False
        _, writer = await asyncio.open_connection("127.0.0.1", PUBLIC_PORT, ssl=trusting)
        writer.write(b"GET / HTTP/1.1\r\n")
        assert await asyncio.wait_for(asked, 10) == b"GET / HTTP/1.1\r\n"
        writer.close()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\x80\x46\x01\x03\x01", b""])
async def test_anything_else_is_closed(proxy: None, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PUBLIC_PORT)
    writer.write(said)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
