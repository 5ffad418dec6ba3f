from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "salon.rooms"
    label = "rooms"
