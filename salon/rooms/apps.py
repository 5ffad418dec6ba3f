from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "salon.rooms"
    label = "rooms"

    def ready(self) -> None:
        from salon.rooms import receivers, streams  # noqa: F401, PLC0415  (models must be loaded first)

        streams.register_kinds()
