"""Says what a carrier's or a marketplace's text tells of an event, and leaves out whatever could be a name or a place.

Such texts may hold who signed for a parcel, and where: "Delivered, signed by JANE DOE". No list of names foresees
that, so the rule goes the other way round: the words that carriers use are kept, and everything else becomes "…".
"""

from __future__ import annotations

import re

from worker.rules.plain import plain

LEFT_OUT = "…"
"""Stands where words were left out."""
MOST_SIGNS = 60
_MOST_READ = 400

_WORDS_OF_CARRIERS = """
    a about above accept acceptance accepted accepting account action address addressee again agent agreed air
    aircraft airline airport airways all already an and another any appointment arranged arrival arrive arrived
    arrives arriving as at attempt attempted attempts authorities auto automatic automatically available awaiting away
    back bag be because been before being booking border box branch business buyer by canceled cancelled cancel
    cancellation carrier carriers cause center central centre change changed check checked clear clearance cleared
    close closed collect collected collection coming company complete completed completion condition confirm
    confirmation confirmed consignee consignment consolidation container contact container could country courier create
    created cross cross-border customer customers customs damaged data date day days declaration declared declined
    delay delayed deliver delivered delivering delivery depart departed departing departs departure depot despatch
    despatched destination destroyed detained details direct dispatch dispatched dispute distribution district domestic
    door driver due during duty early electronic end ended entered entry error estimated event exception exchange
    expected expired export exported express facility fail failed failure final finish finished first flight for forward
    forwarded forwarder fraud freight from front gateway goods hand handed handing handle handled handling handover has
    have held hold holding holiday home hour hours hub if import imported in inbound incomplete incorrect information
    informed initiated inspection insufficient international into inventory investigation invalid inward is issue issued
    it item items label lack landed last late later leaving left letter limit line linehaul liquidated loaded
    local location locker logistics lost mail mailbox main mainline manifest mile missing moved moving multiple national
    neighbor neighbour network new next no not nobody notice notification notified notify number of off office on one
    open opened operation operations or order orders origin original other our out outbound outgoing outstock outward
    over overdue overtime owner pack package packages packaging packed packing parcel parcels part partial partially
    partly parts passed pay payment pending person phone pick picked picking pickup place placed plane platform point
    port possible post postal postman postponed pre-alert pre-shipment preparation prepare prepared preparing process
    processed processing progress provided purchase quality reach reached ready reason receipt receive received receiver
    receiving recipient refund refunded refuse refused refusal regional region register registered reject rejected
    relay release released remote reported request requested rescheduled return returned returning returns risk road
    route routed sack scan scanned schedule scheduled sea seal sealed second secure self seller send sender sending
    sent service shelf ship shipment shipments shipped shipper shipping ship-to shop short shortage sign signature
    signed sold sort sorted sorting stage started starting station status stock stop stopped storage store stored
    submitted success successful successfully supplier support system taken take target tax terminal the then third
    this time timeout to today tomorrow track tracking trade train transfer transferred transferring transit transport
    transportation transported transporting truck try under undeliverable undelivered unit unloaded unpaid unsuccessful
    until up update updated vehicle verification vessel via waiting warehouse was way waybill weather weight were
    with within without wrong
"""
_WORDS = frozenset(_WORDS_OF_CARRIERS.split())
"""What is kept of a text in Latin letters: words of transport, trade and grammar."""
_CHINESE = (
    *(
        "签收人",
        "未签收",
        "待签收",
        "已签收",
        "签收",
        "拒签",
        "拒收",
        "代收",
        "自提",
        "快递柜",
        "驿站",
        "派送员",
        "快递员",
    ),
    *(
        "揽收",
        "揽件",
        "已揽收",
        "已揽",
        "收件",
        "取件",
        "寄件",
        "发件",
        "派件",
        "派送",
        "派送中",
        "配送",
        "投递",
        "妥投",
        "送达",
    ),
    *("快件", "包裹", "货物", "商品", "订单", "运单", "物流", "快递", "仓库", "入库", "出库", "分拣", "分拨", "中转"),
    *(
        "转运",
        "转运中心",
        "集散中心",
        "营业部",
        "网点",
        "到达",
        "已到达",
        "抵达",
        "离开",
        "发往",
        "发出",
        "已发出",
        "出发",
    ),
    *("运输", "运输中", "干线", "装车", "卸车", "航班", "起飞", "清关", "海关", "报关", "出口", "进口", "放行", "查验"),
    *("退回", "退货", "退款", "异常", "失败", "成功", "延误", "破损", "丢失", "更新", "信息", "状态", "正在"),
    *("等待", "准备", "开始", "完成", "买家", "卖家", "系统", "自动", "关闭"),
    *(
        "取消",
        "超时",
        "付款",
        "支付",
        "缺货",
        "库存",
        "不足",
        "发货",
        "收货",
        "确认",
        "原因",
        "其他",
        "交易",
        "协商",
        "一致",
    ),
)
"""What is kept of a text in Chinese: the longest term first."""

_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""A code: several words in capitals, such as IN_TRANSIT. A single one could be a name in capitals."""
_PIECE = re.compile(
    f"({'|'.join(sorted(_CHINESE, key=len, reverse=True))})"
    r"|([A-Za-z][A-Za-z'’-]*)|([\s,;:.()/&+，。；：、（）【】-]+)|([0-9]+|.)",
    re.DOTALL,
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def event_name(text: str) -> str:
    """Return what a text says of an event, at most 60 signs of it; "" for an empty one."""
    text = plain(text[:_MOST_READ]).strip()
    if _CODE.fullmatch(text):
        return text[:MOST_SIGNS]
    told = "".join(_kept(found) for found in _PIECE.finditer(text))
    told = re.sub(rf"{LEFT_OUT}[\s,;:.()/&+，。；：、{LEFT_OUT}-]*{LEFT_OUT}", LEFT_OUT, " ".join(told.split()))
    return told[:MOST_SIGNS].strip(" ,;:.(/&+-")


def first_clause(text: str) -> str:
    """Return a text up to its first sign of punctuation, in small letters, a code's words apart: to look it up."""
    clause = re.split(r"[,;:.(!|，。；：（！]", plain(text[:_MOST_READ]), maxsplit=1)[0]
    return " ".join(clause.replace("_", " ").casefold().split())


def _kept(found: re.Match[str]) -> str:
    chinese, latin, between, _ = found.groups()
    if latin:
        return str(latin) if _is_known(latin) else LEFT_OUT
    return chinese or between or LEFT_OUT


def _is_known(word: str) -> bool:
    """Tell whether a word is a carrier's; one like buyerCancel is when both its parts are."""
    parts = _PARTS.findall(word)
    return word.casefold() in _WORDS or (len(parts) > 1 and all(part.casefold() in _WORDS for part in parts))
