from .command_receipt import CommandReceipt
from .media_session import MediaSession
from .place import Place
from .removal import Removal
from .room import Room
from .room_action import RoomAction

__all__ = ["CommandReceipt", "MediaSession", "Place", "Removal", "Room", "RoomAction"]
