"""How fast one person may change how they stand to others."""

from salon.common.rate_limits import RateLimit

# Whoever follows hundreds in a row wants to be noticed, not to listen.
FOLLOWS = RateLimit(per_sec=1 / 5, burst=50)
# Somebody whom a crowd harasses must be able to get rid of all of it.
BLOCKS = RateLimit(per_sec=1, burst=100)
PING_MUTES = RateLimit(per_sec=1, burst=100)
# Staff read each one.
CONTESTS = RateLimit(per_sec=1 / 600, burst=10)
