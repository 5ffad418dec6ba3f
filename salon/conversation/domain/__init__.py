"""Rules of what is written in a room, without a database."""
