"""The client of the media process, against an HTTP server of its own on loopback."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from salon.common.errors import TooManyRequests
from salon.config.environment import environment
from salon.rooms import media
from salon.rooms.errors import InvalidSdp, MediaUnavailable, SessionNotFound

POLICY = {"room": "r", "version": 1, "phase": "live", "speakers": [], "epochs": {}}


class Node:
    """Answers what a test puts in `answers`, in order; remembers what it was asked."""

    def __init__(self):
        self.answers, self.asked, self.connections = [], [], 0
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                node.connections += 1
                super().setup()

            def answer(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                node.asked.append((self.command, self.path, json.loads(body), self.headers["X-Salon-Internal"]))
                status, answer = node.answers.pop(0)
                if status == "hang up":
                    self.close_connection = True
                    return
                text = json.dumps(answer).encode() if answer is not None else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def node(monkeypatch):
    node = Node()
    elsewhere = replace(environment(), media_control_port=node.server.server_port)
    monkeypatch.setattr(media, "environment", lambda: elsewhere)
    media._forget()
    yield node
    media._forget()
    node.server.shutdown()
    node.server.server_close()


def test_open_session_sends_grant_offer_policy_and_source_with_the_secret(node):
    node.answers = [(201, {"session": "s", "answer": "v=0", "etag": '"e"'})]
    assert media.open_session("grant", "offer", POLICY, "192.0.2.7") == media.OpenedSession("s", "v=0", '"e"')
    body = {"grant": "grant", "offer": "offer", "policy": POLICY, "source": "192.0.2.7"}
    assert node.asked == [("POST", "/sessions", body, environment().internal_secret)]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"code": "invalid_sdp", "message": "No audio."}, InvalidSdp),
        (403, {"code": "grant_refused"}, media.GrantRefused),
        (429, {"code": "too_many_requests"}, TooManyRequests),
        (500, None, MediaUnavailable),
        (503, {}, MediaUnavailable),
    ],
)
def test_open_session_refused(node, status, body, error):
    node.answers = [(status, body)]
    with pytest.raises(error) as refused:
        media.open_session("grant", "offer", POLICY)
    if error is InvalidSdp:
        assert refused.value.sentence == "No audio."


def test_restart_ice(node):
    node.answers = [(200, {"fragment": "a=ice-ufrag:x", "etag": '"f"'}), (404, {}), (400, {"message": "bad"}), (500, {})]
    assert media.restart_ice("s", "ann", "fragment") == media.RestartedIce("a=ice-ufrag:x", '"f"')
    assert node.asked[0][:3] == ("PATCH", "/sessions/s", {"person": "ann", "fragment": "fragment"})
    for error in (SessionNotFound, InvalidSdp, MediaUnavailable):
        with pytest.raises(error):
            media.restart_ice("s", "ann", "fragment")


def test_restart_ice_with_the_credentials_in_use_is_no_restart(node):
    node.answers = [(400, {"code": "invalid_sdp", "message": "no new credentials"})]
    assert media.restart_ice("s", "ann", "fragment") is None


def test_close_session(node):
    node.answers = [(204, None), (404, {}), (500, {})]
    media.close_session("s", "ann")
    assert node.asked[0][:3] == ("DELETE", "/sessions/s", {"person": "ann"})
    for error in (SessionNotFound, MediaUnavailable):
        with pytest.raises(error):
            media.close_session("s", "ann")


def test_connection_is_kept_between_requests(node):
    node.answers = [(204, None)] * 3
    for _ in range(3):
        media.close_session("s", "ann")
    assert node.connections == 1


def test_kept_connection_that_was_closed_meanwhile_is_made_anew(node):
    node.answers = [(204, None), ("hang up", None), (204, None)]
    media.close_session("s", "ann")
    media.close_session("s", "ann")
    assert node.connections == 2


def test_new_connection_that_is_closed_means_unavailable(node):
    node.answers = [("hang up", None)]
    with pytest.raises(MediaUnavailable):
        media.close_session("s", "ann")


def test_no_media_process_at_all(node):
    node.server.shutdown()
    node.server.server_close()
    with pytest.raises(MediaUnavailable):
        media.close_session("s", "ann")
