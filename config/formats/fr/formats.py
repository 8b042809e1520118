"""French numbers are grouped by a narrow space that does not break."""

THOUSAND_SEPARATOR = "\u202f"
