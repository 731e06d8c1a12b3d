"""How Template knows a call for ours: the account's token; a signature with its time and nonce would be made here."""

from __future__ import annotations

from urllib.parse import quote

from worker.marketplaces.template.credentials import TemplateCredentials


def headers(keys: TemplateCredentials, key: str | None = None) -> dict[str, str]:
    """Return the headers of one call. `key`: what makes a create safe to repeat; None: nothing is created."""
    found = {"authorization": f"Bearer {keys.token.get_secret_value()}", "content-type": "application/json"}
    return found if key is None else {**found, "idempotency-key": quote(key, safe="")}
