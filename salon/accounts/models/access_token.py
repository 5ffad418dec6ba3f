from django.db import models

from salon.common.ids import ID_LENGTH, new_id

from .person import Person


class AccessToken(models.Model):
    """A person's key for scripts. Only a digest is kept: the secret has 256 random bits, so a plain SHA-256 cannot be searched."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=60)
    secret_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_on = models.DateField(null=True, blank=True, editable=False)
    """A day, not a time: enough to find a forgotten token, too little to follow somebody."""

    def __str__(self) -> str:
        return f"{self.name} of {self.person_id}"
