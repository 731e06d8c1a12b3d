"""What one order can choose for itself at the sandbox's Shoplazza, by its note."""

from __future__ import annotations

_BEFORE = (
    "`ShippingAddress`, `checkout_setting`, `record_not_found`, `create_order_calculate_failed` or"
    " `create_order_build_failed`"
)
_AFTER = "`CreateOrderBatchOption`, `GetOrderDetail` or `DecreaseInventory`"
_NOTHING = "`CreateOrderFailed`, `Aborted`, `NotFound`, `Unimplemented` or `Unauthenticated`"
_STATUS = "`opened`, `placed`, `finished`, `cancelled`, `refunded` or `deleted`"

TRIGGERS = {
    f"`note` has `sandbox:` and {_BEFORE}": "refused with the vendor page's text, nothing is made",
    f"`note` has `sandbox:` and {_AFTER}": "the same page's texts that come after; the order exists",
    f"`note` has `sandbox:` and {_NOTHING}": "an answer 406 or 500; nothing is made",
    "`note` has `sandbox:DeadlineExceeded`": "an answer 500; the order exists",
    "`note` has `sandbox:scope` or `sandbox:inactive`": "declined at the door",
    f"`note` has `sandbox:` and {_STATUS}": "made, and read back like that",
}
