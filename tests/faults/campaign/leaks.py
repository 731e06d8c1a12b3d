"""Looks for personal data and secrets where they must not be: Redis, Flower, logs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx
import redis

from tests.faults.campaign.makers import personal, secrets
from tests.redis_texts import redis_texts


class Leaks:
    """What was found, each place once."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.scans = 0
        self._guard = threading.Lock()
        kept = [*personal(False), *secrets()]
        parts = [part for word in kept for part in (word, *word.split()) if len(part) > 5]
        self._never = sorted({part.lower() for part in parts})
        # What came through Redis by the documented door may be there, but not in Flower or a log.
        self._told = sorted({*self._never, *(word.lower() for word in personal(True))})

    def scan_redis(self, client: redis.Redis) -> None:
        """Look through everything a Redis holds."""
        self._scan("redis", redis_texts(client), self._never)

    def scan_logs(self, folder: Path) -> None:
        """Look through what the programs have said."""
        for path in folder.glob("*.log"):
            if path.name != "oracle.log":
                self._scan("log", {path.name: path.read_text(errors="replace")}, self._told)

    def scan_flower(self, port: int, login: tuple[str, str]) -> int:
        """Look through every task Flower remembers; return how many characters that were."""
        url = f"http://127.0.0.1:{port}/api/tasks?limit=20000"
        text = httpx.get(url, auth=login, timeout=60, trust_env=False).raise_for_status().text
        self._scan("flower", {"tasks": text}, self._told)
        return len(text)

    def _scan(self, place: str, texts: Mapping[str, str], words: Iterable[str]) -> None:
        with self._guard:
            self.scans += 1
            for name, text in texts.items():
                low = text.lower()
                for word in words:
                    if word in low:
                        self.found.setdefault(f"{place} {name}: {word}", text[max(0, low.find(word) - 80) :][:200])
