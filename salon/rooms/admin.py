"""Rooms in the operators' admin: to look at. What happens in a room happens by its rules, never by a form."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from salon.rooms.models import MediaSession, Place, Removal, Room, RoomAction


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
    fields = ("person", "role", "entered_at", "left_at", "on_stage_since", "hand_raised_at", "invited_at", "muted", "epoch")


class RemovalsFromRoom(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Removal
    fields = ("person", "by", "reason", "at", "until")


@admin.register(Room)
class RoomAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("title", "host", "language", "visibility", "phase", "audience", "opened_at", "ended_at")
    list_filter = ("phase", "visibility", "language")
    list_select_related = ("host",)
    search_fields = ("id", "title", "host__handle")
    inlines = (PlacesInRoom, RemovalsFromRoom)


@admin.register(RoomAction)
class RoomActionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("at", "room", "action", "actor", "target")
    list_filter = ("action",)
    list_select_related = ("room", "actor", "target")
    search_fields = ("room__id", "actor__handle", "target__handle")


@admin.register(MediaSession)
class MediaSessionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("id", "room", "person", "direction", "opened_at", "ended_at", "end_reason")
    list_filter = ("direction", "end_reason")
    list_select_related = ("room", "person")
