from django.apps import AppConfig


class ConversationConfig(AppConfig):
    name = "salon.conversation"
    label = "conversation"
