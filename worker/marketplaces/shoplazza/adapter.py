"""The Shoplazza adapter: builds the create, the reads and the look-ups, and hands what comes back to the readers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

from worker.errors import ConfigError
from worker.marketplaces.base import Marketplace, Push, Rate
from worker.marketplaces.calls import ParcelSteps, PlaceSteps, ReadSteps, RecordSteps, Request, WebhookSteps
from worker.marketplaces.forms import Form
from worker.marketplaces.goods import Line
from worker.marketplaces.models import Credentials, OrderModel
from worker.marketplaces.shoplazza import goods, pushes
from worker.marketplaces.shoplazza.codes import ENTRIES
from worker.marketplaces.shoplazza.create import Context, create_body, read_create
from worker.marketplaces.shoplazza.credentials import ShoplazzaCredentials
from worker.marketplaces.shoplazza.look_up import Search
from worker.marketplaces.shoplazza.models import UNSENT, ShoplazzaOrder
from worker.marketplaces.shoplazza.read import read_answer
from worker.marketplaces.shoplazza.signing import Mark, headers
from worker.marketplaces.shoplazza.statuses import MEANINGS
from worker.marketplaces.shoplazza.tokens import ShoplazzaTokens
from worker.marketplaces.shoplazza.tracking import Tracking
from worker.rules.outcomes import OrderRecord


class Shoplazza(Marketplace):
    """Shoplazza. No idempotency key exists (shoplazza.md, 1), so every order carries a tag and a note line of ours.

    A create that may have arrived is never sent again blindly: the order is looked up by its tag, or where the
    version has no such filter, by time, and what comes back is checked here.
    """

    name: ClassVar[str] = "shoplazza"
    title: ClassVar[str] = "Shoplazza"
    base_url: ClassVar[str] = "https://{shop}.{domain_suffix}/openapi/{api_version}"
    order_model = ShoplazzaOrder
    quantities: ClassVar[tuple[str, str] | None] = ("line_items", "quantity")
    credentials_model = ShoplazzaCredentials
    default_rate: ClassVar[Rate] = Rate(2, burst=35, shared=True)
    """The vendor's bucket holds 40 for an app in a shop; some room is left for look-ups that turn pages."""
    resend_window: ClassVar[timedelta | None] = None
    look_up_by: ClassVar[str | None] = "our tag, or by time and tag where the version has no such filter"
    token_calls = ShoplazzaTokens
    codes = ENTRIES
    statuses: ClassVar[Mapping[str, str]] = MEANINGS
    calls_for_parcels: ClassVar[int] = 1
    order_page: ClassVar[str] = "the order's page in the shop's admin (Orders)"
    takes_hints: ClassVar[bool] = True
    lists_webhooks: ClassVar[bool] = True
    pay_page: ClassVar[str] = "the order's page in the shop's admin (Orders), or its checkout"
    reference_form: ClassVar[Form] = Form(
        r"[0-9]{4,24}(?:-[0-9A-Za-z]{4,24})?", "digits, or digits, a hyphen, letters and digits"
    )
    country_at: ClassVar[tuple[str, ...]] = ("shipping_address", "country_code")
    personal_fields: ClassVar[tuple[str, ...]] = ("shipping_address", "note")
    tracking_names: ClassVar[tuple[str, ...]] = ("tracking_number",)

    def __init__(
        self,
        account: str,
        credentials: Credentials,
        base_url: str | None = None,
        clock: Callable[[], float] = time.time,
        max_order_amount: Decimal | None = None,
    ) -> None:
        keys = ShoplazzaCredentials.model_validate(credentials, from_attributes=True)
        super().__init__(account, credentials, _address(base_url, keys), clock, max_order_amount)
        self._keys = keys
        self._headers = headers(keys)

    @property
    def can_look_up(self) -> bool:
        """Every version can: by tag, or by time and tag."""
        return True

    @classmethod
    def items(cls, order: Mapping[str, Any]) -> list[Line]:
        """Return what an order is for."""
        return goods.ordered(order)

    def sent_with(self) -> dict[str, str]:
        """Return the shop and what its orders are marked with; neither a new token nor a new version is a change."""
        address = self.url.partition("/openapi")[0]
        return {"address": address, "shop": self._keys.shop, "tag_prefix": self._keys.tag_prefix}

    def place(self, order: Mapping[str, Any], key: str) -> PlaceSteps:
        """Create the order, marked with a tag and a note line made from `key`."""
        body = create_body(order, self._mark(key), self._keys.api_version)
        came = yield Request("POST", f"{self.url}/orders", self._headers, body, creates=True)
        return read_create(came, self._context(order, key))

    def read(self, reference: str) -> RecordSteps:
        """Read one order by its id."""
        came = yield self._get(f"/orders/{quote(reference, safe='')}")
        return read_answer(came, reference, self._context({}))

    def parcels(self, record: OrderRecord) -> ParcelSteps:
        """Read the order's fulfilments; where the call is not allowed, those the order itself shows."""
        return (yield from Tracking(self._get, self._context({})).parcels(record))

    def look_up(self, order: Mapping[str, Any], key: str, first_sent_at: float) -> ReadSteps:
        """Find the order by its mark; what comes back is checked here, whatever filter the version has."""
        search = Search(lambda query: self._get("/orders", query), self._mark(key), self._context(order))
        return (yield from search.find(first_sent_at))

    @property
    def hears(self) -> bool:
        """Tell whether the app's client secret is set, without which no message can be checked."""
        return self._keys.client_secret is not None

    def webhooks(self) -> WebhookSteps:
        """Read the shop's webhooks; one that is not answered for two days is deleted there without a word."""
        came = yield self._get("/webhooks")
        return pushes.read_webhooks(came, self._context({}))

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str = "") -> bool:
        """Check X-Shoplazza-Hmac-Sha256 over the bytes as they came."""
        known = self._keys.client_secret
        return known is not None and pushes.is_genuine(headers, body, known.get_secret_value())

    def read_push(self, headers: Mapping[str, str], body: bytes) -> Push | None:
        """Read a webhook about an order."""
        return pushes.read_push(headers, body)

    def contradicts(self, order: Mapping[str, Any], key: str, record: OrderRecord) -> bool:
        """Look for our tag: every order of ours carries its own, and one with another's is another order.

        Goods do not tell: the shop may add gifts, take bundles apart, and let its people edit the lines.
        """
        return self._mark(key).is_of_another(record.details)

    def differences(self, order: Mapping[str, Any], key: str, records: Sequence[OrderRecord]) -> list[str]:
        """Compare products, variants, quantities and the currency."""
        return goods.differing(order, records, self.title)

    def shows_goods(self, records: Sequence[OrderRecord]) -> bool:
        """Tell whether every record shows its products."""
        return all(goods.shows_goods(record) for record in records)

    @classmethod
    def notices(cls, order: OrderModel) -> list[str]:
        """Name the fields of the vendor page that no schema of the API takes."""
        return [
            f"{name} is not sent: the vendor page lists it, but no version of Shoplazza's API takes it"
            for name in UNSENT
            if getattr(order, name, None) is not None
        ]

    @classmethod
    def scrub(cls, text: str, order: Mapping[str, Any]) -> str:
        """Take out the address and the note, the note also line by line."""
        note = order.get("note")
        lines = note.splitlines() if isinstance(note, str) else []
        return super().scrub(text, {"shipping_address": order.get("shipping_address"), "note": [note, *lines]})

    def _mark(self, key: str) -> Mark:
        return Mark(self._keys.tag_prefix, key)

    def _context(self, order: Mapping[str, Any], key: str = "") -> Context:
        return Context(self._keys.api_version, self._keys.limit_headers, self.words(order, key))

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Request:
        url = f"{self.url}{path}?{urlencode(query)}" if query else f"{self.url}{path}"
        return Request("GET", url, self._headers, b"")


def _address(base_url: str | None, keys: ShoplazzaCredentials) -> str:
    """Return where the API answers: the shop's own address, or the account's with the version put in."""
    version = keys.api_version
    if not base_url:
        return Shoplazza.base_url.format(shop=keys.shop, domain_suffix=keys.domain_suffix, api_version=version)
    base = base_url.rstrip("/")
    _, _, tail = urlsplit(base).path.partition("/openapi")
    if tail and tail != f"/{version}":
        raise ConfigError(f"BASE_URL ends in {tail.strip('/')} but API_VERSION is {version}: let one follow the other")
    return base if tail else f"{base.removesuffix('/openapi')}/openapi/{version}"
