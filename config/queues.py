"""The Celery configuration: queues, routes, schedule, and the broker options that keep orders safe.

What the values rest on was measured; `docs/decisions/0001-celery-as-a-doorbell.md` tells it.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from kombu.entity import Queue

from config.settings import Settings

VISIBILITY_TIMEOUT_SECONDS = 180
"""Longer than any task and any countdown; the same in every process, or the shortest one restores for all."""
COUNTDOWN_LIMIT_SECONDS = 60
"""Longer waits live in the ledger as `due_at`, where a restart does not touch them."""

TASKS_AT_LEAST = 8
TASKS_AT_MOST = 200

CONFIRM_QUEUE = "confirm"
FOLLOW_QUEUE = "follow"
ADMIN_QUEUE = "admin"


def place_queue(account: str) -> str:
    """Return the queue of an account's sends: each account has its own, so that none waits behind another."""
    return f"place.{account}"


def celery_config(settings: Settings, broker_url: str) -> dict[str, Any]:
    """Return the configuration every process shares: worker, beat, Flower and producers."""
    names = [CONFIRM_QUEUE, FOLLOW_QUEUE, ADMIN_QUEUE, *map(place_queue, settings.accounts)]
    return {
        **_broker(broker_url),
        "result_backend": None,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_queues": [Queue(name) for name in names],
        "task_default_queue": ADMIN_QUEUE,
        "task_create_missing_queues": True,
        "task_routes": {
            "orders.confirm": {"queue": CONFIRM_QUEUE},
            "orders.reconcile": {"queue": CONFIRM_QUEUE},
            "orders.follow": {"queue": FOLLOW_QUEUE},
            "orders.*": {"queue": ADMIN_QUEUE},
            "accounts.*": {"queue": ADMIN_QUEUE},
            "admin.*": {"queue": ADMIN_QUEUE},
        },
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": True,
        "task_reject_on_worker_lost": False,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_pool": "threads",
        "worker_concurrency": _tasks_at_once(len(settings.accounts)),
        # A queue for each worker, for the watchdog that proves it is not deaf.
        "worker_direct": True,
        "worker_consumer": "worker.broker.consumer:Consumer",
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "beat_schedule": {
            "sweep": {
                "task": "orders.sweep",
                "schedule": settings.sweep_seconds,
                # A sweep that waits longer is worth nothing: the next one does its work.
                "options": {"expires": max(settings.sweep_seconds * 2, 2)},
            }
        },
        "beat_schedule_filename": str(settings.home / "beat-schedule"),
        "timezone": "UTC",
        "enable_utc": True,
    }


def _tasks_at_once(accounts: int) -> int:
    """Return how many tasks a worker runs at once.

    A task lasts as long as its account's second and its answers; each account needs some, or one waits for another.
    They are threads that mostly sleep, and are started when there is something to do.
    """
    return max(TASKS_AT_LEAST, min(TASKS_AT_MOST, accounts * 4))


def keepalive_options() -> dict[int, int]:
    """Return when the system asks a silent peer whether it is still there: its own default is two hours."""
    wanted = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    return {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}


def for_celery(url: str) -> tuple[str, dict[str, Any] | None]:
    """Return the address as Celery and Flower take it, and their TLS options.

    Without such options Celery would look at no certificate. The client library's `unix:///path?db=1` is
    `redis+socket:///path?virtual_host=1` to them.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "unix":
        return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={options.get('db', '0')}", None
    if parts.scheme != "rediss":
        return url, None
    checked = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
    options_read = options | {"ssl_cert_reqs": checked[options.get("ssl_cert_reqs", "required")]}
    return urlunsplit(parts._replace(query="")), options_read


def _broker(url: str) -> dict[str, Any]:
    """Return how every process talks to Redis. `url`: as the client library takes it."""
    address, tls = for_celery(url)
    return {
        "broker_url": address,
        "broker_use_ssl": tls,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_limit": 20,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 5,
            "socket_timeout": 30,
            "socket_keepalive": True,
            "socket_keepalive_options": keepalive_options(),
            "health_check_interval": 25,
            "max_connections": 200,
            # In turn, not in order: the first account in the list would starve the others.
            "queue_order_strategy": "round_robin",
            "priority_steps": [0],
        },
        "task_publish_retry_policy": {
            "max_retries": 2,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
    }
