"""The ledger's tables. Times are unix seconds (UTC); personal data lives in `orders.body`, in
`order_versions.body` and in `acts.changes`, and nowhere else."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

Serial = BigInteger().with_variant(Integer, "sqlite")

batches = Table(
    "batches",
    metadata,
    Column("batch_id", String(40), primary_key=True),
    Column("created_at", Double, nullable=False),
    Column("source", String(200), nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
)

rejections = Table(
    "rejections",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("batch_id", String(40), nullable=False, index=True),
    Column("line", Integer, nullable=False),
    Column("order_id", String(64)),
    Column("field", String(200), nullable=False),
    Column("reason", Text, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", String(64), primary_key=True, comment="ours; the idempotency key is made from it"),
    Column("account", String(32), nullable=False),
    Column("marketplace", String(32), nullable=False),
    Column("batch_id", String(40), nullable=False, index=True),
    Column("line", Integer, nullable=False),
    Column("body", Text, nullable=False, comment="the marketplace's own body, canonical JSON"),
    Column("fingerprint", String(64), nullable=False, comment="tells a duplicate from a changed order"),
    Column("state", String(12), nullable=False),
    Column("epoch", Integer, nullable=False, comment="fencing: grows with every claim"),
    Column("attempts", Integer, nullable=False, comment="sends begun"),
    Column("spent", Integer, nullable=False, comment="attempts that count against the limit"),
    Column("snoozes", Integer, nullable=False, comment="snoozes in a row"),
    Column("crashes", Integer, nullable=False, comment="leases that ran out in a row"),
    Column("absences", Integer, nullable=False, comment="look-ups in a row that did not find it"),
    Column("absent_since", Double, comment="the first of those"),
    Column("due_at", Double, comment="when the next step may happen; null: nothing is scheduled"),
    Column("rung_at", Double, comment="when a message for this step was last published"),
    Column("lease_until", Double),
    Column("first_sent_at", Double, comment="first send that reached, or may have reached, the marketplace"),
    Column("in_doubt", Boolean, nullable=False, comment="a send whose fate is not known lies behind us"),
    Column("accepted_at", Double),
    Column("attention", Boolean, nullable=False, comment="a person's next step is due"),
    Column("code", String(100)),
    Column("reason", Text),
    Column("fix", Text),
    Column("taken_for", String(16), comment="fingerprint of the address its account had at intake"),
    Column("binding", String(16), comment="what it was first sent with; null: never sent"),
    Column("absence_told_at", Double, comment="when a person said that it does not exist at the marketplace"),
    Column("forecast_amount", String(40), comment="what a preview said it will cost"),
    Column("forecast_currency", String(10)),
    Column("closed_at", Double, comment="when a person closed it: nothing more is done about it"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index("ix_orders_state_due", "state", "due_at"),
    Index("ix_orders_account_state_due", "account", "state", "due_at"),
    Index("ix_orders_fingerprint", "fingerprint"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("sent_at", Double, nullable=False, comment="committed before a byte leaves; made exact at the close"),
    Column("closed_at", Double),
    Column("outcome", String(12), comment="null only while the send is under way"),
    Column("code", String(100)),
    Column("cause", Text),
    Column("request_id", String(100)),
    Column("duration_ms", Integer),
    Column("sender", String(80), comment="the process that sent it"),
    Column("sender_gone_at", Double, comment="since when that process surely sends nothing more of it"),
)

events = Table(
    "events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("order_id", String(64), nullable=False, index=True),
    Column("at", Double, nullable=False),
    Column("event", String(20), nullable=False),
    Column("from_state", String(12), nullable=False),
    Column("to_state", String(12), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("actor", String(60), nullable=False),
    Column("note", Text),
)

order_references = Table(
    "order_references",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("reference", String(64), primary_key=True, comment="the marketplace's id; kept from whatever told it"),
    Column("source", String(20), nullable=False),
    Column("learned_at", Double, nullable=False),
    Index("ix_order_references_reference", "reference"),
)

results = Table(
    "results",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("reference", String(64), primary_key=True),
    Column("read_at", Double, nullable=False),
    Column("status", String(60), nullable=False),
    Column("fulfilment_status", String(60)),
    Column("amount", String(40)),
    Column("currency", String(10)),
    Column("paid_amount", String(40)),
    Column("paid_currency", String(10)),
    Column("alert", Text),
    Column("details", JSON, nullable=False, comment="every field of the reply, unknown ones kept"),
)

account_pauses = Table(
    "account_pauses",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("since", Double, nullable=False),
    Column("until", Double, comment="null: until a person resumes it"),
    Column("code", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("fix", Text),
    Column("actor", String(60), nullable=False),
)

account_bindings = Table(
    "account_bindings",
    metadata,
    Column("binding", String(16), primary_key=True, comment="fingerprint of account and parts"),
    Column("account", String(32), nullable=False),
    Column("parts", JSON, nullable=False, comment="marketplace, address, app or shop, buyer, tag prefix; no secret"),
    Column("first_used_at", Double, nullable=False),
)

same_buyers = Table(
    "same_buyers",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("buyer", String(80), primary_key=True),
    Column("buyer_group", String(80), nullable=False, comment="buyers with the same word here are one"),
    Column("said_by", String(60), nullable=False),
    Column("said_at", Double, nullable=False),
)

account_tokens = Table(
    "account_tokens",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False, comment="grows with every stored pair; fences a late renewal"),
    Column("pair", Text, nullable=False, comment="access and refresh token, encrypted"),
    Column("pair_before", Text, comment="the pair before it, encrypted; kept until the next was renewed by this one"),
    Column("buyer", String(80), comment="whose tokens they are, as the grant told it"),
    Column("state", String(12), nullable=False),
    Column("granted_at", Double, nullable=False, comment="when a person granted"),
    Column("stored_at", Double, nullable=False),
    Column("access_until", Double),
    Column("refresh_until", Double),
    Column("renewable", Boolean, nullable=False),
    Column("due_at", Double, comment="when it is to be renewed; null: nothing is scheduled"),
    Column("epoch", Integer, nullable=False, comment="fencing: grows with every lease"),
    Column("lease_until", Double),
    Column("begun_at", Double, comment="a renewal was begun and its end is not known"),
    Column("tries", Integer, nullable=False, comment="renewals in a row that gave no pair"),
    Column("refusals", Integer, nullable=False, comment="calls that refused the access token before its end"),
    Column("code", String(100)),
    Column("reason", Text),
    Column("actor", String(60), nullable=False, comment="who granted"),
)

account_days = Table(
    "account_days",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("day", String(10), primary_key=True, comment="UTC"),
    Column("currency", String(10), primary_key=True, comment="empty: the count of orders"),
    Column("total", Double, nullable=False),
    Column("granted", Double, nullable=False, comment="what a person allowed above the day's limit"),
)

pushes = Table(
    "pushes",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("reference", String(64), primary_key=True, comment="the marketplace's order the messages are about"),
    Column("first_at", Double, nullable=False, comment="when the first message came, by our clock"),
    Column("last_at", Double, nullable=False),
    Column("count", Integer, nullable=False, comment="messages that came, doubled and late ones too"),
    Column("status", String(60), nullable=False, comment="of the newest message, by the messages' own time"),
    Column("pushed_at", Double, comment="that message's own time"),
    Column("made_at", Double, comment="the own time of the message that told of the order's making, if it came"),
    Column("state", String(10), nullable=False, comment="new, known, adopted, orphan or closed"),
    Column("order_id", String(64), comment="our order it belongs to"),
    Column("note", Text, comment="why nobody could match it"),
    Column("due_at", Double, comment="when it is looked at next; null: it is settled"),
    Column("tries", Integer, nullable=False, comment="reads that showed nothing"),
    Index("ix_pushes_state_due", "state", "due_at"),
)

acts = Table(
    "acts",
    metadata,
    Column("act_id", String(40), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("actor", String(60), nullable=False),
    Column("host", String(100), nullable=False),
    Column("note", Text),
    Column("selection", Text, nullable=False, comment="the words that chose the orders"),
    Column("changes", Text, comment="what an amendment sets; personal data"),
    Column("total", Integer, nullable=False),
    Column("created_at", Double, nullable=False, comment="when the set of orders was frozen"),
    Column("begun_at", Double, comment="null: only forecast"),
    Column("worked_at", Double, comment="when orders were last moved"),
    Column("ended_at", Double),
)

act_orders = Table(
    "act_orders",
    metadata,
    Column("act_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("order_id", String(64), nullable=False),
    Column("state", String(12), nullable=False, comment="when the set was frozen"),
    Column("epoch", Integer, nullable=False),
    Column("outcome", String(10), comment="done, skipped or changed; null: not yet"),
    Column("reason", Text),
    Index("ix_act_orders_outcome", "act_id", "outcome", "number"),
)

order_versions = Table(
    "order_versions",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, comment="1 is what was submitted first"),
    Column("body", Text, nullable=False, comment="what it was until then; personal data"),
    Column("fingerprint", String(64), nullable=False),
    Column("replaced_at", Double, nullable=False),
    Column("actor", String(60), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("what", String(20), nullable=False, comment="retry, cancel, pause, submit and so on"),
    Column("actor", String(60), nullable=False),
    Column("host", String(100), nullable=False),
    Column("door", String(10), nullable=False, comment="cli, python, message or flower"),
    Column("account", String(32)),
    Column("order_id", String(64), index=True),
    Column("batch_id", String(40)),
    Column("act_id", String(40)),
    Column("note", Text),
    Index("ix_audit_at", "at"),
)
