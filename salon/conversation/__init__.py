"""What people write and vote in a room, beside what they say: chat, questions, links, reactions, polls. docs/subsystems/conversation.md."""
