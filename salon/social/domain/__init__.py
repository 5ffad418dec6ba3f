"""Pure rules: no database, no clock, no randomness."""
