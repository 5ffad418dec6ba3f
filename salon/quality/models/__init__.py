from .sound_quality import SoundQuality

__all__ = ["SoundQuality"]
