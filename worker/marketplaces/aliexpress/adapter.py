"""The AliExpress adapter: builds the two signed calls and hands what comes back to the readers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from worker.marketplaces import signing
from worker.marketplaces.aliexpress import goods, pushes
from worker.marketplaces.aliexpress.codes import ENTRIES, Kind, ban_seconds, find_gateway
from worker.marketplaces.aliexpress.create import clean_code, declined, read_create, too_many
from worker.marketplaces.aliexpress.envelope import Answer, Fault, Garbage, open_body
from worker.marketplaces.aliexpress.models import AliExpressCredentials, AliExpressOrder
from worker.marketplaces.aliexpress.read import read_order
from worker.marketplaces.aliexpress.statuses import MEANINGS
from worker.marketplaces.base import (
    Credentials,
    Lost,
    Marketplace,
    PlaceSteps,
    Push,
    Rate,
    ReadSteps,
    Reply,
    Request,
    fingerprint,
)
from worker.marketplaces.replies import lost
from worker.rules.outcomes import Absent, Declined, Found, NotSent, OrderRecord, Unknown

CREATE = "aliexpress.ds.order.create"
GET = "aliexpress.trade.ds.order.get"

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_HEADERS = {"content-type": "application/x-www-form-urlencoded;charset=utf-8", "accept": "application/json"}


class AliExpress(Marketplace):
    """AliExpress DS. `out_order_id` makes a create idempotent for 24 hours (vendor page); there is no look-up.

    No API finds an order by out_order_id or lists a buyer's orders (facts: section 3), so a repeat without ids
    stays without ids until a person or a push message tells them.
    """

    name: ClassVar[str] = "aliexpress"
    title: ClassVar[str] = "AliExpress DS"
    base_url: ClassVar[str] = "https://api-sg.aliexpress.com/sync"
    order_model = AliExpressOrder
    quantities: ClassVar[tuple[str, str] | None] = ("product_items", "product_count")
    credentials_model = AliExpressCredentials
    default_rate: ClassVar[Rate] = Rate(5)
    resend_window: ClassVar[timedelta | None] = timedelta(hours=24 - 2)
    order_page: ClassVar[str] = "the order's page on AliExpress (My Orders of the buyer account)"
    personal_fields: ClassVar[tuple[str, ...]] = ("logistics_address", "ds_extend_request")
    takes_pushes: ClassVar[bool] = True
    codes = ENTRIES
    statuses: ClassVar[Mapping[str, str]] = MEANINGS

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
            self.url += "/sync"  # the vendor's Java demo names the bare host, its PHP demo the full address
        keys = AliExpressCredentials.model_validate(credentials, from_attributes=True)
        self._secret = keys.app_secret.get_secret_value()
        self._buyer_id = keys.buyer_id
        self._system = {
            "app_key": keys.app_key,
            "format": "json",
            "session": keys.access_token.get_secret_value(),
            "sign_method": "sha256",
        }

    def sent_with(self) -> dict[str, str]:
        """Return the gateway, the app, and the buyer: by its id where the account names it, else by its token."""
        token, buyer_id = self._system["session"], self._buyer_id
        return {"address": self.url, "app": self._system["app_key"], "buyer": buyer_id or fingerprint(token)}

    def place(self, order: Mapping[str, Any], key: str) -> PlaceSteps:
        """Create the order under `key` as out_order_id: one call, several ids when the items are of several shops."""
        came = yield self._request(CREATE, create_params(order, key), creates=True)
        return read_create(came, self.words(order, key))

    def confirm(self, references: Sequence[str]) -> ReadSteps:
        """Read every reference back; the first one that cannot be read settles the answer."""
        records: list[OrderRecord] = []
        for reference in references:
            came = yield self._request(GET, {"single_order_query": _compact({"order_id": reference})})
            read = self._read(came, reference)
            if not isinstance(read, OrderRecord):
                return read
            records.append(read)
        return Found(tuple(records)) if records else Absent("there is no order id to read")

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Check the signature of a push message: the app's, so that of every account of this app."""
        return pushes.is_genuine(headers, body, self._system["app_key"], self._secret)

    def read_push(self, headers: Mapping[str, str], body: bytes) -> Push | None:
        """Read a message DROPSHIPPER_ORDER_STATUS_UPDATE."""
        return pushes.read_push(body)

    def describes(self, order: Mapping[str, Any], record: OrderRecord) -> bool:
        """Compare products and quantities. An order over several shops is several here, each with a part: False."""
        return goods.describes(order, record)

    def contradicts(self, order: Mapping[str, Any], key: str, record: OrderRecord) -> bool:
        """Compare products and quantities: an order-get shows no out_order_id, so that its goods are all there is."""
        return goods.contradicts(order, record)

    def differences(self, order: Mapping[str, Any], key: str, records: Sequence[OrderRecord]) -> list[str]:
        """Compare products, quantities and, where one was asked for, the currency."""
        return goods.differing(order, records, self.title)

    def shows_goods(self, records: Sequence[OrderRecord]) -> bool:
        """Tell whether every record shows its products."""
        return all(goods.shows_goods(record) for record in records)

    def made_between(self, record: OrderRecord) -> tuple[float, float] | None:
        """Read `gmt_create`, whose zone is not documented."""
        return pushes.made_between(record)

    @classmethod
    def scrub(cls, text: str, order: Mapping[str, Any]) -> str:
        """Take out what is personal: the address, what the extension says of a person, and the memos; no currency."""
        extend = order.get("ds_extend_request") or {}
        extra = extend.get("trade_extra_param") or {}
        memos = [item.get("order_memo") for item in order.get("product_items") or ()]
        person = [extra.get(name) for name in ("nat_addr", "birthday", "customize_sku_map")]
        address = order.get("logistics_address")
        return super().scrub(text, {"logistics_address": address, "ds_extend_request": [*person, *memos]})

    def _request(self, method: str, business: Mapping[str, str], creates: bool = False) -> Request:
        params = {"method": method, "timestamp": str(int(self.clock() * 1000)), **self._system, **business}
        params["sign"] = signing.aliexpress_sync(params, self._secret)
        # Everything in the body: the address is personal, and a query ends up in access logs.
        return Request("POST", self.url, _HEADERS, urlencode(params).encode(), creates)

    def _read(self, came: Reply | Lost, reference: str) -> OrderRecord | Absent | Declined | NotSent | Unknown:
        if isinstance(came, Lost):
            return lost(came)
        if came.status == 429:
            return too_many(came)
        if came.status >= 500:
            return Unknown(f"HTTP {came.status}", code=f"HTTP_{came.status}")
        match open_body(came.body):
            case Garbage(cause):
                return Unknown(f"HTTP {came.status}: {cause}")
            case Fault() as fault:
                return self._read_fault(fault)
            case Answer(result=result):
                return read_order(reference, result) or Absent("AliExpress does not show the order yet")

    def _told(self, text: str) -> str:
        return self.clean(text, {})

    def _read_fault(self, fault: Fault) -> Absent | Declined | Unknown:
        code, sub_code = (clean_code(word, self._told) for word in (fault.code, fault.sub_code))
        entry = find_gateway(code, sub_code, fault.text)
        reason = self._told(fault.text) or entry.meaning
        if entry.kind is Kind.NOT_SHOWN:
            return Absent(reason, entry.code)
        return declined(entry, reason, ban_seconds(fault.text), fault.request_id) or Unknown(
            reason, entry.code, (), fault.request_id
        )


def create_params(order: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return the two business parameters of a create; the second only where it holds something.

    The page types product_id a number and the official demo sends text, both pass; a number it is.
    """
    body = {
        "out_order_id": key,
        "logistics_address": order["logistics_address"],
        "product_items": [{**item, "product_id": int(item["product_id"])} for item in order["product_items"]],
    }
    params = {"param_place_order_request4_open_api_d_t_o": _compact(body)}
    extend = order.get("ds_extend_request")
    if extend:
        params["ds_extend_request"] = _compact(extend)
    return params
