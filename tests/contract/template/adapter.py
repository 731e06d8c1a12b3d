"""The Template adapter: builds the two calls and hands what comes back to the readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from worker.marketplaces.template import goods
from worker.marketplaces.template.codes import ENTRIES
from worker.marketplaces.template.create import create_body, read_create
from worker.marketplaces.template.credentials import TemplateCredentials
from worker.marketplaces.template.models import TemplateOrder
from worker.marketplaces.template.read import read_answer
from worker.marketplaces.template.signing import headers
from worker.marketplaces.template.statuses import MEANINGS

from worker.marketplaces.base import Marketplace, Rate
from worker.marketplaces.calls import PlaceSteps, RecordSteps, Request
from worker.rules.outcomes import OrderRecord


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
    statuses: ClassVar[Mapping[str, str]] = MEANINGS

    def place(self, order: Mapping[str, Any], key: str) -> PlaceSteps:
        """Create the order under `key`."""
        came = yield Request("POST", f"{self.url}/orders", headers(self._keys, key), create_body(order), creates=True)
        return read_create(came, self.words(order, key))

    def read(self, reference: str) -> RecordSteps:
        """Read one order by its id."""
        came = yield Request("GET", f"{self.url}/orders/{quote(reference, safe='')}", headers(self._keys), b"")
        return read_answer(came, reference, partial(self.clean, order={}))

    def differences(self, order: Mapping[str, Any], key: str, records: Sequence[OrderRecord]) -> list[str]:
        """Compare what is shown of the goods and the currency with what was ordered."""
        return goods.differing(order, records, self.title)

    def shows_goods(self, records: Sequence[OrderRecord]) -> bool:
        """Tell whether every record shows its goods."""
        return all(goods.shows_goods(record) for record in records)

    @property
    def _keys(self) -> TemplateCredentials:
        return TemplateCredentials.model_validate(self.credentials, from_attributes=True)
