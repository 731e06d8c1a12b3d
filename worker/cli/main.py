"""The command `fulfil`, whole: importing this module adds every command to its group."""

from __future__ import annotations

from worker.cli import acts, completion, doctor, export, logs, orders, programs, status, submit, support
from worker.cli.group import main

__all__ = [
    "acts",
    "completion",
    "doctor",
    "export",
    "logs",
    "main",
    "orders",
    "programs",
    "status",
    "submit",
    "support",
]
