"""The ledger's pages for staff: stores, terms, the books, the records around them."""

from loyalty.admin import books, contracts, places, records

__all__ = ["books", "contracts", "places", "records"]
