"""The task that renews an account's tokens."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts
from worker.rules.words import RESULT_CHARACTERS


@app.task(name="accounts.refresh", resultrepr_maxsize=RESULT_CHARACTERS)
def refresh(account: str) -> str:
    """Renew the tokens of an account if that is due; return how it went, never a token."""
    return parts().refresh.run(account)
