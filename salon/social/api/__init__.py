"""The part of the HTTP API about how people stand to each other."""

from ninja import Router

from .lists import router as lists_router
from .relations import router as relations_router
from .shield import router as shield_router

router = Router(tags=["people"])
for part in (relations_router, lists_router, shield_router):
    router.add_router("", part)
