"""The conversation's part of the HTTP API: one's own votes, which no stream tells. Its commands are served with the room's."""

from ninja import Router

from .polls import router as polls_router
from .questions import router as questions_router

router = Router(tags=["conversation"])
router.add_router("", questions_router)
router.add_router("", polls_router)
