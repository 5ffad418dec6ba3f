from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from salon.common.errors import Invalid


def clean_email(email: str) -> str:
    """In lower case, as allauth keeps addresses. Raises Invalid (field `email`)."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(field="email", message=_("This is not an e-mail address.")) from error
    return email
