"""The directory's order and search, and the newest grants first, by indexes."""

import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from audit.operations import search_index


class Migration(migrations.Migration):
    dependencies = [
        ("companies", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="search_text",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Lower(
                    django.db.models.functions.text.Concat(
                        "first_name",
                        models.Value(" "),
                        "last_name",
                        models.Value(" "),
                        "email",
                        output_field=models.TextField(),
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(
                fields=["company", "last_name", "first_name", "email", "id"],
                name="companies_membership_order",
            ),
        ),
        migrations.AddIndex(
            model_name="projectmembership",
            index=models.Index(
                fields=["company", "-id"], name="companies_grant_newest"
            ),
        ),
        search_index("companies_membership", "search_text"),
    ]
