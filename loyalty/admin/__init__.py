"""The ledger's pages for staff: stores, terms, limits, the books, the records around them."""

from loyalty.admin import books, contracts, limits, places, records

__all__ = ["books", "contracts", "limits", "places", "records"]
