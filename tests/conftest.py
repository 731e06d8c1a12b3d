"""For every test: a developer's own settings mean nothing here."""

from __future__ import annotations

import os

import hypothesis

_OURS = ("FULFIL_TEST_DATABASE_URL", "FULFIL_TEST_SIMULATIONS")
"""What the tests themselves are told."""

for _name in [name for name in os.environ if name.startswith("FULFIL_") and name not in _OURS]:
    del os.environ[_name]

if os.environ.get("CI"):
    # A verdict on a change must not hang on luck: there the same examples are tried every time.
    hypothesis.settings.register_profile("ci", derandomize=True)
    hypothesis.settings.load_profile("ci")
