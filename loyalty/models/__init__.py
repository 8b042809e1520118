from loyalty.models.journal import JournalEntry, Posting
from loyalty.models.limits import GrantCount, GrantDeputy, GrantExemption, GrantLimits
from loyalty.models.places import Store
from loyalty.models.records import AuditRecord, Checkpoint, DocumentGuard, IdempotencyRecord, OutboxEvent
from loyalty.models.terms import TermsVersion
from loyalty.models.wallets import Lot, LotUse, PointType, Wallet

__all__ = [
    "AuditRecord",
    "Checkpoint",
    "DocumentGuard",
    "GrantCount",
    "GrantDeputy",
    "GrantExemption",
    "GrantLimits",
    "IdempotencyRecord",
    "JournalEntry",
    "Lot",
    "LotUse",
    "OutboxEvent",
    "PointType",
    "Posting",
    "Store",
    "TermsVersion",
    "Wallet",
]
