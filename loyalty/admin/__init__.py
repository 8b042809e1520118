"""The ledger's pages for staff: stores and terms, the books, the records around them."""

from loyalty.admin import books, places, records

__all__ = ["books", "places", "records"]
