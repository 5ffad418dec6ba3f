from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from salon.common.ids import ID_LENGTH, new_id
from salon.rooms.enums import EndReason, HandPolicy, Phase, Visibility

TITLE_MAX, TOPIC_MAX = 100, 200
CAPACITY_MIN = 2
TURN_SECS_MIN, TURN_SECS_MAX = 30, 3600
SLOW_MODE_SECS_MAX = 300


class Room(models.Model):
    """One live conversation. Who is where in it is in Place; what may be heard is derived from both (policy.py)."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    host = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="rooms_hosted")
    title = models.CharField(max_length=TITLE_MAX)
    topic = models.CharField(max_length=TOPIC_MAX, blank=True)
    language = models.CharField(max_length=35)
    """BCP 47 (RFC 5646 section 4.4.1 names 35 characters as enough for any)."""
    visibility = models.CharField(max_length=10, default=Visibility.OPEN)
    club = models.CharField(max_length=ID_LENGTH, blank=True)
    """The club whose room it is, by its id alone: rooms ask about clubs through rooms/clubs.py and import nothing of them."""
    locked = models.BooleanField(default=False)
    """Newcomers stay out."""
    capacity = models.PositiveIntegerField(null=True, blank=True)
    """How many may be in; None: as many as the operator lets into any room."""
    hand_policy = models.CharField(max_length=25, default=HandPolicy.EVERYONE)
    stage_locked = models.BooleanField(default=False)
    fair_floor = models.BooleanField(default=False)
    turn_secs = models.PositiveSmallIntegerField(null=True, blank=True)
    chat = models.BooleanField(default=True)
    questions = models.BooleanField(default=True)
    links = models.BooleanField(default=True)
    reactions = models.BooleanField(default=True)
    polls = models.BooleanField(default=True)
    slow_mode_secs = models.PositiveSmallIntegerField(default=0)
    deputy = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    grace_ends_at = models.DateTimeField(null=True, blank=True)
    """When the role of host passes on, unless they are back; docs/subsystems/stage.md, "Succession"."""
    host_away = models.BooleanField(default=False)
    """Nobody was there to pass it on to: the stage is locked until a moderator returns."""
    phase = models.CharField(max_length=10, default=Phase.LIVE)
    opened_at = models.DateTimeField(db_default=Now())
    entered_at = models.DateTimeField(null=True, blank=True)
    """When the first person's sound connected; None while nobody has come."""
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=10, blank=True)
    policy_version = models.PositiveIntegerField(default=1)
    """Raised by every change that the media process must know: stage, mutes, epochs, the end."""
    audience = models.PositiveIntegerField(default=0)
    """Listeners with sound connected, visitors too, as the keeper last wrote it. Screens show the live number from presence."""
    is_folded = False
    """No column: of a room that came by the door for somebody, whether one whom they have blocked opened it, moderates or speaks."""
    seats_at_most = models.PositiveIntegerField(null=True, blank=True)
    """No more seats than this are taken, and nobody is in line. None: nobody has counted, or somebody is in line (actions/line.py)."""

    class Meta:
        constraints = (
            models.CheckConstraint(name="room_phase_known", condition=Q(phase__in=[phase.value for phase in Phase])),
            models.CheckConstraint(name="room_visibility_known", condition=Q(visibility__in=[kind.value for kind in Visibility])),
            models.CheckConstraint(name="room_hand_policy_known", condition=Q(hand_policy__in=[policy.value for policy in HandPolicy])),
            models.CheckConstraint(name="room_capacity_holds_two", condition=Q(capacity=None) | Q(capacity__gte=CAPACITY_MIN)),
            models.CheckConstraint(
                name="room_turn_is_bearable", condition=Q(turn_secs=None) | Q(turn_secs__range=(TURN_SECS_MIN, TURN_SECS_MAX))
            ),
            models.CheckConstraint(name="room_slow_mode_is_bearable", condition=Q(slow_mode_secs__lte=SLOW_MODE_SECS_MAX)),
            models.CheckConstraint(name="room_grace_or_away", condition=Q(grace_ends_at=None) | Q(host_away=False)),
            models.CheckConstraint(
                name="room_ended_has_time_and_reason",
                condition=Q(phase=Phase.LIVE, ended_at=None, end_reason="")
                | Q(phase=Phase.ENDED, ended_at__isnull=False, end_reason__in=[reason.value for reason in EndReason]),
            ),
        )
        indexes = (
            models.Index(name="room_live", fields=["-opened_at"], condition=Q(phase=Phase.LIVE)),
            models.Index(name="room_in_grace", fields=["grace_ends_at"], condition=Q(grace_ends_at__isnull=False)),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_live(self) -> bool:
        return self.phase == Phase.LIVE
