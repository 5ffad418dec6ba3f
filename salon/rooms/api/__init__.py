"""The rooms' part of the HTTP API."""

from ninja import Router

from .commands import router as commands_router
from .line import router as line_router
from .rooms import router as rooms_router
from .sound import router as sound_router

router = Router(tags=["rooms"])
router.add_router("", rooms_router)
router.add_router("", line_router)
router.add_router("", commands_router)
router.add_router("", sound_router)
