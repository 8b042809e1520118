import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="CodesSent",
            fields=[
                ("address", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("sent_at", django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), size=None)),
            ],
            options={"verbose_name": "codes sent", "verbose_name_plural": "codes sent"},
        ),
    ]
