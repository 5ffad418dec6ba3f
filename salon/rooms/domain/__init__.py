"""The rules of a room, pure: no database, no clock, no randomness. docs/subsystems/rooms.md argues them."""
