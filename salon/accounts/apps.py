from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "salon.accounts"
    label = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from salon.accounts import receivers  # noqa: F401, PLC0415  (models are loaded only now)
