"""Every error code of AliExpress' gateway: words and old numbers that the facts file documents (section 2).

The old gateway answered with numbers, for which the words here are names of ours (`BY_NUMBER`): as a word of the
gateway's own such a name is not documented, and believed of a read only.
"""

from __future__ import annotations

from worker.marketplaces.aliexpress.kinds import Entry, Kind, same

FACTS = "facts 2"
BY_NUMBER = "facts 2, by its number"
SISTERS = "sister platforms: of a read only"

_AUTHORISE = "authorise the account again, set its new access_token, restart the workers"
_KEYS_FIX = "check app_key and app_secret of the account against AliExpress' app console"
_WAIT = "nothing: sending goes on by itself when the ban ends; lower the account's rate if it comes often"
_NTP = "set this server's clock (NTP)"
_TOKEN = "the access token is missing, wrong or expired"  # noqa: S105 (words, no secret)
_KEYS = "the signature or the app key is wrong"
_CLOCK = "the timestamp is more than two hours off"
_NO_CALL = "the app may not call this API, or the account must be mended"
_PERMISSION = "ask for the Dropshipping permission in AliExpress' app console and bind the account as a DS account"
_BACKEND_FIX = "nothing: the order is sent again under the same key while that is safe"

GATEWAY_CODES: tuple[Entry, ...] = (
    *same(
        Kind.THROTTLE,
        FACTS,
        "called too often",
        _WAIT,
        *("ApiCallLimit", "AppApiCallLimit", "SellerCallLimit"),
        "accesscontrol.limited-by-app-access-count",
        "accesscontrol.limited-by-api-access-count",
        "accesscontrol.limited-by-app-api-access-count",
    ),
    Entry("AppCallLimited", Kind.THROTTLE, "called too often", _WAIT, BY_NUMBER),
    Entry("IllegalAccessToken", Kind.TOKEN, _TOKEN, _AUTHORISE, FACTS),
    *same(Kind.TOKEN, BY_NUMBER, _TOKEN, _AUTHORISE, "MissingSession", "InvalidSession", "ExpiredSession"),
    *same(Kind.CONFIGURATION, FACTS, _KEYS, _KEYS_FIX, "IncompleteSignature", "InvalidAppKey"),
    *same(Kind.CONFIGURATION, BY_NUMBER, _KEYS, _KEYS_FIX, "MissingAppKey", "MissingSignature"),
    Entry(
        "AppWhiteIpLimit",
        Kind.CONFIGURATION,
        "this server's address is not on the app's IP allow-list",
        "add the server's public address to the allow-list in AliExpress' app console",
        FACTS,
    ),
    *same(
        Kind.CONFIGURATION,
        FACTS,
        _NO_CALL,
        _PERMISSION,
        *("InsufficientPermission", "InvalidApiPath", "isv.account-migration-check-fail", "AUTH_TYPE_UNSUPPORTED"),
    ),
    Entry("InvalidMethod", Kind.CONFIGURATION, _NO_CALL, _PERMISSION, BY_NUMBER),
    Entry("InvalidTimestamp", Kind.CLOCK, _CLOCK, _NTP, FACTS),
    Entry("MissingTimestamp", Kind.CLOCK, _CLOCK, _NTP, BY_NUMBER),
    Entry("IllegalTimestamp", Kind.CLOCK, _CLOCK, _NTP, SISTERS),
    *same(
        Kind.REFUSED_BY_CONTENT,
        FACTS,
        "a parameter is missing or malformed",
        "the message names the parameter: correct it in the order and submit again",
        *("MissingParameter", "InvalidParameter", "UnsupportedParamMapping"),
    ),
    *same(
        Kind.BACKEND_UNKNOWN,
        FACTS,
        "AliExpress' backend failed while it worked on the call",
        _BACKEND_FIX,
        *("ServiceTimeout", "ServiceUnavailable", "InternalError", "isp.service-unavailable"),
        *("isp.http-read-timeout", "isp.remote-service-timeout", "isp.http-connection-timeout"),
        *("isp.http-connection-refuse", "isp.http-connection-closed"),
    ),
    *same(
        Kind.NOT_SHOWN,
        FACTS,
        "the order belongs to another account or is not synchronised yet",
        "check that the order's account and its access_token belong together",
        *("isv.insufficient-permission", "isv.invalid-authorization"),
    ),
)

NUMBERS = {
    "7": "AppCallLimited",
    "10": "ServiceUnavailable",
    "11": "InsufficientPermission",
    "22": "InvalidMethod",
    "24": "MissingSignature",
    "25": "IncompleteSignature",
    "26": "MissingSession",
    "27": "InvalidSession",
    "28": "MissingAppKey",
    "29": "InvalidAppKey",
    "30": "MissingTimestamp",
    "31": "InvalidTimestamp",
    "40": "MissingParameter",
    "41": "InvalidParameter",
    "44": "ExpiredSession",
}
"""The old gateway's numbers; 15 is no code of its own, its sub_code is."""
