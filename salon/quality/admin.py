"""For staff who help somebody: how that person's sound was in their last rooms. Find them by handle; nothing here can be changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from salon.common.sound_quality import SHARE_BOUNDS
from salon.quality.domain.steps import SCALES, SHARE
from salon.quality.models import SoundQuality
from salon.rooms.admin import ReadOnly

# The table is wider than most windows, and would rather break each cell in three than be it.
_NO_BREAK = "\N{NO-BREAK SPACE}"
_JOINED_DASH = "\N{WORD JOINER}–\N{WORD JOINER}"
_POOR = SHARE.step_of(SHARE_BOUNDS[2])


class Poor(admin.SimpleListFilter):
    """Where words were missing: 5 % or more of what was heard was made up, or of what was sent was lost."""

    title = "sound"
    parameter_name = "sound"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("poor", "poor: 5 % or more lost or concealed")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() != "poor":
            return queryset
        return queryset.filter(concealed__gte=_POOR) | queryset.filter(lost__gte=_POOR)


@admin.display(description="at", ordering="at")
def _began(row: SoundQuality) -> str:
    """No year: none is kept for longer than a month."""
    return f"{timezone.localtime(row.at):%b %d, %H:%M}".replace(" ", _NO_BREAK)


def _column(name: str) -> Any:
    scale = SCALES[name]

    @admin.display(description=f"{name.replace('_', ' ')}, {scale.unit}", ordering=name)
    def shown(row: SoundQuality) -> str:
        step = getattr(row, name)
        return "–" if step is None else scale.label(step).replace(" ", _NO_BREAK).replace("–", _JOINED_DASH)

    return shown


# Steps are numbers only to the database: "lost 3" would be read as 3 %.
_MEASURES = tuple(_column(name) for name in SCALES)


@admin.register(SoundQuality)
class SoundQualityAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    # What one looks for first: the table is wider than most windows, and rooms have long titles.
    list_display = (_began, "person", "direction", *_MEASURES, "transport", "reports", "room")
    fields = readonly_fields = list_display  # type: ignore[assignment]  # callables are allowed, which the stubs do not know
    list_filter = (Poor, "direction", "transport")
    list_select_related = ("person", "room")
    search_fields = ("person__handle", "room__id")
    search_help_text = "A person's handle, or a room's id"
    ordering = ("-at", "person")
    date_hierarchy = "at"
