from .block import Block
from .follow import Follow
from .ping_mute import PingMute
from .shield_contest import ShieldContest

__all__ = ["Block", "Follow", "PingMute", "ShieldContest"]
