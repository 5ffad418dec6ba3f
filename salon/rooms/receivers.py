"""What rooms do at the news of the apps below them."""

from django.dispatch import receiver

from salon.accounts.models import Person
from salon.accounts.signals import person_cut
from salon.rooms.actions.attendance import cut_off
from salon.rooms.enums import Phase
from salon.rooms.models import Room


@receiver(person_cut)
def silence_whoever_was_cut(sender: object, person: str, **kwargs: object) -> None:
    somebody = Person.objects.get(id=person)
    # Places outside too: somebody may be on the way in, with a grant made and sound not connected yet.
    for room in Room.objects.filter(phase=Phase.LIVE, places__person=somebody).order_by("id"):
        cut_off(room, somebody)
