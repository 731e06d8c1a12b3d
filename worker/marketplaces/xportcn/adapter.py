"""The Xportcn adapter: builds the signed calls and hands what comes back to the readers."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

from worker.marketplaces.asks import Answer as Told
from worker.marketplaces.asks import Ask, AskSteps, Topic
from worker.marketplaces.base import Marketplace, Push, Rate, fingerprint
from worker.marketplaces.calls import ParcelSteps, PlaceSteps, ReadSteps, RecordSteps, Request
from worker.marketplaces.forms import Form
from worker.marketplaces.goods import Line
from worker.marketplaces.models import Credentials
from worker.marketplaces.xportcn import goods, pushes, tracking
from worker.marketplaces.xportcn.codes import ENTRIES
from worker.marketplaces.xportcn.create import OURS, Create, create_body, read_create
from worker.marketplaces.xportcn.credentials import XportcnCredentials, fill
from worker.marketplaces.xportcn.envelope import Answer
from worker.marketplaces.xportcn.look_up import Search
from worker.marketplaces.xportcn.models import XportcnOrder
from worker.marketplaces.xportcn.preflight import judge, preview_body, read_forecast
from worker.marketplaces.xportcn.preview import PREVIEWED, Preview, ceiling, read_preview
from worker.marketplaces.xportcn.read import contradicts, read_answer, read_detail, readings
from worker.marketplaces.xportcn.signing import signed_headers
from worker.marketplaces.xportcn.statuses import MEANINGS
from worker.rules.foreseen import Verdict
from worker.rules.outcomes import Accepted, Money, OrderRecord, Unknown

PREVIEW = "/alibaba/ka/order/create/preview"
CREATE = "/alibaba/ka/order/create"

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Xportcn(Marketplace):
    """Xportcn KA: orders on 1688. No idempotency is documented, so an order is never sent blindly a second time.

    outOrderId goes with every attempt and finds the order again in the order list. Paying is a call of its own, which
    this application never makes.
    """

    name: ClassVar[str] = "xportcn"
    title: ClassVar[str] = "Xportcn KA (1688)"
    base_url: ClassVar[str] = "https://www.xportcn.com/api"
    order_model = XportcnOrder
    quantities: ClassVar[tuple[str, str] | None] = ("cargoParamList", "quantity")
    credentials_model = XportcnCredentials
    # No limit is documented; public clients of the platform stay at two a second for an access key.
    default_rate: ClassVar[Rate] = Rate(2, shared=True)
    resend_window: ClassVar[timedelta | None] = None
    calls_to_place: ClassVar[int] = 2
    foresees: ClassVar[str | None] = "what the preview says: whether 1688 takes the order, and its price"
    look_up_by: ClassVar[str | None] = "outOrderId in the order list, unless list_path is off"
    codes = ENTRIES
    statuses: ClassVar[Mapping[str, str]] = MEANINGS
    calls_for_parcels: ClassVar[int] = 1
    order_page: ClassVar[str] = "the order's page on 1688 (the buyer account's orders)"
    takes_hints: ClassVar[bool] = True
    secret_in_address: ClassVar[bool] = True
    pay_page: ClassVar[str] = "1688, the buyer account's orders that wait for payment, or Xportcn's console"
    reference_form: ClassVar[Form] = Form(r"[0-9]{8,24}", "8 to 24 digits")
    personal_fields: ClassVar[tuple[str, ...]] = ("addressParam", "message", "staffName")
    store_names: ClassVar[tuple[str, ...]] = ("sellerLoginId", "sellerID")
    tracking_names: ClassVar[tuple[str, ...]] = ("logisticsBillNo", "mailNo")

    def __init__(
        self,
        account: str,
        credentials: Credentials,
        base_url: str | None = None,
        clock: Callable[[], float] = time.time,
        max_order_amount: Decimal | None = None,
    ) -> None:
        super().__init__(account, credentials, base_url, clock, max_order_amount)
        if not urlsplit(self.url).path:
            self.url += "/api"
        self._keys = XportcnCredentials.model_validate(credentials, from_attributes=True)

    @property
    def can_look_up(self) -> bool:
        """Tell whether the account has an order list to look in; without one an unknown order is parked."""
        return bool(self._keys.list_path)

    @classmethod
    def items(cls, order: Mapping[str, Any]) -> list[Line]:
        """Return what an order is for."""
        return goods.ordered(order)

    def sent_with(self) -> dict[str, str]:
        """Return the gateway, the key pair by its public half, and the user it acts for."""
        return {"address": self.url, "app": fingerprint(self._keys.access_key), "buyer": self._keys.user_id}

    def place(self, order: Mapping[str, Any], key: str) -> PlaceSteps:
        """Preview the order, hold its ceiling, then create it under `key` as outOrderId with the preview's flow."""
        success, words = self._keys.success_codes, self.words(order, key)
        body = {**create_body(order), "outOrderId": key}
        came = yield self._request(PREVIEW, {name: body[name] for name in PREVIEWED if name in body})
        preview = read_preview(came, success, words.clean)
        if not isinstance(preview, Preview):
            return preview
        refusal = ceiling(preview, order.get(OURS), self.max_order_amount)
        if refusal:
            return refusal
        if preview.trade_type and not body.get("tradeType"):
            body["tradeType"] = preview.trade_type
        came = yield self._request(CREATE, body, creates=True)
        outcome = read_create(came, Create(order, success, words, self.differing))
        return replace(outcome, forecast=preview.forecast) if isinstance(outcome, Accepted | Unknown) else outcome

    def asks(self, order: Mapping[str, Any], answers: Mapping[str, Told]) -> Iterable[Ask]:
        """Ask for the preview of an order."""
        yield Ask(Topic.PREVIEW, _preview_key(order), partial(self._ask_preview, order))

    def foresee(self, order: Mapping[str, Any], answers: Mapping[str, Told], most: Decimal | None = None) -> Verdict:
        """Judge an order by its preview."""
        return judge(order, answers.get(_preview_key(order)), most, self.max_order_amount)

    def _ask_preview(self, order: Mapping[str, Any]) -> AskSteps:
        came = yield self._request(PREVIEW, preview_body(order))
        return read_forecast(came, self._keys.success_codes, partial(self.clean, order=order))

    def read(self, reference: str) -> RecordSteps:
        """Read one order's details."""
        keys = self._keys
        came = yield self._request(keys.detail_path, fill(keys.detail_body, {"{orderId}": reference}))
        answer = read_answer(came, keys.success_codes, partial(self.clean, order={}), "detail_path")
        if not isinstance(answer, Answer):
            return answer
        return read_detail(reference, answer.data, keys.detail_amount_unit)

    @property
    def hears(self) -> bool:
        """Tell whether a secret for the address is set, without which anybody could send messages."""
        return self._keys.push_secret is not None

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str = "") -> bool:
        """Compare the secret in the address: the messages have no signature."""
        known = self._keys.push_secret
        return known is not None and hmac.compare_digest(known.get_secret_value().encode(), secret.encode())

    def read_push(self, headers: Mapping[str, str], body: bytes) -> Push | None:
        """Read a message about an order."""
        return pushes.read_push(body)

    def parcels(self, record: OrderRecord) -> ParcelSteps:
        """Ask for the order's logistics where the account has a path for it; else the details say what is known."""
        keys = self._keys
        if not keys.logistics_path:
            return tracking.in_details(record)
        came = yield self._request(keys.logistics_path, fill(keys.logistics_body, {"{orderId}": record.reference}))
        return tracking.read_tracking(came, record, keys.success_codes, partial(self.clean, order={}))

    def look_up(self, order: Mapping[str, Any], key: str, first_sent_at: float) -> ReadSteps:
        """Find the order in the order list by outOrderId; every row is compared here, "absent" has to be proved."""
        clean, unit = partial(self.clean, order=order), self._keys.detail_amount_unit
        search = Search(self._ask_list, self._keys.success_codes, clean, unit)
        return (yield from search.find(key))

    def contradicts(self, order: Mapping[str, Any], key: str, record: OrderRecord) -> bool:
        """Compare outOrderId and offers; only where both are shown and neither is this order's is there no doubt."""
        return contradicts(order, key, record)

    def differences(self, order: Mapping[str, Any], key: str, records: Sequence[OrderRecord]) -> list[str]:
        """Compare offers, specifications where both sides show them, quantities, and that it is in CNY."""
        return goods.differing(order, records, self.title)

    def shows_goods(self, records: Sequence[OrderRecord]) -> bool:
        """Tell whether every record shows its offers."""
        return all(goods.shows_goods(record) for record in records)

    def readings(self, record: OrderRecord) -> tuple[Money, ...]:
        """Return the record's amount, also as it would be in the other unit where the reply leaves its unit open."""
        return readings(record, self._keys.detail_amount_unit)

    @classmethod
    def scrub(cls, text: str, order: Mapping[str, Any]) -> str:
        """Take out what is personal; also words of two characters where they are Chinese, as most names are."""
        address = order.get("addressParam")
        values = address.values() if isinstance(address, Mapping) else ()
        short = {v for v in values if isinstance(v, str) and len(v) == 2 and not v.isascii()}
        text = super().scrub(text, order)
        return re.sub("|".join(map(re.escape, short)), "•••", text)[:300] if short else text

    def _ask_list(self, key: str | None, page: int) -> Request:
        return self._request(self._keys.list_path, fill(self._keys.list_body, {"{outOrderId}": key, "{page}": page}))

    def _request(self, path: str, body: Mapping[str, Any], creates: bool = False) -> Request:
        """Build one request with headers of its own."""
        headers = {
            **signed_headers(self._keys, self.clock(), secrets.token_hex(16)),
            "content-type": "application/json",
            "accept": "application/json",
        }
        return Request("POST", self.url + path, headers, _compact(body).encode(), creates)


def _preview_key(order: Mapping[str, Any]) -> str:
    """Return a key that only this run knows the order by: what is asked under it is never kept."""
    return f"preview:{fingerprint(_compact(order))}"
