"""`python -m worker.sandbox`: the sandbox by itself."""

from __future__ import annotations

import sys

from worker.sandbox.server import main

sys.exit(main())
