"""CSV intake of every marketplace: one row a line item, grouped by order_id, the vendor's leaf names as columns."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from click.testing import CliRunner

from tests.contract.contract_kit import Subject
from worker.cli.main import main
from worker.marketplaces import REGISTRY
from worker.orders.columns import PLACEHOLDER, SEPARATOR, columns
from worker.orders.fields import Leaf
from worker.orders.files import jobs
from worker.orders.jobs import Job, Rejection, Terms

SUBJECTS = list(REGISTRY)


def template(subject: Subject) -> list[list[str]]:
    """Return the rows `fulfil template` prints."""
    told = CliRunner().invoke(main, ["template", subject.name])
    assert told.exit_code == 0, told.output
    return list(csv.reader(io.StringIO(told.stdout)))


def cell(order: Any, leaf: Leaf) -> str:
    """Return what stands in a leaf's column for the first line item of an order."""
    for part in leaf.path:
        if isinstance(order, list):
            order = order[0]
        order = order.get(part) if isinstance(order, dict) else None
    if isinstance(order, list):
        return SEPARATOR.join(map(str, order))
    return "" if order is None else str(order)


def rows(subject: Subject, order_ids: list[str]) -> list[list[str]]:
    """Return the sample order as rows, one for each order_id given; the second of the same one is a second item."""
    leaves, found = list(columns(subject.marketplace).values()), []
    for number, order_id in enumerate(order_ids):
        again = number > 0 and order_ids[number - 1] == order_id
        cells = ["" if again and not leaf.outer else cell(subject.order, leaf) for leaf in leaves]
        found.append([order_id, "" if again else "main", *cells])
    return found


def read(subject: Subject, table: list[list[str]]) -> list[Job | Rejection]:
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return list(jobs(io.BytesIO(text.getvalue().encode()), {"main": Terms(subject.marketplace, 1000)}, "orders.csv"))


def flat(subject: Subject) -> dict[str, Any]:
    """Return the sample order as a row can tell it: without maps and lists inside of lists."""
    (job,) = read(subject, [template(subject)[0], *rows(subject, ["SO-0"])])
    assert isinstance(job, Job), job
    found: dict[str, Any] = json.loads(job.body)
    return found


def test_a_row_tells_everything_a_row_can_tell(subject: Subject) -> None:
    told, missing = flat(subject), []
    for leaf in columns(subject.marketplace).values():
        if cell(told, leaf) != cell(subject.order, leaf) or not cell(told, leaf):
            missing.append(leaf.dotted)
    assert missing == []


def test_each_row_is_a_line_item_and_rows_of_one_order_id_are_one_order(subject: Subject) -> None:
    found = read(subject, [template(subject)[0], *rows(subject, ["SO-1", "SO-1", "SO-2"])])
    assert [job.order_id for job in found] == ["SO-1", "SO-2"]
    first, second = (json.loads(job.body) for job in found if isinstance(job, Job))
    items = next(leaf.path[0] for leaf in columns(subject.marketplace).values() if leaf.outer and leaf.required)
    assert (len(first[items]), len(second[items])) == (2, 1)
    assert first[items] == second[items] * 2
    assert second == flat(subject)
    assert {**first, items: None} == {**second, items: None}


def test_the_template_is_turned_away_as_it_is_and_says_where(subject: Subject) -> None:
    table = template(subject)
    assert table[0][:2] == ["order_id", "account"]
    assert PLACEHOLDER in table[1]
    (rejected,) = read(subject, table)
    assert isinstance(rejected, Rejection)
    assert PLACEHOLDER in rejected.reason


def test_the_template_marks_what_is_required(subject: Subject) -> None:
    told = json.loads(CliRunner().invoke(main, ["template", subject.name, "--json"]).stdout)
    header, example = template(subject)
    marked = [column for column, value in zip(header, example, strict=True) if value == PLACEHOLDER]
    assert told == {"marketplace": subject.name, "columns": header, "required": ["order_id", "account", *marked]}
