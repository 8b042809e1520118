"""What the caps of rules have used up."""

from django.db import models


class CapCounter(models.Model):
    """`used` times, points or money of the counter `name` in the window that begins on `day` (campaigns/caps.py)."""

    name = models.CharField(max_length=250)
    day = models.DateField()
    used = models.DecimalField(max_digits=24, decimal_places=6, default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "day"], name="cap_counter_once"),
            models.CheckConstraint(condition=models.Q(used__gte=0), name="cap_counter_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.day}"
