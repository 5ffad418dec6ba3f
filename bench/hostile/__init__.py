"""Hostile input against running processes."""
