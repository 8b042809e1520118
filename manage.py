#!/usr/bin/env python
"""The command line of Regulars: `manage.py help` lists the commands, `manage.py up` runs the whole product."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # says what to set; where it was noticed helps nobody
        sys.exit(str(error))
