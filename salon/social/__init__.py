"""Who follows whom, who has blocked whom, whose pings one does not want: what rooms need to know of people. docs/subsystems/social.md."""
