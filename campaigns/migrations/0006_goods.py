"""Goods that earn nothing and cannot be paid in points, and since when."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_earning")]

    operations = [
        migrations.CreateModel(
            name="ExcludedGoods",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("sku", "SKU"), ("category", "category")], max_length=8, verbose_name="kind"),
                ),
                ("code", models.CharField(max_length=80, verbose_name="SKU or category")),
                ("since", models.DateTimeField(verbose_name="excluded since")),
                ("until", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="excluded until")),
            ],
            options={
                "verbose_name": "excluded goods",
                "verbose_name_plural": "excluded goods",
                "ordering": ["kind", "code", "-since"],
                "constraints": [
                    models.UniqueConstraint(condition=Q(until=None), fields=("kind", "code"), name="goods_excluded_once"),
                    models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="goods_end_after_start"),
                    models.CheckConstraint(condition=~Q(code=""), name="goods_have_a_code"),
                ],
            },
        ),
    ]
