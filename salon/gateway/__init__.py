"""The front door: pages, the WebSocket, and everything else handed on to web. No Django and no database here.

How events reach a socket is told in docs/subsystems/realtime.md.
"""
