"""How an account's tokens are got: the page where a person grants, and the calls that give and renew a pair."""

from __future__ import annotations

import hashlib
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from worker.errors import ConfigError, InputError
from worker.marketplaces.calls import Lost, Reply, Request
from worker.marketplaces.models import Credentials, wrong_settings
from worker.marketplaces.replies import Fraction, objects, read_object, text_of
from worker.rules.tokens import UNNAMED, Grant, TokenLost, TokenOutcome, TokenRefused

TokenSteps = Generator[Request, Reply | Lost, TokenOutcome]

LONGEST_TOKEN = 4096
_CODE = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}")
_FORM = {"content-type": "application/x-www-form-urlencoded;charset=utf-8", "accept": "application/json"}


class TokenCalls(ABC):
    """One account's calls for tokens. Pure as the adapter's: it yields requests and is told what came back."""

    app_model: ClassVar[type[Credentials]]
    """The keys of an account that such a call needs."""

    def __init__(self, keys: Mapping[str, str], base_url: str | None, clock: Callable[[], float] = time.time) -> None:
        """`keys`: the account's own settings, as text. Raises ValidationError where the app's keys are not complete."""
        known = self.app_model.model_fields
        self.app = self.app_model.model_validate({name: value for name, value in keys.items() if name in known})
        self.base_url = base_url.rstrip("/") if base_url else None
        self.clock = clock

    @abstractmethod
    def grant_page(self) -> str:
        """Return the address a person opens to grant; their browser comes back with a code."""

    @abstractmethod
    def create(self, code: str) -> TokenSteps:
        """Redeem a code for a pair."""

    @abstractmethod
    def renew(self, refresh: str) -> TokenSteps:
        """Get a new pair for a refresh token."""


def token_calls(kind: type[TokenCalls], account: str, keys: Mapping[str, str], base_url: str | None) -> TokenCalls:
    """Return an account's calls. Raises ConfigError, naming the settings that are missing and no value."""
    try:
        return kind(keys, base_url)
    except ValidationError as error:
        raise ConfigError(f"the account {account} cannot get tokens: {wrong_settings(account, error)}") from None


def code_in(text: str) -> str:
    """Return the code a person gave: bare, or in the whole address their browser came back to. Raises InputError."""
    given = text.strip().strip("\"'")
    if "://" in given or given.startswith("?") or "code=" in given:
        query = urlsplit(given).query if "://" in given else given.partition("?")[2] or given
        given = dict(parse_qsl(query)).get("code", "")
    if not _CODE.fullmatch(given):
        raise InputError("that holds no code: give the whole address the browser came back to, or the code alone")
    return given


def post(url: str, body: str) -> Request:
    """Return the request of a token call: everything in the body, for a query ends up in access logs."""
    return Request("POST", url, _FORM, body.encode())


def number_of(value: object) -> float | None:
    """Return a number of a reply, written as a number or as text; None for anything else."""
    text = str(value) if isinstance(value, Fraction) else text_of(value)
    return float(text) if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", text, re.ASCII) else None


def token_in(value: object) -> str:
    """Return a token of a reply, or "" for what is none: null, blank, an object, or absurdly long."""
    text = "" if isinstance(value, Fraction) else text_of(value)
    fit = len(text) <= LONGEST_TOKEN and text.isascii() and text.isprintable()
    return text if fit and text.lower() not in ("null", "none") else ""


def own_name(access: str) -> str:
    """Return a name for a buyer of whom the grant told no id: it stays the same, however often it is renewed."""
    return f"{UNNAMED}{hashlib.sha256(access.encode()).hexdigest()[:16]}"


def read_pair(
    came: Reply | Lost,
    grant: Callable[[Mapping[str, Any]], Grant],
    refusal: Callable[[Mapping[str, Any], int], TokenRefused | None],
) -> TokenOutcome:
    """Read the reply of a token call.

    `grant` reads the object that holds the pair, flat or wrapped. `refusal` says what is a definite no of a reply
    without one, told its HTTP status; anything else proves nothing.
    """
    if isinstance(came, Lost):
        return unusable(came, came.cause)
    document = read_object(came.body)
    if isinstance(document, str):
        return unusable(came, document)
    for held in objects(document):
        if token_in(held.get("access_token")):
            return grant(held)
    return refusal(document, came.status) or unusable(came, "the reply has no token and no known code")


def unusable(came: Reply | Lost, cause: str) -> TokenLost:
    """Return the outcome of a reply that says nothing definite: a pair may have been given."""
    if isinstance(came, Lost):
        return TokenLost(came.cause, came.may_have_arrived)
    return TokenLost(f"{cause} (HTTP {came.status})")
