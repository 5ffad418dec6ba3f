"""The demo community: people, live rooms and conversations for whoever tries Salon out. See docs/subsystems/demo.md."""
