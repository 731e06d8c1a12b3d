"""For every test: a developer's own settings mean nothing here."""

from __future__ import annotations

import os

for _name in [name for name in os.environ if name.startswith("FULFIL_") and name != "FULFIL_TEST_DATABASE_URL"]:
    del os.environ[_name]
