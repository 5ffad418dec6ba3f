"""The media process: a small asyncio shell around the engine, which alone forwards sound.

It decides three things: whether a grant is good, which policy is the newest, and what to tell the others of what the engine
did. Packets never pass through Python. See docs/subsystems/processes.md.
"""
