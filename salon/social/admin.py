"""Contested shields in the operator's pages. Who blocked whom is nobody's to look at, staff's neither: they see how many count."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from salon.accounts.callers import person_of
from salon.social.actions.shield import accept_contest, refuse_contest
from salon.social.models import ShieldContest
from salon.social.queries import independent_blocks


@admin.register(ShieldContest)
class ShieldContestAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("person", "at", "state", "decided_at", "decided_by")
    list_filter = ("state", "at")
    list_select_related = ("person", "decided_by")
    search_fields = ("person__handle",)
    ordering = ("-at",)
    fields = ("person", "text", "at", "independent_blocks_now", "state", "decided_at", "decided_by")
    actions = ("accept_contests", "refuse_contests")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ShieldContest | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ShieldContest | None = None) -> bool:
        # Needed for actions and the list; a single contest is only looked at.
        return obj is None and super().has_change_permission(request)

    @admin.display(description="Independent blocks that count now")
    def independent_blocks_now(self, contest: ShieldContest) -> int:
        return independent_blocks(contest.person)

    @admin.action(permissions=["change"], description="Accept: blocks up to now mark the profile no longer")
    def accept_contests(self, request: HttpRequest, contests: QuerySet[ShieldContest]) -> None:
        for contest in contests:
            accept_contest(contest, person_of(request))

    @admin.action(permissions=["change"], description="Refuse: the mark stays")
    def refuse_contests(self, request: HttpRequest, contests: QuerySet[ShieldContest]) -> None:
        for contest in contests:
            refuse_contest(contest, person_of(request))
