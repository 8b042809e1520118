"""The product's settings in a process whose failpoints can be armed by a file in the folder REGULARS_FAILPOINTS."""

import os
import sys
from pathlib import Path

from config.settings import *  # noqa: F403
from tests.reliability import failpoints

# The file bears the program's name: `granian`, `celery`, or the command of manage.py.
PROGRAM = sys.argv[1] if sys.argv[0].endswith("manage.py") else Path(sys.argv[0]).parent.name
failpoints.install(failpoints.Armed(Path(os.environ["REGULARS_FAILPOINTS"], PROGRAM)))
