"""No adapter builds a call that pays, cancels, refunds, disputes, or makes or changes a fulfilment: a person does."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.contract.contract_kit import KEY, NOW, Subject, at_fake, drive, run
from tests.contract.test_parcels import read_back
from worker.marketplaces import REGISTRY
from worker.marketplaces.calls import Request

SUBJECTS = list(REGISTRY)
MARKETPLACES = Path(__file__).resolve().parent.parent.parent / "worker" / "marketplaces"
NEVER = re.compile(r"pay|cancel|refund|dispute|reverse|confirm|complete|send_email|post_sale", re.IGNORECASE)
"""Words of calls that move money, end an order or mail a customer."""
CALLS = re.compile(r"aliexpress(\.\w+){2,}|/[\w{}./-]+")
"""What a call is named by: a method's name, or a path."""
ALIEXPRESS = {
    *("aliexpress.ds.order.create", "aliexpress.trade.ds.order.get", "aliexpress.ds.order.tracking.get"),
    *("aliexpress.ds.product.get", "aliexpress.ds.freight.query", "aliexpress.ds.address.get"),
}


def requests(subject: Subject) -> Iterator[Request]:
    """Yield what every call of an adapter asks, against each sample reply and against its fake."""
    samples, adapter = subject.samples, subject.adapter()
    calls: dict[str, Callable[[], Any]] = {
        "PLACE": lambda: adapter.place(subject.order, KEY),
        "READ": lambda: adapter.confirm([samples.REFERENCE]),
        "LOOK_UP": lambda: adapter.look_up(subject.order, KEY, NOW),
        "PARCELS": lambda: adapter.parcels(read_back(subject)),
    }
    for table, call in calls.items():
        for replies, _ in getattr(samples, table).values():
            yield from run(call(), replies)[0]
    at_its_fake, fake = subject.with_fake()
    asked, placed = drive(at_its_fake.place(subject.order, KEY), at_fake(fake, NOW))
    yield from asked
    answers: dict[str, Any] = {}
    for _ in range(2):  # what can be asked before an order, and what follows from the answers
        for question in [one for one in at_its_fake.asks(subject.order, answers) if one.key not in answers]:
            about_it, answers[question.key] = drive(question.begin(), at_fake(fake, NOW))
            yield from about_it
    yield from drive(at_its_fake.confirm(placed.references), at_fake(fake, NOW + 5))[0]


def named(request: Request) -> str:
    """Return what a request calls: its path, and the method a form names."""
    form = parse_qs(request.content.decode("utf-8", "replace")) if b"method=" in request.content else {}
    return " ".join([urlsplit(request.url).path, *form.get("method", [])])


def test_no_request_calls_what_only_a_person_does(subject: Subject) -> None:
    seen = list(requests(subject))
    assert seen
    for request in seen:
        assert request.method in ("GET", "POST")
        assert not NEVER.search(named(request)), named(request)
        assert request.creates or "fulfil" not in named(request) or request.method == "GET"


def test_only_an_order_is_ever_made(subject: Subject) -> None:
    creating = {last_word(request) for request in requests(subject) if request.creates}
    assert len(creating) == 1
    others = {last_word(request) for request in requests(subject) if request.method == "POST" and not request.creates}
    assert not others & creating


def last_word(request: Request) -> str:
    """Return the last part of what a request calls, the same at the vendor and in the sandbox."""
    return named(request).rpartition("/")[2]


def test_no_adapter_holds_the_name_of_such_a_call() -> None:
    for path in sorted(MARKETPLACES.rglob("*.py")):
        for text in _strings(ast.parse(path.read_text("utf-8"))):
            if CALLS.fullmatch(text):
                assert not NEVER.search(text), f"{path.name}: {text}"
                assert not text.startswith("aliexpress.") or text in ALIEXPRESS, f"{path.name}: {text}"


def test_requests_are_gets_and_posts() -> None:
    methods: dict[str, list[Any]] = {}
    for path in sorted(MARKETPLACES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Request":
                assert isinstance(node.args[0], ast.Constant), f"{path}: the method of a request is written out"
                methods.setdefault(path.parent.name, []).append(node.args[0].value)
    assert {name: sorted(found) for name, found in methods.items()} == {
        "marketplaces": ["POST"],  # grants.py: tokens alone
        "aliexpress": ["POST"],
        "shoplazza": ["GET", "POST"],
        "xportcn": ["POST"],
    }


def _strings(module: ast.Module) -> Iterator[str]:
    """Yield every text in a module that is no docstring."""
    prose = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value
