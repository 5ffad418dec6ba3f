"""News of this app for the apps above it."""

from django.dispatch import Signal

person_cut = Signal()
"""A person logged out or was deactivated: whatever they have open must close.

Argument: `person` (id). Sent inside the transaction that does it.
"""
