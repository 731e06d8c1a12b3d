"""Finds in an answer's words what takes a definite no back. Words never make a no: only a documented code does.

A marketplace may say in one answer, under the code of a refusal, that the order was created. Whoever believes the code
sends it again and has two. So whatever in the words speaks against their code leaves the order unknown, which costs
time. A plain "not" right before such a word takes it back; anything less plain does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from worker.marketplaces.replies import objects

MOST_CHARACTERS = 20_000
"""No documented answer has as many."""


class Topic(StrEnum):
    """What words can be about."""

    MADE = "an order that was made"
    """Created, placed, succeeded, exists, repeated: a create has passed, this one or an earlier one."""
    BACKEND = "a failure of the marketplace's own system"
    """A create may have passed before it."""
    LIMIT = "calling too often"
    """The account calls more often than it may."""
    DOOR = "keys, signature, permission or clock"
    """The account or the app is not let in."""
    ORDER = "the order's goods or address"
    """Something of the order itself is not accepted."""


Topics = frozenset[Topic]

LIMIT: Topics = frozenset({Topic.LIMIT})
DOOR: Topics = frozenset({Topic.DOOR})
ORDER: Topics = frozenset({Topic.ORDER})
ORDER_OR_DOOR: Topics = frozenset({Topic.ORDER, Topic.DOOR})
"""For a refused parameter, which may be the address as well as the signature, and for a refused buyer account."""

_MADE = re.compile(
    r"(?<!un)\bsuccess(?!\W{0,4}(?:false|0)\b)|\bsucceed|\bcreated\b|\bplaced\b|\baccepted\b|\bexist(?:s|ed)?\b"
    r"|\border\b(?:\W+\w+){0,3}?\W+(?:made|generated|submitted|received|confirmed|completed|processed|booked|paid)\b"
    r"|\b(?:made|generated|submitted|received|confirmed|completed|processed|booked)\b(?:\W+\w+){0,2}?\W+orders?\b"
    r"|\bbeen (?:made|generated|submitted|ordered|purchased|saved|completed|processed)\b|\bin progress\b"
    r"|\bbeing processed\b|处理中|进行中|正在(?:处理|创建|生成|下单|提交)"
    r"|\balready\b(?:\W+\w+){0,2}?\W+(?:order|submit|process|handl|purchas|bought|paid|generat|made)"
    r"|\b(?:duplicated?|repeated(?:ly)?)\b(?:\W+\w+){0,3}?\W+(?:order|request|purchase|submission)"
    r"|\b(?:order|request|order ?id)\b\W+(?:is\W+)?(?:duplicate|repeat)"
    r"|成功|已经?(?:被|为您)?(?:创建|生成|下单|提交|存在|受理|接受|接单|收到|支付|付款|成交|购买|拍下|完成|建立)"
    r"|(?:创建|生成|下单|提交|拍下|购买)(?:了|完成|完毕)"
    r"|订单(?:号|编号)?被?(?:创建|生成|提交)(?!失败|异常|出错|错误|超时|时|前|中|接口|不)"
    r"|(?:订单|单号|order ?id)[^，。；;,.]{0,8}(?<!不)存在|(?<!不)存在[^，。；;,.]{0,8}订单"
    r"|重复(?:下单|提交|订单|请求|创建|购买|支付)|(?:订单|单号|order ?id)[^，。；;,.]{0,8}重复",
    re.IGNORECASE | re.ASCII,
)
_NEGATED = re.compile(
    r"(?:\b(?:no|not|nothing|never|cannot|without)|n't)"
    r"(?:\s+(?:an?|any|the|orders?|been|be|being|was|were|is|are|has|have|yet|successfully|such))*\s*$"
    r"|(?:不|未|没|没有|无|未能|无法|不能|尚未|并未)(?:创建|生成|下单|提交|操作|支付|能|有|被)*$",
    re.IGNORECASE | re.ASCII,
)
_NAMED = re.compile(
    r"(?<![a-z])order[\s_]*(?:ids?|no|number|num)(?![a-z])[^0-9a-z]{0,4}(?:is[^0-9a-z]{1,3})?([0-9a-z-]*[0-9][0-9a-z-]*)"
    r"|(?<![a-z])order[^0-9a-z]{1,3}([0-9][0-9a-z-]{4,})"
    r"|订单(?:号|编号|id)?[\s:：=#为是]{0,4}([0-9a-z-]*[0-9]{4,}[0-9a-z-]*)"
    r"|(?<![0-9a-z-])([0-9]{15,20}|[0-9]{4,8}-[0-9a-z]{6,16})(?![0-9a-z-])",
    re.IGNORECASE,
)
"""Ids of orders: after their own name, or in a form the marketplaces' ids have (16 to 20 digits, 11218-00000001)."""

