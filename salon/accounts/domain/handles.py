"""What a handle may be, and when two look the same to a hurried reader.

The skeleton (the idea is that of Unicode Technical Standard 39, section 4, cut down to the 37 characters a handle may have) maps
look-alikes to one spelling: two handles with one skeleton are the same handle to the eye, and only the first one exists.
The database computes it too, in the column `handle_skeleton`, so that no path around this module can make a double.
"""

import re

MIN_LENGTH, MAX_LENGTH = 3, 24
PATTERN = re.compile(rf"[a-z0-9_]{{{MIN_LENGTH},{MAX_LENGTH}}}")

# Names that would pass for the house, for a role of its, or for an address of the client.
_RESERVED = """
    about abuse account accounts admin administrator api app billing blog club clubs contact demo dev developer development
    discover everyone feedback founder guest hallway help helpdesk here home host hosts info internal invitation invitations invite
    legal listener login logout mail mailbox media me messages moderation moderator moderators mods money new news nobody
    notifications null office official operator people person policy press privacy profile public report reports room rooms root
    safety salon salonteam search security service settings show shows sign_in sign_up signin signup speaker staff static status
    stage support system team terms test tickets undefined uploads user users verified visitor waitlist web webmaster welcome
"""


def skeleton(handle: str) -> str:
    """Equal for handles that look alike: `0` and `o`; `1`, `i` and `l`; `rn` and `m`; `vv` and `w`; with and without underscores."""
    return handle.translate(_LOOK_ALIKES).replace("rn", "m").replace("vv", "w")


_LOOK_ALIKES = str.maketrans("01i", "oll", "_")
_RESERVED_SKELETONS = frozenset(skeleton(name) for name in _RESERVED.split())


def is_well_formed(handle: str) -> bool:
    """3–24 of `a–z 0–9 _`, of which at least one is a letter or digit that shows."""
    return PATTERN.fullmatch(handle) is not None and handle.strip("_") != ""


def is_reserved(handle: str) -> bool:
    return skeleton(handle) in _RESERVED_SKELETONS
