from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "salon.social"
    label = "social"
