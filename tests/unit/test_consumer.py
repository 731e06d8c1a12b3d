"""What a worker does with messages that are none: it drops them, and they do not come back."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from celery.worker.consumer import Consumer as CeleryConsumer

from worker.broker import consumer
from worker.broker.consumer import Consumer
from worker.broker.dropped import Dropped

HEADERS = {"task": "orders.place", "id": "1"}
SOUND = [[["SO-1"]], {}, {"callbacks": None}]


class Message:
    def __init__(self, payload: Any, headers: Any = None) -> None:
        self._payload, self.headers = payload, HEADERS if headers is None else headers
        self.dropped = False

    @property
    def payload(self) -> Any:
        if isinstance(self._payload, Exception):
            raise self._payload
        return self._payload

    def reject_log_error(self, _log: logging.Logger, _errors: Any) -> None:
        self.dropped = True


def handled(message: Message, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> list[Message]:
    """Let a worker have a message; return what came as far as Celery's own handler, which raises `error`."""
    reached: list[Message] = []

    def celery(given: Message) -> None:
        reached.append(given)
        if error is not None:
            raise error

    monkeypatch.setattr(CeleryConsumer, "create_task_handler", lambda self: celery)
    listening = Consumer.__new__(Consumer)
    listening.connection_errors, listening.channel_errors = (ConnectionError, KeyError), (BufferError,)
    listening.create_task_handler()(message)
    return reached


def test_a_sound_message_is_celerys(monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message(SOUND)
    assert handled(message, monkeypatch) == [message]
    assert not message.dropped


@pytest.mark.parametrize(
    "payload",
    [{}, [], "text", 5, None, [1, 2], [5, {}, {}], [[], 5, {}], [[], {}, 5], [[], {}, None], ValueError("not JSON")],
)
def test_a_body_of_another_form_is_dropped(payload: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message(payload)
    assert handled(message, monkeypatch) == []
    assert message.dropped


@pytest.mark.parametrize("identity", [None, 5, {}])
def test_a_message_without_an_id_is_dropped(identity: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message(SOUND, {"task": "orders.place", "id": identity})
    assert handled(message, monkeypatch) == []
    assert message.dropped


def test_a_message_for_no_task_is_celerys_to_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message({}, {})
    assert handled(message, monkeypatch) == [message]


@pytest.mark.parametrize("error", [ValueError("unpack"), KeyError("id"), TypeError("many")])
def test_what_celery_stumbles_over_is_dropped(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message(SOUND)
    handled(message, monkeypatch, error)
    assert message.dropped


@pytest.mark.parametrize("error", [ConnectionError("gone"), BufferError("channel")])
def test_an_outage_is_celerys_to_mend(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message(SOUND)
    with pytest.raises(type(error)):
        handled(message, monkeypatch, error)
    assert not message.dropped


def test_nothing_of_its_content_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(consumer, "dropped", Dropped())
    handled(Message(["Philippa Quillfeather"]), monkeypatch)
    assert "dropped" in caplog.text
    assert "Quillfeather" not in caplog.text


def test_a_flood_is_counted_and_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    dropped = Dropped()
    for _ in range(1234):
        dropped.add("its form")
    assert dropped.count == 1234
    assert [record.args[-1] for record in caplog.records] == [*range(1, 11), 100, 1000]  # type: ignore[index]
