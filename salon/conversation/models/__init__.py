from .chat_message import ChatMessage
from .link import Link
from .poll import Poll, PollVoter
from .question import Question, QuestionVote

__all__ = ["ChatMessage", "Link", "Poll", "PollVoter", "Question", "QuestionVote"]
