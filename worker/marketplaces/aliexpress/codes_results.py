"""Every error code of a create's result: those of the vendor page, and those the facts file knows beyond it."""

from __future__ import annotations

from worker.marketplaces.aliexpress.kinds import Entry, Kind, same

ADDRESS_FAIL = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"
REPEATED = "REPEATED_ORDER_ERROR"

_ADDRESS = "correct the address (AliExpress' own order page accepts or rejects it as you type) and submit again"
_CPF = "correct cpf, and write contact_person and full_name exactly as the tax office (Receita) has them"
_OTHER_PRODUCT = "choose another product or supplier and submit a new order"
_ASK_VENDOR = "ask AliExpress' technical support with the request id, or order by hand on the website"

RESULT_CODES: tuple[Entry, ...] = (
    Entry(ADDRESS_FAIL, Kind.REFUSED_BY_CONTENT, "the address breaks AliExpress' rules", _ADDRESS, "page"),
    *same(
        Kind.REFUSED_BY_CONTENT,
        "page",
        "the CPF is wrong or does not belong to the named person",
        _CPF,
        "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID",
        "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH",
    ),
    Entry(
        "BLACKLIST_BUYER_IN_LIST",
        Kind.ACCOUNT,
        "AliExpress lets this buyer account place no orders for now",
        "clear it with AliExpress' customer service, then: fulfil resume ACCOUNT",
        "page",
    ),
    Entry(
        "USER_ACCOUNT_DISABLED",
        Kind.ACCOUNT,
        "this buyer account is disabled",
        "contact AliExpress' customer service, then: fulfil resume ACCOUNT",
        "page",
    ),
    Entry(
        "PRICE_PAY_CURRENCY_ERROR",
        Kind.REFUSED_BY_CONTENT,
        "the products of one order are priced in different currencies",
        "order products of one currency together, one order for each currency",
        "page",
    ),
    Entry(
        "DELIVERY_METHOD_NOT_EXIST",
        Kind.REFUSED,
        "the product cannot go to this address with this delivery method, or stock is below the quantity",
        "take logistics_service_name from aliexpress.ds.freight.query for this address and quantity, check the stock",
        "page",
    ),
    Entry(
        "INVENTORY_HOLD_ERROR",
        Kind.REFUSED_RETRYABLE,
        "the stock could not be held: too little of it, or a system error",
        "check the stock of the SKU; lower product_count or choose another supplier",
        "page",
        ("Maybe inventory is insufficient or system error occured.",),
    ),
    Entry(
        REPEATED,
        Kind.REPEATED,
        "the order was placed before",
        "find it in the buyer's order list on AliExpress, then: fulfil adopt ORDER --reference ID",
        "page",
    ),
    Entry(
        "ERROR_WHEN_BUILD_FOR_PLACE_ORDER",
        Kind.REFUSED_RETRYABLE,
        "AliExpress' system error while building the order; often a dead SKU, a Choice item or the country",
        "check that the SKU is on sale in this country; " + _ASK_VENDOR,
        "page",
        ("System error.", "System error,Please connect tech support."),
    ),
    Entry("A001_ORDER_CANNOT_BE_PLACED", Kind.REFUSED, "AliExpress will not place this order", _ASK_VENDOR, "page"),
    Entry(
        "A002_INVALID_ZONE",
        Kind.REFUSED,
        "AliExpress calls the zone invalid",
        "check province, city and zip against aliexpress.ds.address.get and whether the product ships there",
        "page",
    ),
    Entry(
        "A003_SUSPICIOUS_BUYER",
        Kind.ACCOUNT,
        "AliExpress' risk control suspects the buyer account",
        "clear it with AliExpress' customer service, then: fulfil resume ACCOUNT",
        "page",
    ),
    Entry(
        "A004_CANNOT_USER_COUPON",
        Kind.REFUSED,  # not by content: an earlier send that passed would have used the coupon up
        "the promotion code cannot be used for this order",
        "take promotion_code and promotion_activity_id out, or use a valid one, and submit again",
        "page",
    ),
    Entry(
        "A005_INVALID_COUNTRIES",
        Kind.REFUSED,
        "the product or the account may not order to this country",
        "choose a product that ships to this country",
        "page",
    ),
    Entry(
        "A006_INVALID_ACCOUNT_INFO",
        Kind.ACCOUNT,
        "the buyer account's information is invalid",
        "complete the account on AliExpress' website, then: fulfil resume ACCOUNT",
        "page",
    ),
    # Below: not on the vendor page; the facts file lists them from the official demo and from public systems.
    Entry(
        "SKU_NOT_EXIST",
        Kind.REFUSED,
        "the product has no such SKU",
        "copy sku_attr from aliexpress.ds.product.get (such as 14:365458#Brown, never the numeric SKU id)",
        "facts 3",
    ),
    Entry(
        "PRODUCT_NOT_EXIST", Kind.REFUSED, "there is no such product", "check product_id; " + _OTHER_PRODUCT, "facts 3"
    ),
    *same(
        Kind.REFUSED,
        "facts 3",
        "the product is no longer on sale",
        _OTHER_PRODUCT,
        "PRODUCT_OFF_SHELF",
        "PRODUCT_HAS_BEEN_DELETED",
        "PRODUCT_OFFLINE",
    ),
    Entry(
        "INSUFFICIENT_INVENTORY",
        Kind.REFUSED,
        "stock is below the quantity",
        "lower product_count or choose another supplier",
        "facts 3",
    ),
    Entry("SHIPPING_NOT_SUPPORT", Kind.REFUSED, "the product does not ship to this address", _OTHER_PRODUCT, "facts 3"),
    Entry(
        "PRICE_CHANGED",
        Kind.REFUSED,
        "the price changed",
        "check the price and submit a new order if it suits",
        "facts 3",
    ),
    Entry("INVALID_ADDRESS", Kind.REFUSED_BY_CONTENT, "the address is invalid", _ADDRESS, "facts 3"),
    Entry(
        "INVALID_PHONE",
        Kind.REFUSED_BY_CONTENT,
        "the phone number is invalid",
        "write mobile_no as 7-13 digits without the country code, the code in phone_country",
        "facts 3",
    ),
    Entry(
        "REMOTE_CREATE_ORDER_RESULT_ERROR", Kind.REFUSED, "AliExpress' order service said no", _ASK_VENDOR, "facts 3"
    ),
    Entry(
        "PARM_ILLEGL",  # the vendor's spelling
        Kind.REFUSED_BY_CONTENT,
        "a parameter is not allowed",
        "check product_id, sku_attr and the address against the product's page",
        "facts 3",
    ),
)
