"""The Shoplazza adapter: builds the create, the reads and the look-ups, and hands what comes back to the readers."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

from worker.errors import ConfigError
from worker.marketplaces.base import (
    Credentials,
    Lost,
    Marketplace,
    OrderModel,
    PlaceSteps,
    Rate,
    ReadSteps,
    Reply,
    Request,
)
from worker.marketplaces.replies import id_of, lost
from worker.marketplaces.shoplazza import goods
from worker.marketplaces.shoplazza.codes import ENTRIES
from worker.marketplaces.shoplazza.create import Context, declined, read_create, request_id_of
from worker.marketplaces.shoplazza.envelope import open_body
from worker.marketplaces.shoplazza.look_up import LOOK_BACK_SECONDS, PAGES, Page, read_page, settle
from worker.marketplaces.shoplazza.models import UNSENT, ShoplazzaCredentials, ShoplazzaOrder
from worker.marketplaces.shoplazza.read import NOT_TOLD, read_order
from worker.marketplaces.shoplazza.statuses import MEANINGS
from worker.marketplaces.shoplazza.wire import LEGACY, Mark, create_body, listing
from worker.rules.outcomes import Absent, Declined, Found, NotSent, OrderRecord, ReadOutcome, Unknown


class Shoplazza(Marketplace):
    """Shoplazza. No idempotency key exists (facts: B1), so every order carries a tag and a note line of ours.

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
    codes = ENTRIES
    statuses: ClassVar[Mapping[str, str]] = MEANINGS
    order_page: ClassVar[str] = "the order's page in the shop's admin (Orders)"
    personal_fields: ClassVar[tuple[str, ...]] = ("shipping_address", "note")

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
        self._headers = {
            "access-token": keys.access_token.get_secret_value(),
            "accept": "application/json",
            "content-type": "application/json",
            "user-agent": "fulfil",
        }

    @property
    def can_look_up(self) -> bool:
        """Every version can: by tag, or by time and tag."""
        return True

    def sent_with(self) -> dict[str, str]:
        """Return the shop and what its orders are marked with; neither a new token nor a new version is a change."""
        address = self.url.partition("/openapi")[0]
        return {"address": address, "shop": self._keys.shop, "tag_prefix": self._keys.tag_prefix}

    def place(self, order: Mapping[str, Any], key: str) -> PlaceSteps:
        """Create the order, marked with a tag and a note line made from `key`."""
        body = create_body(order, self._mark(key), self._keys.api_version)
        came = yield Request("POST", f"{self.url}/orders", self._headers, body, creates=True)
        return read_create(came, self._context(order, key))

    def confirm(self, references: Sequence[str]) -> ReadSteps:
        """Read every reference back; the first one that cannot be read settles the answer."""
        records: list[OrderRecord] = []
        for reference in references:
            came = yield self._get(f"/orders/{quote(reference, safe='')}")
            read = self._read(came, reference)
            if not isinstance(read, OrderRecord):
                return read
            records.append(read)
        return Found(tuple(records)) if records else Absent("there is no order id to read")

    def look_up(self, order: Mapping[str, Any], key: str, first_sent_at: float) -> ReadSteps:
        """Find the order by its mark. An answer with strangers in it shows that the filter was not applied.

        2022-01 has no filter by tag, of 2025-06 it is not known (facts: B1): there the orders since the first send
        are walked through, and absent means that all of them were seen.
        """
        mark, context = self._mark(key), self._context(order)
        hits: list[Mapping[str, Any]] = []
        if context.version != LEGACY:
            came = yield self._get("/orders", {"order_tags": mark.token, "page_size": "10"})
            page = read_page(came, context)
            if not isinstance(page, Page):
                return page
            hits = [shown for shown in page.orders if mark.is_on(shown)]
            if page.is_last and len(hits) == len(page.orders):
                return settle(hits, mark)
        return (yield from self._walk(mark, first_sent_at - LOOK_BACK_SECONDS, context, hits))

    def _walk(
        self, mark: Mark, since: float, context: Context, hits: list[Mapping[str, Any]]
    ) -> Generator[Request, Reply | Lost, ReadOutcome]:
        seen: set[str] = set()
        cursor = ""
        for number in range(1, PAGES + 1):
            came = yield self._get("/orders", listing(context.version, since, number, cursor))
            page = read_page(came, context)
            if not isinstance(page, Page):
                return page
            hits += [shown for shown in page.orders if mark.is_on(shown)]
            if page.is_last:
                return settle(hits, mark)
            fresh = {id_of(shown.get("id")) for shown in page.orders} - seen
            if not fresh or (context.version != LEGACY and not page.cursor):
                break  # the vendor ignores what turns the page
            seen |= fresh
            cursor = page.cursor
        cause = f"the orders since the first send could not all be seen ({len(seen)} were)"
        return settle(hits, mark) if hits else Unknown(cause, "LIST_INCOMPLETE")

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

    def _read(self, came: Reply | Lost, reference: str) -> OrderRecord | Absent | Declined | NotSent | Unknown:
        if isinstance(came, Lost):
            return lost(came)
        turned_away = declined(came, self._context({}))
        if turned_away is not None:
            return turned_away
        if came.status == 404:
            return Absent("Shoplazza does not show the order yet", "HTTP_404")
        opened, request_id = open_body(came.body), request_id_of(came)
        if isinstance(opened, str) or not 200 <= came.status < 300:
            # The words are not told: they could repeat what is personal, and here is no order to scrub them by.
            told = opened if isinstance(opened, str) else "the order could not be read"
            return Unknown(f"HTTP {came.status}: {told}", f"HTTP_{came.status}", (), request_id)
        record = read_order(opened.order())
        if record is None or record.reference != reference or record.status == NOT_TOLD:
            return Unknown("the reply does not show this order and its status", None, (), request_id)
        return record


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
