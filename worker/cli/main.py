"""The command `fulfil`, whole: importing this module adds every command to its group."""

from __future__ import annotations

from worker.cli import (
    acts,
    audit,
    doctor,
    export,
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
    "acts",
    "audit",
    "doctor",
    "export",
    "main",
    "orders",
    "programs",
    "spend",
    "status",
    "submit",
    "support",
    "waiting",
]
