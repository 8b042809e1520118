"""Celery: the worker's application and the clock of everything that happens by itself.

The beat keeps nothing on disk: each job is idempotent and looks up in PostgreSQL what is due.
"""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("regulars")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["config", "loyalty", "members", "catalog", "campaigns"])
app.conf.beat_schedule = {
    "relay the outbox": {"task": "config.tasks.relay_outbox", "schedule": 5.0},
    "send messages": {"task": "members.tasks.send_messages", "schedule": 10.0},
    "expire points": {"task": "loyalty.tasks.expire_points", "schedule": crontab(minute="*/10")},
    "remind of expiry": {"task": "members.tasks.remind_of_expiry", "schedule": crontab(minute="5")},
    "greet birthdays": {"task": "members.tasks.greet_birthdays", "schedule": crontab(minute="15")},
    # A few times a day, for the programme's midnight is not ours.
    "review tiers": {"task": "members.tasks.review_tiers", "schedule": crontab(minute="25", hour="*/3")},
    # Every hour, for the programme's midnight is not ours.
    "keep birthdays": {"task": "campaigns.tasks.keep_birthdays", "schedule": crontab(minute="10")},
    "give back what is over": {"task": "catalog.tasks.give_back_what_is_over", "schedule": 60.0},
    "tell of rewards": {"task": "catalog.tasks.tell_of_rewards", "schedule": crontab(minute="*/10")},
    "sweep pictures": {"task": "catalog.tasks.sweep_pictures", "schedule": crontab(hour="3", minute="45")},
    "forget old rows": {"task": "config.tasks.forget_old_rows", "schedule": crontab(hour="3", minute="30")},
}
