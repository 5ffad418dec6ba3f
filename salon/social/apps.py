from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "salon.social"
    label = "social"

    def ready(self) -> None:
        from salon.accounts.access import hide_people  # noqa: PLC0415  (models are loaded only now)
        from salon.social.relations import who_hides_from  # noqa: PLC0415

        hide_people(who_hides_from)
