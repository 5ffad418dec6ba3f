"""The people's part of the HTTP API: one module per thing."""

from ninja import Router

from salon.accounts.api.invitations import router as invitations_router
from salon.accounts.api.mailbox import router as mailbox_router
from salon.accounts.api.me import router as me_router
from salon.accounts.api.people import router as people_router
from salon.accounts.api.realtime import router as realtime_router
from salon.accounts.api.tokens import router as tokens_router
from salon.accounts.api.waiting_list import router as waiting_list_router

router = Router(tags=["people"])
for part in (me_router, people_router, invitations_router, waiting_list_router, tokens_router, realtime_router, mailbox_router):
    router.add_router("", part)
