"""The command `fulfil`, whole: importing this module adds every command to its group."""

from __future__ import annotations

from worker.cli import accounts, acts, doctor, export, lives, orders, programs, status, submit, support
from worker.cli.group import main

__all__ = ["accounts", "acts", "doctor", "export", "lives", "main", "orders", "programs", "status", "submit", "support"]
