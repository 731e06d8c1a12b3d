"""The command `fulfil`, whole: importing this module adds every command to its group."""

from __future__ import annotations

from worker.cli import (
    accounts,
    acts,
    audit,
    check,
    completion,
    doctor,
    export,
    lives,
    logs,
    orders,
    programs,
    spend,
    status,
    submit,
    support,
    waiting,
)
from worker.cli.group import main

__all__ = [
    "accounts",
    "acts",
    "audit",
    "check",
    "completion",
    "doctor",
    "export",
    "lives",
    "logs",
    "main",
    "orders",
    "programs",
    "spend",
    "status",
    "submit",
    "support",
    "waiting",
]
