"""Reads order details and rows of the order list: what they say of an order, wherever it stands in them.

No page of either reply is stored for the KA calls (xportcn.md, 1); Xportcn's siblings hand 1688's own object through
(`baseInfo`, `nativeLogistics`, `productItems`), its messages have flat names. Both are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.codes import Clean, read_outcome, server_error
from worker.marketplaces.replies import Fraction, Garbage, id_of, lost, text_of, values
from worker.marketplaces.xportcn.codes import clean_code, find, find_gateway, is_known, says_no_such_order
from worker.marketplaces.xportcn.create import RATE_SECONDS, limited
from worker.marketplaces.xportcn.envelope import Answer, Fault, first_text, open_body
from worker.marketplaces.xportcn.goods import CURRENCY, OFFER_NAMES, ended_lines
from worker.marketplaces.xportcn.statuses import Shown, alert, life
from worker.rules.outcomes import Absent, Declined, Money, NotSent, OrderRecord, Unknown

NOT_TOLD = "NOT_TOLD"
"""Our word for the status of an order whose reply names none."""
ID_NAMES = ("orderId", "idOfStr", "id")
"""In the order they count: `baseInfo.id` has lost digits in 1688's own sample, idOfStr has not (xportcn.md, 2)."""
STATUS_NAMES = ("orderStatus", "status", "tradeStatus")
TOTAL_NAMES = ("totalAmount", "sumTotalPayment", "sumPayment")
PAID = {"1": False, "2": True}
"""`payStatus` of Xportcn's messages: 1 unpaid, 2 paid (docs/vendors/xportcn.md, 1)."""
PERSONAL = frozenset(
    name.lower()
    for name in (
        *("fullName", "contactPerson", "receiverName", "toFullName", "buyerContact", "receiverInfo", "addressParam"),
        *("mobile", "phone", "telephone", "toMobile", "toPhone", "receiverMobile", "receiverPhone", "toName"),
        *("address", "toAddress", "toArea", "toPost", "postCode", "zip", "receiverAddress", "encryptOutOrderInfo"),
        *("sender", "receiver", "remarks"),
    )
)
"""Members of an order that say who and where; what the details keep of them is that they were there."""
HIDDEN = "•••"
DEEPEST = 50
EXACT = 2**53
"""Larger whole numbers are kept as text: programs that read JSON numbers as floats would change an id."""

ReadFault = Declined | NotSent | Unknown


def read_answer(came: Reply | Lost, success: Sequence[str], clean: Clean, where: str) -> Answer | Absent | ReadFault:
    """Return a read's good answer, or what its failure means. `where` names the setting with the call's path.

    The paths are by analogy, so an address that does not exist says which setting to check; it is Unknown, not
    Declined, because placing goes on and only a person can mend it.
    """
    if isinstance(came, Lost):
        return lost(came)
    if came.status == 429:
        return limited(came)
    if came.status >= 500:
        return server_error(came.status)
    hint = f"; check the account's {where}"
    match open_body(came.body):
        case Garbage(cause):
            return Unknown(f"HTTP {came.status}: {cause}{hint}", code=f"HTTP_{came.status}")
        case Fault(code, text):
            entry = find_gateway(clean_code(code, clean), text)
            return read_outcome(entry, clean(text), None, RATE_SECONDS)
        case Answer() as answer:
            return answer if answer.code in success else _refusal(answer, clean, hint)


def _refusal(answer: Answer, clean: Clean, hint: str) -> Absent | ReadFault:
    code, reason = clean_code(answer.code, clean), clean(answer.msg)
    if says_no_such_order(answer.msg):
        return Absent(reason, code)
    entry = find(code, answer.msg)
    found = read_outcome(entry, reason, answer.request_id, RATE_SECONDS)
    if isinstance(found, Declined) and code not in ("404", "405"):
        return found
    named = is_known(entry.code) and code not in ("404", "405")
    return Unknown(f"{reason or entry.meaning}{'' if named else hint}", code, (), answer.request_id)


