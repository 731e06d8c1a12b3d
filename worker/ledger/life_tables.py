"""The tables of an order's second life, after it is confirmed. Times are unix seconds; no row holds personal data."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Double, Index, Integer, String, Table, Text

from worker.ledger.tables import Serial, metadata

supplier_orders = Table(
    "supplier_orders",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("reference", String(64), primary_key=True, comment="the marketplace's id; a split order has several"),
    Column("account", String(32), nullable=False),
    Column("marketplace", String(32), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("status", String(60), nullable=False, comment="the marketplace's own word"),
    Column("stage_since", Double, nullable=False, comment="when it was first read in this stage"),
    Column("accepted_at", Double, comment="when our create was answered, or sent first"),
    Column("deadline_at", Double, comment="when it is cancelled unpaid at the latest"),
    Column("paid", Boolean, comment="null: the marketplace did not say"),
    Column("paid_at", Double, comment="when it was first read as paid"),
    Column("end_reason", String(100), comment="why it, or a part of it, was ended, in the marketplace's word"),
    Column("read_at", Double, nullable=False),
    Column("misses", Integer, nullable=False, comment="reads in a row that showed nothing new that is due"),
    Column("alarms", JSON, nullable=False, comment="what a person was told and what stands: code and sentence"),
    Column("due_at", Double, comment="when it is read next; null: it is over"),
    Column("tell_at", Double, comment="when the next alarm becomes true if nothing changes"),
    Index("ix_supplier_orders_due", "account", "due_at"),
    Index("ix_supplier_orders_tell", "tell_at"),
    Index("ix_supplier_orders_stage", "stage", "deadline_at"),
    Index("ix_supplier_orders_reference", "reference"),
)

parcels = Table(
    "parcels",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("reference", String(64), primary_key=True),
    Column("number", String(100), primary_key=True),
    Column("carrier", String(100)),
    Column("eta_at", Double),
    Column("goods", JSON, nullable=False, comment="ids and quantities"),
    Column("nodes", JSON, nullable=False, comment="times and the carrier's words"),
    Column("internal", Boolean, nullable=False, comment="the marketplace's own number: no carrier knows it"),
    Column("arrival", String(10), comment="receiver or warehouse; null: under way"),
    Column("first_seen_at", Double, nullable=False),
    Column("moved_at", Double, nullable=False),
    Column("replaced_by", String(100), comment="the number that took its place"),
)

life_events = Table(
    "life_events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("order_id", String(64), nullable=False, index=True),
    Column("reference", String(64), nullable=False),
    Column("at", Double, nullable=False),
    Column("event", String(30), nullable=False),
    Column("from_stage", String(20)),
    Column("to_stage", String(20), nullable=False),
    Column("number", String(100), comment="of the parcel it is about"),
    Column("replaces", String(100), comment="the parcel's number whose place it took"),
    Column("note", Text),
    Column("actor", String(60), nullable=False),
)
