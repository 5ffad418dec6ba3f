"""How fast one person, or one address of visitors, may act in rooms."""

from salon.common.rate_limits import RateLimit

# Fingers make one or two a second; clients that replay what a drop swallowed come in bursts.
COMMANDS = RateLimit(per_sec=10, burst=40)
# Answering an offer costs the media process keys and a certificate check; a network that comes and goes makes several.
SOUND = RateLimit(per_sec=1, burst=20)
# A visitor without cookies is a new one each time; their address is not. An office, or a train, may share one.
VISITORS_SOUND = RateLimit(per_sec=5, burst=60)
# A host lets a whole choir in; but each may be a phone that rings, which calls (`ping`) are limited for.
INVITED_IN = RateLimit(per_sec=1 / 30, burst=100)
# Each room is a line in everybody's hallway.
ROOMS_OPENED = RateLimit(per_sec=1 / 20, burst=20)
