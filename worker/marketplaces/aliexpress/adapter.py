"""The AliExpress adapter: builds the three signed calls and hands what comes back to the readers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from worker.marketplaces.aliexpress import goods, pushes, signing, tracking
from worker.marketplaces.aliexpress.codes import ENTRIES
from worker.marketplaces.aliexpress.create import compact, create_params, read_create
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.marketplaces.aliexpress.models import AliExpressOrder
from worker.marketplaces.aliexpress.preflight import Preflight
from worker.marketplaces.aliexpress.read import read_answer
from worker.marketplaces.aliexpress.statuses import MEANINGS
from worker.marketplaces.aliexpress.tokens import AliExpressTokens
from worker.marketplaces.asks import Answer, Ask
from worker.marketplaces.base import Marketplace, Push, Rate, fingerprint
from worker.marketplaces.calls import ParcelSteps, PlaceSteps, RecordSteps, Request
from worker.marketplaces.forms import Form
from worker.marketplaces.goods import Line
from worker.marketplaces.models import Credentials
from worker.rules.foreseen import Verdict
from worker.rules.outcomes import OrderRecord

CREATE = "aliexpress.ds.order.create"
GET = "aliexpress.trade.ds.order.get"
TRACKING = "aliexpress.ds.order.tracking.get"

_HEADERS = {"content-type": "application/x-www-form-urlencoded;charset=utf-8", "accept": "application/json"}


class AliExpress(Marketplace):
    """AliExpress DS. `out_order_id` makes a create idempotent for 24 hours (vendor page); there is no look-up.

    No API finds an order by out_order_id or lists a buyer's orders (aliexpress.md, 3), so a repeat without ids
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
    calls_for_parcels: ClassVar[int] = 1
    order_page: ClassVar[str] = "the order's page on AliExpress (My Orders of the buyer account)"
    pay_page: ClassVar[str] = "AliExpress, My Orders of the buyer account, tab Unpaid (several orders in one payment)"
    reference_form: ClassVar[Form] = Form(r"[0-9]{8,20}", "8 to 20 digits")
    country_at: ClassVar[tuple[str, ...]] = ("logistics_address", "country")
    personal_fields: ClassVar[tuple[str, ...]] = ("logistics_address", "ds_extend_request")
    store_names: ClassVar[tuple[str, ...]] = ("store_name", "store_id")
    tracking_names: ClassVar[tuple[str, ...]] = ("logistics_no",)
    takes_pushes: ClassVar[bool] = True
    foresees: ClassVar[str | None] = "product, SKU, stock, limits, delivery and its price, names of the address, stores"
    token_calls = AliExpressTokens
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

    @classmethod
    def items(cls, order: Mapping[str, Any]) -> list[Line]:
        """Return what an order is for."""
        return goods.ordered(order)

    def sent_with(self) -> dict[str, str]:
        """Return the gateway, the app, and the buyer: by its id where the account names it, else by its token."""
        token, buyer_id = self._system["session"], self._buyer_id
        return {"address": self.url, "app": self._system["app_key"], "buyer": buyer_id or fingerprint(token)}

    def place(self, order: Mapping[str, Any], key: str) -> PlaceSteps:
        """Create the order under `key` as out_order_id: one call, several ids when the items are of several shops."""
        came = yield self._request(CREATE, create_params(order, key), creates=True)
        return read_create(came, self.words(order, key))

    def read(self, reference: str) -> RecordSteps:
        """Read one order by its id."""
        came = yield self._request(GET, {"single_order_query": compact({"order_id": reference})})
        return read_answer(came, reference, partial(self.clean, order={}))

    def parcels(self, record: OrderRecord) -> ParcelSteps:
        """Ask for the order's parcels; while there are none, the order's own numbers count."""
        came = yield self._request(TRACKING, tracking.params(record.reference))
        return tracking.read_tracking(came, record, partial(self.clean, order={}))

    def asks(self, order: Mapping[str, Any], answers: Mapping[str, Answer]) -> Iterable[Ask]:
        """Ask for the products, how they are delivered, and the names of the country."""
        return self._preflight(order).asks(answers)

    def foresee(self, order: Mapping[str, Any], answers: Mapping[str, Answer], most: Decimal | None = None) -> Verdict:
        """Judge an order by its products, their delivery and the names in its address."""
        return self._preflight(order).verdict(answers, most, self.max_order_amount)

    def _preflight(self, order: Mapping[str, Any]) -> Preflight:
        return Preflight(order, self._request, partial(self.clean, order={}))

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str = "") -> bool:
        """Check the signature of a push message: the app's, so that of every account of this app."""
        return signing.is_genuine(headers, body, self._system["app_key"], self._secret)

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
        params["sign"] = signing.call_signature(params, self._secret)
        # Everything in the body: the address is personal, and a query ends up in access logs.
        return Request("POST", self.url, _HEADERS, urlencode(params).encode(), creates)
