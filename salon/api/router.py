"""The HTTP API under /api/v1: one NinjaAPI that mounts each app's router."""

from django.http import HttpRequest
from ninja import NinjaAPI

from salon.accounts.api import router as accounts_router
from salon.accounts.callers import Caller, caller_of
from salon.api import failures
from salon.api.bodies import BodyParser
from salon.config.environment import environment
from salon.conversation.api import router as conversation_router
from salon.quality.api import router as quality_router
from salon.rooms.api import router as rooms_router
from salon.social.api import router as social_router


def identify(request: HttpRequest) -> Caller:
    """Runs before every operation: finds the caller, refuses bad tokens and forged forms. Visitors pass; operations decide about them."""
    return caller_of(request)


# docs/protocol.md section 2: by access token, by session, or as a visitor.
_SIGNING_IN = {
    "components": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "A personal access token."},
            "session": {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "Changes carry X-CSRFToken as well."},
        }
    },
    "security": [{}, {"token": []}, {"session": []}],
}
# No documentation page: Swagger's and Redoc's come from third-party hosts. openapi.json is for tools, docs/protocol.md for people.
api = NinjaAPI(
    title="Salon",
    version="1",
    docs_url=None,
    openapi_url="/openapi.json",
    auth=identify,
    urls_namespace="api",
    openapi_extra=_SIGNING_IN,
    parser=BodyParser(),
)
failures.install(api)
api.add_router("", accounts_router)
api.add_router("", social_router)
api.add_router("", rooms_router)
api.add_router("", conversation_router)
api.add_router("", quality_router)

if environment().demo:
    from salon.demo.api import router as demo_router

    api.add_router("", demo_router)
