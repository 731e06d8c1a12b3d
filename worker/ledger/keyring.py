"""Encrypts the tokens the ledger keeps, under one or several keys: the first encrypts, every one opens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from worker.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

VARIABLE = "FULFIL_TOKEN_KEYS"


class KeyRing:
    """The keys of this process. Its texts never hold a key or a token."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def seal(self, account: str, held: Mapping[str, str]) -> str:
        """Return what an account keeps, encrypted. Raises ConfigError without a key."""
        return self._fernet.encrypt(json.dumps({"account": account, **held}).encode()).decode()

    def open(self, account: str, sealed: str) -> dict[str, str]:
        """Return what was sealed for this account. Raises ConfigError where no key opens it, or it is another's."""
        from cryptography.fernet import InvalidToken

        try:
            held: dict[str, str] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise ConfigError(
                f"none of the keys in {VARIABLE} opens the stored tokens of {account}: add the key they were stored"
                f" under, or grant anew: fulfil accounts login {account}"
            ) from None
        if held.pop("account", None) != account:  # somebody moved the row: its buyer is another account's
            raise ConfigError(
                f"the stored tokens of {account} were stored for another account: fulfil accounts login {account}"
            )
        return held

    def renew(self, sealed: str) -> str:
        """Return the same under the first key. Raises ConfigError where no key opens it."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise ConfigError(f"none of the keys in {VARIABLE} opens stored tokens; nothing was changed") from None

    @cached_property
    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet  # a tenth of a second, and most accounts need it never

        if not self._keys:
            raise ConfigError(
                f"tokens are kept encrypted, and no key is set: put what `fulfil accounts key` prints into {VARIABLE},"
                f" or into a file that {VARIABLE}_FILE names, for every worker"
            )
        return MultiFernet([Fernet(key) for key in self._keys])


def new_key() -> str:
    """Return a new key."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()
