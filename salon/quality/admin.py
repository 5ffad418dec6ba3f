"""For staff who help somebody: how that person's sound was in their last rooms. Find them by handle; nothing here can be changed."""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from salon.common.sound_quality import SHARE_BOUNDS
from salon.quality.domain.steps import SCALES, SHARE, Scale
from salon.quality.models import SoundQuality
from salon.rooms.admin import ReadOnly
from salon.rooms.enums import Direction

# The table is as wide as most windows, and would rather break each cell in three than be it.
_NO_BREAK = "\N{NO-BREAK SPACE}"
_JOINED_DASH = "\N{WORD JOINER}–\N{WORD JOINER}"
_NOTHING = "–"
_POOR = SHARE.step_of(SHARE_BOUNDS[2])

_TITLE = _("How people's sound was")
_DIRECTIONS = {Direction.LISTEN.value: _("listening"), Direction.SPEAK.value: _("speaking")}
_MEASURES = {"lost": _("lost"), "concealed": _("concealed"), "jitter": _("jitter"), "delay": _("delay"), "round_trip": _("round trip")}

_Column: TypeAlias = Callable[[SoundQuality], str]


class PoorFilter(admin.SimpleListFilter):
    """Where words were missing: 5 % or more of what was heard was made up, or of what was sent was lost."""

    title = _("sound")
    parameter_name = "sound"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("poor", _("poor: 5 % or more lost or concealed"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() != "poor":
            return queryset
        return queryset.filter(concealed__gte=_POOR) | queryset.filter(lost__gte=_POOR)


class DirectionFilter(admin.SimpleListFilter):
    title = _("direction")
    parameter_name = "direction"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(_DIRECTIONS.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(direction=self.value()) if self.value() in _DIRECTIONS else queryset


def _began(row: SoundQuality) -> str:
    """No year: none is kept for longer than a month."""
    return date_format(timezone.localtime(row.at), pgettext("month, day, time", "M j, H:i")).replace(" ", _NO_BREAK)


def _measured(name: str, scale: Scale) -> _Column:
    """Steps are numbers only to the database: "lost 3" would be read as 3 %."""

    def shown(row: SoundQuality) -> str:
        step = getattr(row, name)
        if step is None:
            return _NOTHING
        return scale.label(step, decimal_mark=get_format("DECIMAL_SEPARATOR")).replace(" ", _NO_BREAK).replace("–", _JOINED_DASH)

    return shown


def _column(name: str, heading: str | Promise, shown: _Column) -> _Column:
    @admin.display(description=heading, ordering=name)  # type: ignore[arg-type]  # a lazy heading is fine, which the stubs do not know
    def column(row: SoundQuality) -> str:
        return shown(row)

    column.__name__ = name  # the cells' class in the page, which its style goes by
    return column


def _on_card(column: Any) -> _Column:
    """With its heading in each cell, for phones: there a row is a card, and no head stands above it."""
    heading = column.short_description
    return _column(
        column.__name__, heading, lambda row: format_html('<span class="on-a-card">{} </span>{}', capfirst(heading), column(row))
    )


_AT = _column("at", format_lazy("{}, UTC", _("began")), _began)
_REPORTS = _column("reports", _("reports"), lambda row: str(row.reports))
# What one looks for first: rooms have long titles.
_COLUMNS = (
    _column("person", _("person"), lambda row: str(row.person)),
    _column("direction", _("direction"), lambda row: str(_DIRECTIONS[row.direction])),
    *(_column(name, format_lazy("{}, {}", _MEASURES[name], scale.unit), _measured(name, scale)) for name, scale in SCALES.items()),
    _column("transport", _("transport"), lambda row: row.transport or _NOTHING),
    _column("room", _("room"), lambda row: row.room.title),
)


@admin.register(SoundQuality)
class SoundQualityAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = (_AT, *map(_on_card, _COLUMNS))
    fields = readonly_fields = cast("Any", (_AT, *_COLUMNS, _REPORTS))  # callables are allowed, which the stubs do not know
    list_filter = (PoorFilter, DirectionFilter, "transport")
    list_select_related = ("person", "room")
    search_fields = ("person__handle", "room__id")
    search_help_text = _("A person's handle, or a room's id")
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-at", "person")
    date_hierarchy = "at"

    class Media:
        css = {"all": ("quality/sound_quality.css",)}  # noqa: RUF012  (Django's own way to say it)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _TITLE, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().change_view(request, object_id, form_url, {"title": _TITLE, **(extra_context or {})})
