"""`python -m worker.sandbox`: the sandbox by itself."""

from __future__ import annotations

import sys

from config.process import harden
from worker.sandbox.server import main

harden()
sys.exit(main())
