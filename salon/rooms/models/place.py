from django.conf import settings
from django.db import models
from django.db.models import Q

from salon.rooms.enums import Role, Status

from .removal import REASON_MAX
from .room import Room

_IN = Q(left_at=None)
_ON_STAGE = Q(on_stage_since__isnull=False)
_WAITING = Q(hand_raised_at__isnull=False) | Q(invited_at__isnull=False)
_MODERATES = Q(role__in=[Role.HOST, Role.MODERATOR])


class Place(models.Model):
    """One person in one room: kept when they leave, so that a return finds the role, and a removal its epoch.

    The constraints hold what rooms/domain/standing.py promises, against every other way to write here.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="places")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="places")
    role = models.CharField(max_length=10, default=Role.LISTENER)
    entered_at = models.DateTimeField(null=True, blank=True)
    """None for a host who opened the room and has not come to listen."""
    left_at = models.DateTimeField(null=True, blank=True)
    on_stage_since = models.DateTimeField(null=True, blank=True)
    stage_lost_at = models.DateTimeField(null=True, blank=True)
    hand_raised_at = models.DateTimeField(null=True, blank=True)
    invited_at = models.DateTimeField(null=True, blank=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    muted = models.BooleanField(default=False)
    muted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    held_at = models.DateTimeField(null=True, blank=True)
    """Since when a moderator holds this person's mute; it outlasts a step down and a return. None: not held."""
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    held_reason = models.CharField(max_length=REASON_MAX, blank=True)
    status = models.CharField(max_length=15, blank=True)
    """What they let the others on the stage know; "" for nothing."""
    silenced = models.BooleanField(default=False)
    """Writes nothing in this room."""
    ever_moderated = models.BooleanField(default=False)
    """Was host or moderator of this room at some time: may succeed the host."""
    has_spoken = models.BooleanField(default=False)
    """They have been heard to talk in this room, for a second at least."""
    talked_ms = models.PositiveBigIntegerField(default=0)
    """How long they have talked in this room, as the media process measured it."""
    talk_counted = models.JSONField(null=True, blank=True)
    """By media process (its node and start) how much of its total, in milliseconds, is in `talked_ms` already. None before they talk."""
    csrc = models.BigIntegerField()
    """How packets name this person to listeners (RFC 3550 section 5.1): random, so that it tells nothing."""
    epoch = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="place_one_per_person", fields=["room", "person"]),
            models.UniqueConstraint(name="place_csrc_unique_in_room", fields=["room", "csrc"]),
            models.UniqueConstraint(name="place_one_host", fields=["room"], condition=Q(role=Role.HOST)),
            models.CheckConstraint(name="place_role_known", condition=Q(role__in=[role.value for role in Role])),
            models.CheckConstraint(name="place_csrc_is_uint32", condition=Q(csrc__gte=1, csrc__lt=2**32)),
            models.CheckConstraint(name="place_speaker_is_on_stage", condition=~Q(role=Role.SPEAKER) | _ON_STAGE),
            models.CheckConstraint(name="place_listener_is_off_stage", condition=~Q(role=Role.LISTENER) | ~_ON_STAGE),
            models.CheckConstraint(name="place_stage_or_queue", condition=~(_ON_STAGE & _WAITING)),
            models.CheckConstraint(name="place_outside_has_no_standing", condition=_IN | ~(_ON_STAGE | _WAITING)),
            models.CheckConstraint(name="place_mute_needs_stage", condition=Q(muted=False) | _ON_STAGE | Q(stage_lost_at__isnull=False)),
            models.CheckConstraint(name="place_held_is_muted", condition=Q(held_at=None) | Q(muted=True) | ~_ON_STAGE),
            models.CheckConstraint(name="place_holder_needs_hold", condition=Q(held_by=None, held_reason="") | Q(held_at__isnull=False)),
            models.CheckConstraint(name="place_status_known", condition=Q(status__in=["", *(status.value for status in Status)])),
            models.CheckConstraint(name="place_status_needs_stage", condition=Q(status="") | _ON_STAGE | Q(stage_lost_at__isnull=False)),
            models.CheckConstraint(name="place_moderator_has_moderated", condition=~_MODERATES | Q(ever_moderated=True)),
            models.CheckConstraint(name="place_muter_needs_mute", condition=Q(muted_by=None) | Q(muted=True)),
            models.CheckConstraint(name="place_inviter_needs_invitation", condition=Q(invited_by=None) | Q(invited_at__isnull=False)),
            models.CheckConstraint(name="place_lost_stage_is_left", condition=Q(stage_lost_at=None) | ~_IN),
        )
        indexes = (
            models.Index(name="place_standing", fields=["room"], condition=_ON_STAGE | _WAITING | _MODERATES),
            models.Index(name="place_silenced", fields=["room"], condition=Q(silenced=True)),
            models.Index(name="place_cut", fields=["room"], condition=Q(epoch__gt=0)),
            models.Index(name="place_in_room", fields=["room"], condition=_IN),
            models.Index(name="place_of_person", fields=["person"], condition=_IN),
        )

    def __str__(self) -> str:
        return f"{self.person_id} in {self.room_id}"
