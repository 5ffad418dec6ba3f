"""The people's part of the HTTP API."""

from ninja import Router

from .me import router as me_router

router = Router(tags=["people"])
router.add_router("", me_router)
