"""How people's sound was, coarsely and for a month: for staff who help somebody whose sound is poor. docs/subsystems/media.md, "Seen"."""
