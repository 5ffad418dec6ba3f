from .block import Block
from .follow import Follow
from .ping_mute import PingMute

__all__ = ["Block", "Follow", "PingMute"]
