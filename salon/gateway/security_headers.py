"""What every answer says to browsers; nothing of a third party is ever loaded."""

from aiohttp import web

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        # Inline styles are what animations and rings set from scripts; no markup of other people's is ever rendered as HTML.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self' {websocket_origin}",
        "worker-src 'self' blob:",
        "font-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class SecurityHeaders:
    """Called for each answer just before its headers are sent; what a handler set itself stays."""

    def __init__(self, public_url: str) -> None:
        # Safari 15 and older do not count the own WebSocket as 'self'.
        websocket_origin = public_url.replace("http", "ws", 1)
        self._headers = {
            "Content-Security-Policy": CONTENT_SECURITY_POLICY.format(websocket_origin=websocket_origin),
            "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if public_url.startswith("https://"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, request: web.Request, response: web.StreamResponse) -> None:
        if response.status == 101:
            return
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        response.headers.popall("Server", None)