_WORDS: Mapping[Topic, re.Pattern[str]] = {
    topic: re.compile(words, re.IGNORECASE | re.ASCII)
    for topic, words in {
        Topic.BACKEND: r"系统|服务器|异常|超时|网络|繁忙|不可用|time[ds]?[ -]?out|\bsystem\b|\binternal\b|unavailable"
        r"|exception|deadline ?exceeded|\baborted\b|unimplemented|rpc error|server error|\bbusy\b|unknown error",
        Topic.LIMIT: r"frequen|too many (?:request|call)|too often|(?:rate|call|access).?limit|throttl|ban will last"
        r"|exceeds? the limit|限流|频繁|流控|限频|次数",
        Topic.DOOR: r"signature|\binvalid sign\b|\bsign (?:is )?(?:error|invalid|wrong)|签名|验签|\btoken\b|令牌"
        r"|(?:access|app).?(?:key|secret)|密钥|user.id|permission|权限|authori[sz]|unauthenticated|授权|forbidden"
        r"|timestamp|时间戳|\bnonce|allow.?list|white.?list|白名单|\bscopes?\b|\bsession\b",
        Topic.ORDER: r"\bstock|inventor|库存|address|地址|\bcity\b|province|\bzip\b|phone|mobile|\bprice|价格"
        r"|\bproducts?\b|商品|产品|货品|\boffer|\bsku\b|\bspec\b|规格|coupon|currency|delivery|shipping|运费|物流"
        r"|sold out|售罄|下架|起批|起订|混批|minimum|代销|分销|卖家|供应商|\bseller|not on sale|off.?shel|variant"
        r"|line.?items?|quantity|数量",
    }.items()
}
_WORDY = re.compile(r"(?:msg|message|reason|desc|description|detail|details|error|errors|tips?|remark|text)$", re.I)
_SEAM = re.compile(r"(?<=[a-z])(?=[A-Z])|_")


@dataclass(frozen=True, slots=True)
class Words:
    """How the words of an answer to a create are read.

    `clean` makes a text fit to be told. `ours` returns every value of the order that was sent, its key among them:
    they may stand in words without naming an order of the marketplace's.
    """

    clean: Callable[[str], str]
    ours: Callable[[], Collection[str]]

    def doubts(self, texts: Iterable[str], meant: Topics, documented: Collection[str] = ()) -> str | None:
        """Return the first doubt that any of an answer's texts raises; each for itself, so that none hides another."""
        return next(filter(None, (self.doubt(text, meant, documented) for text in texts)), None)

    def doubt(self, text: str, meant: Topics, documented: Collection[str] = ()) -> str | None:
        """Return what in the words speaks against a no about `meant`; None where nothing does.

        `documented`: texts the code's source prints beside it. Word for word, they speak against nothing.
        """
        if _plain(text) in {_plain(known) for known in documented}:
            return None
        if len(text) > MOST_CHARACTERS:
            return "its words are longer than any documented ones"
        named = self._named(text)
        if named is not None:
            return f"its words name an order ({named})"
        wrong = topics(text) - meant
        told = next((topic for topic in Topic if topic in wrong), None)
        return None if told is None else f"its words tell of {told}"

    def tells_of_an_order(self, text: str) -> bool:
        """Tell whether words say that an order was made, or name one: what is asked of a body nobody can read."""
        text = text[:MOST_CHARACTERS]
        return Topic.MADE in topics(text) or self._named(text) is not None

    def _named(self, text: str) -> str | None:
        """Return the first id in the words that is not ours, made fit to be told."""
        for found in _NAMED.finditer(text):
            word = next(filter(None, found.groups()))
            if word not in self.ours():
                return self.clean(word)
        return None


def texts_in(document: object) -> list[str]:
    """Return every text of a reply that stands under a name of words (msg, error_message, reason), each once."""
    found = (
        value
        for node in objects(document)
        for name, value in node.items()
        if isinstance(value, str) and value.strip() and _WORDY.search(name)
    )
    return list(dict.fromkeys(found))


def topics(text: str) -> Topics:
    """Return everything that words are about."""
    spaced = _SEAM.sub(" ", text)
    found = {topic for topic, words in _WORDS.items() if words.search(spaced)}
    return frozenset(found | {Topic.MADE} if _says_made(spaced) else found)


def _says_made(text: str) -> bool:
    found = _MADE.search(text)
    while found is not None:
        if not _NEGATED.search(text[max(0, found.start() - 40) : found.start()]):
            return True
        found = _MADE.search(text, found.start() + 1)  # inside what was negated another may begin that is not
    return False


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .。!")
