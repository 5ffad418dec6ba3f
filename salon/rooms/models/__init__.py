from .command_receipt import CommandReceipt
from .guest import Guest
from .line_place import LinePlace
from .media_session import MediaSession
from .ping import Ping
from .place import Place
from .removal import Removal
from .room import Room
from .room_action import RoomAction
from .second_moderator_request import SecondModeratorRequest

__all__ = [
    "CommandReceipt", "Guest", "LinePlace", "MediaSession", "Ping", "Place", "Removal", "Room", "RoomAction", "SecondModeratorRequest",
]  # fmt: skip
