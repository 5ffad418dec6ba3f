from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "salon.rooms"
    label = "rooms"

    def ready(self) -> None:
        from salon.rooms import receivers, streams  # noqa: PLC0415  (models must be loaded first)

        receivers.register_blocking()
        streams.register_kinds()
