"""What people notice when parts of Salon die or are replaced, with real processes and real kills."""
