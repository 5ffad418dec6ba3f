from .access_token import AccessToken
from .development_message import DevelopmentMessage
from .invitation import Invitation
from .person import Person
from .waiting import Waiting

__all__ = ["AccessToken", "DevelopmentMessage", "Invitation", "Person", "Waiting"]
