"""Which facts of the outbox interest whom. Handlers get all waiting events of their type at once, and write rows only."""

from campaigns import greeting
from catalog import telling
from members import messaging

SUBSCRIPTIONS = {
    # The only handler that locks wallets: two in one transaction of the relay could meet another's locks the other way round.
    "member.known": [greeting.welcome],
    "member.joined": [messaging.welcome],
    "points.changed": [messaging.points_changed],
    "terms.published": [messaging.announce],
    "terms.announcing": [messaging.announce],
    "tier.changed": [messaging.tier_changed],
    "redemption.changed": [telling.redemption_changed],
}
