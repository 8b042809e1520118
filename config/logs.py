"""Logs: one JSON object a line (readable lines on a terminal), each with the id of its request or task."""

import re
import sys
from typing import Any

import structlog

DETAIL = re.compile(r"(\\n|\n)DETAIL:.*?(?=\\n|\n|$)")


def without_rows(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """PostgreSQL quotes the row it refuses, and with it people's addresses, in the DETAIL of an error."""
    return {key: DETAIL.sub("", value) if isinstance(value, str) else value for key, value in event.items()}


SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
]


def configure(*, debug: bool) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    without_rows,
                    renderer,
                ],
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": "DEBUG" if debug else "INFO"},
        "loggers": {
            "django.db.backends": {"level": "INFO"},
            "django_structlog": {"level": "WARNING"},
        },
    }
