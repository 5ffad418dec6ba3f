from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "salon.quality"
    label = "quality"
    verbose_name = "Sound quality"
