"""What is written in rooms, in the operators' admin: that it was, by whom and when. Their words are not for leafing through."""

from django.contrib import admin

from salon.conversation.models import ChatMessage, Link, Poll, Question
from salon.rooms.admin import ReadOnly


@admin.register(ChatMessage)
class ChatMessageAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("id", "room", "author", "posted_at", "deleted_at", "deleted_by")
    list_select_related = ("room", "author", "deleted_by")
    search_fields = ("room__id", "author__handle")
    fields = ("room", "author", "posted_at", "deleted_at", "deleted_by")


@admin.register(Question)
class QuestionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("id", "room", "author", "state", "votes", "asked_at")
    list_filter = ("state",)
    list_select_related = ("room", "author")
    search_fields = ("room__id", "author__handle")
    fields = ("room", "author", "state", "votes", "asked_at")


@admin.register(Link)
class LinkAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("url", "title", "room", "by", "pinned_at", "unpinned_at")
    list_select_related = ("room", "by")
    search_fields = ("url", "room__id", "by__handle")


@admin.register(Poll)
class PollAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("question", "room", "by", "opened_at", "closed_at")
    list_select_related = ("room", "by")
    search_fields = ("room__id", "by__handle")
