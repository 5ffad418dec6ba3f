from django.apps import AppConfig


class ConversationConfig(AppConfig):
    name = "salon.conversation"
    label = "conversation"

    def ready(self) -> None:
        from salon.conversation import streams  # noqa: PLC0415  (models must be loaded first)
        from salon.conversation.messages import MESSAGES  # noqa: PLC0415
        from salon.rooms import messages  # noqa: PLC0415

        streams.register_kinds()
        messages.register(*MESSAGES)
