"""Rooms in the operators' admin: to look at. What happens in a room happens by its rules, never by a form."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from salon.rooms.models import Guest, LinePlace, MediaSession, Place, Removal, Room, RoomAction, SecondModeratorRequest


class ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PlacesInRoom(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Place
    fk_name = "room"
    fields = (
        "person", "role", "entered_at", "left_at", "on_stage_since", "hand_raised_at", "invited_at",
        "muted", "held_at", "silenced", "epoch",
    )  # fmt: skip


class RemovalsFromRoom(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Removal
    fk_name = "room"
    fields = ("person", "by", "reason", "at", "until", "lifted_at", "lifted_by")


class GuestsOfRoom(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Guest
    fields = ("person", "by", "at")


class LineOfRoom(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = LinePlace
    fields = ("person", "visitor", "joined_at", "admitted_until")


@admin.register(Room)
class RoomAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("title", "host", "language", "visibility", "locked", "phase", "audience", "opened_at", "ended_at")
    list_filter = ("phase", "visibility", "language")
    list_select_related = ("host",)
    search_fields = ("id", "title", "host__handle")
    inlines = (PlacesInRoom, RemovalsFromRoom, GuestsOfRoom, LineOfRoom)


@admin.register(RoomAction)
class RoomActionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("at", "room", "action", "actor", "target", "reason", "logged")
    list_filter = ("action", "logged")
    list_select_related = ("room", "actor", "target")
    search_fields = ("room__id", "actor__handle", "target__handle")


@admin.register(SecondModeratorRequest)
class SecondModeratorRequestAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("at", "room", "action", "by", "target", "outcome", "settled_at")
    list_filter = ("action", "outcome")
    list_select_related = ("room", "by", "target")


@admin.register(MediaSession)
class MediaSessionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("id", "room", "person", "direction", "opened_at", "ended_at", "end_reason")
    list_filter = ("direction", "end_reason")
    list_select_related = ("room", "person")
