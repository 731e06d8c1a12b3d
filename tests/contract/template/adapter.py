"""The Template adapter: builds the two calls and reads what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from urllib.parse import quote

from worker.marketplaces.template.codes import ABOUT, DOCUMENTED, ENTRIES, STATUSES, Kind, find
from worker.marketplaces.template.models import TemplateCredentials, TemplateOrder

from worker.marketplaces.base import Lost, Marketplace, PlaceSteps, Rate, ReadSteps, Reply, Request
from worker.marketplaces.doubts import Words, texts_in
from worker.marketplaces.goods import Line, Names, differences, pieces, readable
from worker.marketplaces.prices import other_currency
from worker.marketplaces.replies import id_of, lost, read_object, text_of
from worker.rules.outcomes import Absent, Accepted, Declined, Found, Money, OrderRecord, PlaceOutcome, Refused, Unknown


class Template(Marketplace):
    """Template. The header idempotency-key makes a create safe to repeat for 24 hours (say where you know it from)."""

    name: ClassVar[str] = "template"
    title: ClassVar[str] = "Template"
    base_url: ClassVar[str] = "https://api.template.example/v1"
    order_model = TemplateOrder
    quantities: ClassVar[tuple[str, str] | None] = ("items", "quantity")
    credentials_model = TemplateCredentials
    default_rate: ClassVar[Rate] = Rate(2)
    # None where nothing is documented; then override `look_up` and `can_look_up`, and say what by in `look_up_by`.
    resend_window: ClassVar[timedelta | None] = timedelta(hours=24 - 2)
    order_page: ClassVar[str] = "the order's page in Template's console"
    personal_fields: ClassVar[tuple[str, ...]] = ("receiver", "memo")
    codes = ENTRIES
    statuses: ClassVar[Mapping[str, str]] = STATUSES

    def place(self, order: Mapping[str, Any], key: str) -> PlaceSteps:
        """Create the order."""
        body = json.dumps(order, ensure_ascii=False).encode()
        came = yield self._request("POST", "/orders", body, {"idempotency-key": quote(key, safe="")})
        return self._read_create(came, self.words(order, key))

    def confirm(self, references: Sequence[str]) -> ReadSteps:
        """Read every reference back; the first one that cannot be read settles the answer."""
        records: list[OrderRecord] = []
        for reference in references:
            came = yield self._request("GET", f"/orders/{quote(reference, safe='')}")
            if isinstance(came, Lost):
                return lost(came)
            if came.status == 404:
                return Absent("Template does not show the order yet")
            read = self._read_order(came, reference)
            if not isinstance(read, OrderRecord):
                return read
            records.append(read)
        return Found(tuple(records)) if records else Absent("there is no order id to read")

    def _request(self, method: str, path: str, body: bytes = b"", more: Mapping[str, str] | None = None) -> Request:
        """Build one request anew for each attempt; a signature with its time and nonce would be made here."""
        token = TemplateCredentials.model_validate(self.credentials, from_attributes=True).token.get_secret_value()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json", **(more or {})}
        return Request(method, self.url + path, headers, body)

    def differences(self, order: Mapping[str, Any], key: str, records: Sequence[OrderRecord]) -> list[str]:
        """Compare what is shown of the goods and the currency with what was ordered."""
        names = Names(self.title, "product", "variant")
        currencies = [record.amount.currency for record in records if record.amount]
        goods = differences(_lines(order.get("items")), [_lines(one.details.get("items")) for one in records], names)
        return [*goods, *other_currency(self.title, "EUR", currencies)]

    def shows_goods(self, records: Sequence[OrderRecord]) -> bool:
        """Tell whether every record shows its goods."""
        return all(readable(_lines(record.details.get("items"))) for record in records)

    def _read_create(self, came: Reply | Lost, words: Words) -> PlaceOutcome:
        """Only an id is a yes, only a code of the table is a no, and no word may speak against it; else unknown."""
        if isinstance(came, Lost):
            return lost(came)
        read = read_object(came.body)
        if isinstance(read, str):
            return Unknown(f"HTTP {came.status}: {read}", f"HTTP_{came.status}")
        reference = id_of(read.get("id"))
        if reference:
            return Accepted((reference,))
        code, text = text_of(read.get("code")), words.clean(text_of(read.get("message")))
        entry = find(code) if came.status in DOCUMENTED else None
        doubt = words.doubts(texts_in(read), ABOUT[entry.kind]) if entry else "neither an id nor a known code"
        if entry is None or doubt:
            return Unknown(f"{doubt}: {text}" if text else f"{doubt}", words.clean(code) or f"HTTP_{came.status}")
        return self._declined(code, text) or Refused(entry.code, text or entry.meaning, entry.fix)

    def _declined(self, code: str, words: str) -> Declined | None:
        """Return the outcome of an answer given at the door, where nothing was executed."""
        entry = find(code)
        if entry is None or entry.kind is Kind.REFUSED:
            return None
        fix = entry.fix if entry.kind is Kind.TOKEN else None
        return Declined(entry.code, words or entry.meaning, 60.0 if fix else None, pauses_account=True, fix=fix)

    def _read_order(self, came: Reply, reference: str) -> OrderRecord | Declined | Unknown:
        read = read_object(came.body)
        if isinstance(read, str):
            return Unknown(f"HTTP {came.status}: {read}", f"HTTP_{came.status}")
        words = self.clean(text_of(read.get("message")), {})
        status = text_of(read.get("status"))
        if id_of(read.get("id")) != reference or not status:
            return self._declined(text_of(read.get("code")), words) or Unknown(words or "it shows another order")
        # Keep what a person may want to see, and nothing of the receiver.
        kept: dict[str, Any] = {name: text_of(read.get(name)) for name in ("status", "total", "currency")}
        kept["items"] = read.get("items")
        return OrderRecord(reference, status[:60], amount=_money(kept["total"], kept["currency"]), details=kept)


def _lines(rows: object) -> list[Line]:
    found = [row if isinstance(row, Mapping) else {} for row in (rows if isinstance(rows, list | tuple) else ())]
    return [Line(text_of(row.get("sku")), "", pieces(row.get("quantity")), text_of(row.get("ended"))) for row in found]


def _money(amount: str, currency: str) -> Money | None:
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return None
    return Money(value, currency) if value.is_finite() and 0 < len(currency) <= 10 else None
