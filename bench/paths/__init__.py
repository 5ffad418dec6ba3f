"""The bench of bad paths: an address that changes, a path that dies in silence, UDP that is dropped."""
