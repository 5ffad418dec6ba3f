"""One's own sound quality, as it is kept."""

from django.http import HttpRequest
from ninja import Router

from salon.accounts.callers import person_of
from salon.common.wire import refusals
from salon.quality import queries
from salon.quality.shapes import OwnQualityPage

router = Router(tags=["me"])


@router.get("/me/sound-quality", operation_id="my_sound_quality", response={200: OwnQualityPage, **refusals()})
def my_sound_quality(request: HttpRequest) -> OwnQualityPage:
    """All that is kept of how one's sound was."""
    return queries.own_quality(person_of(request))
