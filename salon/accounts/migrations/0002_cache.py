"""The table of Django's database cache, where rate limits are counted.

Unlogged: losing it in a crash only forgets counts. The shape is that of `manage.py createcachetable`.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            create unlogged table accounts_cache (
                cache_key varchar(255) primary key,
                value text not null,
                expires timestamp with time zone not null
            );
            create index accounts_cache_expires on accounts_cache (expires);
            """,
            "drop table accounts_cache;",
        )
    ]
