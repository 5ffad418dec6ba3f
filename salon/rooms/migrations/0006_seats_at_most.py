from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("rooms", "0005_cut_index")]

    operations = [
        # Empty for rooms that are live now: their seats are counted when the next one is taken.
        migrations.AddField("room", "seats_at_most", models.PositiveIntegerField(blank=True, null=True)),
        # A visitor's session, too, is found without a look at those of everybody in the room.
        migrations.RemoveIndex("mediasession", "media_session_open"),
        migrations.AddIndex(
            "mediasession",
            models.Index(condition=Q(("ended_at", None)), fields=["room", "person", "visitor"], name="media_session_open"),
        ),
    ]
