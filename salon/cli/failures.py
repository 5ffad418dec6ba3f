"""What goes wrong at a terminal and can be mended there."""


class Failure(Exception):
    """One clear sentence that says what is wrong and what to do."""
