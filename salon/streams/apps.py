from django.apps import AppConfig


class StreamsConfig(AppConfig):
    name = "salon.streams"
    label = "streams"
