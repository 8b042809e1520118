"""What this room need not keep."""

from datetime import datetime

from loyalty import bulk
from members.models import CodeAttempt


def forget_code_attempts(older_than: datetime) -> int:
    """A code lives for minutes; how often it was compared is of no use after."""
    return bulk.delete(CodeAttempt.objects.filter(at__lt=older_than))
