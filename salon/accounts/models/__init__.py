from .access_token import AccessToken
from .person import Person

__all__ = ["AccessToken", "Person"]