def read_detail(reference: str, data: Any, unit: str) -> OrderRecord | Absent | Unknown:
    """Return the record of one order's details; what shows another order is believed in nothing."""
    rows = [row for row in (data if isinstance(data, list) else [data]) if isinstance(row, dict) and row]
    if not rows:
        return Absent("Xportcn does not show the order yet")
    own = next((row for row in rows if reference in set(_ids(row))), None)
    if own is None and (len(rows) > 1 or reference_of(rows[0])):
        return Unknown("the details are of another order than the one asked for")
    return record(reference, own or rows[0], unit)


def contradicts(order: Mapping[str, Any], key: str, record: OrderRecord) -> bool:
    """Tell whether details show another order's outOrderId and none of this order's offers.

    One alone proves nothing: the page of the details is not stored, the platform may keep an outOrderId of its own
    there (it hands 1688's object through), and may show goods in a form nobody has seen.
    """
    keys = _shown_texts(record, "outOrderId")
    offers = _shown_texts(record, *OFFER_NAMES)
    ordered = {text_of(line.get("offerId")) for line in order.get("cargoParamList") or ()}
    return bool(keys and offers) and key not in keys and offers.isdisjoint(ordered)


def _shown_texts(record: OrderRecord, *names: str) -> set[str]:
    return {text for value in values(record.details, *names) if (text := text_of(value))}


def reference_of(row: object) -> str:
    """Return the id of the order a row shows, or nothing."""
    return next(_ids(row), "")


def record(reference: str, row: dict[str, Any], unit: str) -> OrderRecord:
    """Return what a row says of one order; everything in it is kept, except who the goods go to."""
    status = first_text(row, *STATUS_NAMES) or NOT_TOLD
    amount = _total(row, unit)
    paid, reason = PAID.get(first_text(row, "payStatus")), first_text(row, "closeReason")
    timeout, ended = first_text(row, "payTimeout"), ", ".join(ended_lines(row))
    nothing = Money(Decimal(0), CURRENCY) if paid is False else None
    return OrderRecord(
        reference=reference,
        status=status[:60],
        fulfilment_status=first_text(row, "logisticsStatus", "logisticStatus")[:60] or None,
        amount=amount,
        paid_amount=amount if paid else nothing,
        details=_kept(row, DEEPEST),
        alert=alert(reference, status[:60], reason[:60]),
        life=life(status, Shown(paid, timeout, reason, ended)),
    )


def readings(record: OrderRecord, unit: str) -> tuple[Money, ...]:
    """Return what a record's amount can mean: fen or yuan for a whole number of no set unit; any other is sure."""
    if unit != "auto":
        return (record.amount,) if record.amount else ()
    either = [_total(record.details, of) for of in ("auto", "yuan")]
    return tuple(dict.fromkeys(filter(None, either)))


def _total(row: object, unit: str) -> Money | None:
    return next(filter(None, (_money(value, unit) for value in values(row, *TOTAL_NAMES))), None)


def _ids(row: object) -> Iterator[str]:
    return filter(None, map(id_of, values(row, *ID_NAMES)))


def _money(value: object, unit: str) -> Money | None:
    """Return an amount in yuan. 1688 writes yuan, Xportcn's preview and messages fen; the details' unit is not told."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount < 0 or len(text) > 18:
        return None
    whole = not isinstance(value, Fraction) and text.isdigit()
    in_fen = whole if unit == "auto" else unit == "fen"
    return Money(amount.scaleb(-2) if in_fen else amount, CURRENCY)


def _kept(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        if depth == 0:
            return {}
        return {name: _shown(name, inner, depth - 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_kept(inner, depth - 1) for inner in value] if depth else []
    if isinstance(value, int) and abs(value) > EXACT:
        return str(value)
    return value


def _shown(name: str, value: Any, depth: int) -> Any:
    return HIDDEN if value and name.lower() in PERSONAL else _kept(value, depth)
