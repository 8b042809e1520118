"""Chinese numbers are grouped by thousands, as on receipts."""

NUMBER_GROUPING = 3
THOUSAND_SEPARATOR = ","
