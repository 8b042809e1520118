from loyalty.models.journal import Contra, JournalEntry, Kind, Posting
from loyalty.models.places import Store
from loyalty.models.records import AuditRecord, DocumentGuard, IdempotencyRecord, OutboxEvent
from loyalty.models.terms import TermsVersion
from loyalty.models.wallets import Lot, LotUse, PointType, Wallet

__all__ = [
    "AuditRecord",
    "Contra",
    "DocumentGuard",
    "IdempotencyRecord",
    "JournalEntry",
    "Kind",
    "Lot",
    "LotUse",
    "OutboxEvent",
    "PointType",
    "Posting",
    "Store",
    "TermsVersion",
    "Wallet",
]
