"""Which facts of the outbox interest whom. Handlers get all waiting events of their type at once, and write rows only."""

from members import messaging

SUBSCRIPTIONS = {
    "member.joined": [messaging.welcome],
    "points.changed": [messaging.points_changed],
    "terms.published": [messaging.announce],
    "terms.announcing": [messaging.announce],
    "tier.changed": [messaging.tier_changed],
}
