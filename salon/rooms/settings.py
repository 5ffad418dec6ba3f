"""What a room can be set to: docs/protocol.md section 4, "Settings". Types for the edges, and one check for whoever opens or edits."""

from collections.abc import Mapping
from typing import Annotated, Any

from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints

from salon.common.errors import Invalid
from salon.common.text import clean_line
from salon.config.environment import environment
from salon.rooms.enums import HandPolicy, Visibility
from salon.rooms.languages import LANGUAGE_PATTERN, clean_language
from salon.rooms.models.room import (
    CAPACITY_MIN,
    SLOW_MODE_SECS_MAX,
    TITLE_MAX,
    TOPIC_MAX,
    TURN_SECS_MAX,
    TURN_SECS_MIN,
)

# Lengths are measured after cleaning (white space, invisible characters): what OpenAPI says here, `clean_settings` decides.
TitleField = Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": TITLE_MAX})]
TopicField = Annotated[str, Field(json_schema_extra={"maxLength": TOPIC_MAX})]
LanguageField = Annotated[str, Field(description="BCP 47, such as fr or en-GB", json_schema_extra={"pattern": LANGUAGE_PATTERN})]
# Strict: a client that sends "no" for false must hear of it, not get the opposite.
SwitchField = Annotated[bool, Field(strict=True)]
CapacityField = Annotated[int, Field(strict=True, ge=CAPACITY_MIN, description="At most what the operator lets into any room")]
TurnSecsField = Annotated[int, Field(strict=True, ge=TURN_SECS_MIN, le=TURN_SECS_MAX)]
ClubField = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{26}$")]
SlowModeSecsField = Annotated[int, Field(strict=True, ge=0, le=SLOW_MODE_SECS_MAX)]


def clean_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as `Room` has them. given: those that were named, by the protocol's names, within the types above.

    Raises Invalid naming the field.
    """
    cleaned = dict(given)
    if "title" in cleaned:
        cleaned["title"] = clean_line(cleaned["title"], TITLE_MAX, field="title", required=True)
    if "topic" in cleaned:
        cleaned["topic"] = clean_line(cleaned["topic"], TOPIC_MAX, field="topic")
    if "language" in cleaned:
        cleaned["language"] = clean_language(cleaned["language"], field="language")
    if "visibility" in cleaned:
        cleaned["visibility"] = Visibility(cleaned["visibility"])
    if "hand_policy" in cleaned:
        cleaned["hand_policy"] = HandPolicy(cleaned["hand_policy"])
    if (capacity := cleaned.get("capacity")) is not None and capacity > (most := environment().room_capacity):
        raise Invalid(field="capacity", message=_("At most %(most)d people can be in one room here.") % {"most": most})
    return cleaned
