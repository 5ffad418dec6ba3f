"""How many a room holds."""

from salon.config.environment import environment
from salon.rooms.models import Room


def capacity_of(room: Room) -> int:
    """People and visitors. Never more than the operator lets into any room, also where that was lowered after the room's own was set."""
    most = environment().room_capacity
    return most if room.capacity is None else min(room.capacity, most)
