"""How the demo community's portraits and speech were made. Run by hand, never at install; see docs/subsystems/demo.md."""
