"""The catalogue's pages for staff."""

from catalog.admin import pools, redemptions, rewards, shelves, vouchers

__all__ = ["pools", "redemptions", "rewards", "shelves", "vouchers"]
