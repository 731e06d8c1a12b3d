"""What spreadsheets and programs do to values, at every door: repaired with a notice, or refused with the cause."""

from __future__ import annotations

import copy
import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.orders.files import jobs
from worker.orders.jobs import Job, Rejection, Terms, validate
from worker.orders.texts import BLANKS, TEXT_MARKS, WHOLE

ACCOUNTS = {"main": Terms(AliExpress, 1000), "shop": Terms(Shoplazza, 1000), "wholesale": Terms(Xportcn, 1000)}
ADDRESS = {
    "contact_person": "Ines Duarte",
    "full_name": "Ines Duarte",
    "phone_country": "+33",
    "mobile_no": "612000034",
    "address": "8 Quai Vert",
    "city": "Nantes",
    "province": "Pays de la Loire",
    "zip": "44000",
    "country": "FR",
}
ITEM = {"product_id": "1005004638293061", "product_count": "2", "sku_attr": "14:1#Red"}
DOORS = ("json", "escaped", "python", "sheet")


def order(**changes: str) -> dict[str, Any]:
    item = {name: changes.pop(name, value) for name, value in {**ITEM, "order_memo": ""}.items()}
    return {"logistics_address": {**ADDRESS, **changes}, "product_items": [item]}


def at(door: str, body: dict[str, Any], order_id: str = "SO-1") -> Job | Rejection:
    """Hand an order in at one of the doors."""
    job = {"order_id": order_id, "account": "main", "order": body}
    if door == "python":
        return validate(copy.deepcopy(job), 1, ACCOUNTS)
    if door != "sheet":
        return validate(json.dumps(job, ensure_ascii=door == "escaped").encode(), 1, ACCOUNTS)
    row = {"order_id": order_id, "account": "main", **body["logistics_address"], **body["product_items"][0]}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    (result,) = jobs(io.BytesIO(text.getvalue().encode()), ACCOUNTS, "x.csv")
    return result


def address(job: Job | Rejection) -> dict[str, str]:
    assert isinstance(job, Job), job
    found: dict[str, str] = json.loads(job.body)["logistics_address"]
    return found


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("field", "given", "kept", "notice"),
    [
        ("zip", "'44000", "44000", TEXT_MARKS),
        ("zip", '="01000"', "01000", TEXT_MARKS),
        ("zip", '\'="01000"', "01000", TEXT_MARKS),
        ("address", "'8 Quai Vert", "8 Quai Vert", TEXT_MARKS),
        ("address", '="8 ""Quai"" Vert"', '8 "Quai" Vert', TEXT_MARKS),
        ("city", "'Nantes'", "Nantes", TEXT_MARKS),
        ("city", "\u200bNantes\u202c", "Nantes", "U+202C (POP DIRECTIONAL FORMATTING)"),
        ("zip", "\ufeff44000", "44000", "U+FEFF (ZERO WIDTH NO-BREAK SPACE)"),
        ("province", "Pays\u00a0de la\u202fLoire", "Pays de la Loire", BLANKS),
        ("address2", "\u200b", None, "U+200B (ZERO WIDTH SPACE)"),
    ],
)
def test_what_can_be_read_without_loss_is_repaired(door: str, field: str, given: str, kept: str, notice: str) -> None:
    job = at(door, order(**{field: given}))
    assert address(job).get(field) == kept
    assert isinstance(job, Job)
    assert any(told.endswith(notice) for told in job.notices)
    assert job.fingerprint == at(door, order(**({field: kept} if kept else {}))).fingerprint  # type: ignore[union-attr]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("written", "notices"),
    [("1005004638293061.0", (WHOLE,)), ('="1005004638293061"', (TEXT_MARKS,)), ("'1005004638293061", (TEXT_MARKS,))],
)
def test_a_product_id_is_read_without_loss(door: str, written: str, notices: tuple[str, ...]) -> None:
    job = at(door, order(product_id=written))
    assert isinstance(job, Job)
    assert json.loads(job.body)["product_items"][0]["product_id"] == "1005004638293061"
    assert job.notices == notices


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("city", "#REF!", "error a spreadsheet shows"),
        ("city", "#BEZUG!", "error a spreadsheet shows"),
        ("zip", "#¡VALOR!", "error a spreadsheet shows"),
        ("contact_person", "Ines #N/A", "error a spreadsheet shows"),
        ("address", "#DIV/0! Quai Vert", "error a spreadsheet shows"),
        ("order_memo", "size #NAME?", "error a spreadsheet shows"),
        ("address", "########", "error a spreadsheet shows"),
        ("sku_attr", "#N/A", "error a spreadsheet shows"),
        ("city", "nan", "word for no value"),
        ("city", "NULL", "word for no value"),
        ("city", "Null", "word for no value"),
        ("city", "Nan", "word for no value"),
        ("address2", "None", "word for no value"),
        ("zip", "undefined", "word for no value"),
        ("province", "<NA>", "word for no value"),
        ("product_id", "nan", "word for no value"),
        ("contact_person", "null null", "word for no value"),
        ("contact_person", "Ines undefined", "word for no value"),
        ("full_name", "Ines nan", "word for no value"),
        ("full_name", "NULL", "word for no value"),
        ("address", "=A1&B1", "formula"),
        ("city", "'Nantes", "apostrophe"),
        ("city", "Nan\u200btes", "U+200B at position 4 (ZERO WIDTH SPACE)"),
        ("city", "Nan\u00adtes", "U+00AD at position 4 (SOFT HYPHEN)"),
        ("address", "8 Quai\x07Vert", "U+0007 at position 7 is a control sign"),
        ("address", "8 Qu\ufffdi Vert", "U+FFFD at position 5"),
        ("address", "\ufffd8 Quai Vert", "damaged"),
        ("address", "8 Quai de lâ€™Ã‰cluse", "read in another character set"),
        ("address", "8 Quai \ue000", "private-use sign"),
        ("zip", "4400", "5 digits"),
        ("zip", "1000", "took off the zero"),
        ("zip", "44000.0", "decimal part"),
        ("mobile_no", "6.12E+08", "exponent form"),
        ("sku_attr", "12000037255569170", "such as 14:365458#Brown"),
        ("country", "ZZ", "no such country"),
    ],
)
def test_what_is_no_value_is_refused_with_its_cause(door: str, field: str, value: str, word: str) -> None:
    result = at(door, order(**{field: value}))
    assert isinstance(result, Rejection)
    assert result.field.endswith(f".{field}")
    assert word in result.reason
    assert len(value) < 5 or value not in result.reason


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contact_person", "Null"),
        ("contact_person", "Ines Null"),
        ("contact_person", "Ines NULL"),
        ("full_name", "li nan"),
        ("full_name", "Nan Null"),
        ("contact_person", "'t Hart"),
        ("city", "'s-Hertogenbosch"),
        ("city", "'S-HERTOGENBOSCH"),
        ("address", "8 Quai de l'Erdre #5"),
        ("address", "8 Quai «Vert» – ½ étage"),
        ("city", "東京都　渋谷区"),
        ("contact_person", "葛\U000e0101城 太郎"),
        ("contact_person", "علی\u200cرضا"),
        ("contact_person", "ක්\u200dර"),
        ("order_memo", "for 👩\u200d👧 ❤\ufe0f"),
        ("order_memo", "none"),
        ("order_memo", "'thank you' = merci"),
        ("contact_person", "ANDRÉ’S"),
        ("sku_attr", "14:1#Rose\u00a0clair"),
    ],
)
def test_what_lives_stays_as_it_is(door: str, field: str, value: str) -> None:
    job = at(door, order(**{field: value}))
    assert isinstance(job, Job), job
    body = json.loads(job.body)
    assert {**body["logistics_address"], **body["product_items"][0]}[field] == value
    assert job.notices == ()


@pytest.mark.parametrize(("country", "place", "taken"), [("TH", "Nan", 1), ("IT", "None", 1), ("TH", "nan", 0)])
def test_some_places_are_called_so(country: str, place: str, taken: int) -> None:
    zips = {"TH": "55000", "IT": "10060"}
    result = at("json", order(city=place, country=country, zip=zips[country]))
    assert isinstance(result, Job) is bool(taken)


def test_several_lines_are_for_notes_only() -> None:
    assert isinstance(at("json", order(order_memo="leave it\nat the door\tplease")), Job)
    result = at("json", order(address="8 Quai\nVert"))
    assert isinstance(result, Rejection)
    assert "U+000A at position 7 is a line break" in result.reason


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("written", ['="SO-1"', "'SO-1'", "'SO-1", "SO-1"])
def test_a_text_mark_is_no_part_of_an_order_id(door: str, written: str) -> None:
    job = at(door, order(), written)
    assert isinstance(job, Job)
    assert job.order_id == "SO-1"
    assert job.spelled == (None if written == "SO-1" else written)


def test_every_fault_is_told_at_once() -> None:
    result = at("json", order(city="nan", province="NULL", zip="None"))
    assert isinstance(result, Rejection)
    assert result.reason.count("word for no value") == 3


INVISIBLE = st.sampled_from([*map(chr, [*range(0x09), 0x0E, 0x7F, 0x85, 0xAD, 0x200B, 0x200E, 0x202E, 0x2060,
                                        0x2066, 0x2028, 0x2800, 0x3164, 0xFEFF, 0xFFFD, 0xE000, 0xE0041])])  # fmt: skip
WORD = st.text("abcdefgXYZéß中", min_size=1, max_size=8).filter(lambda word: word.casefold() != "nan")
FIELDS = st.sampled_from([*ADDRESS, "address2", "order_memo", "sku_attr", "product_id"])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(("json", "escaped", "python")), FIELDS, WORD, INVISIBLE, WORD)
def test_no_sign_nobody_sees_goes_through_any_door(door: str, field: str, before: str, sign: str, after: str) -> None:
    for text in (before + sign + after, sign + after, before + sign):
        result = at(door, order(**{field: text}))
        if isinstance(result, Job):
            assert sign not in result.body
            assert json.dumps(sign)[1:-1] not in result.body
            assert any(told.startswith("taken off") for told in result.notices)
        else:
            assert after not in result.reason or len(after) < 4


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(("json", "escaped", "python")), st.lists(WORD, min_size=1, max_size=3).map(" ".join))
def test_an_ordinary_value_is_never_altered(door: str, text: str) -> None:
    job = at(door, order(city=text, address=text, province=text, address2=text, contact_person=text, order_memo=text))
    assert isinstance(job, Job)
    assert job.notices == ()
    body = json.loads(job.body)
    for field in ("city", "address", "province", "address2", "contact_person"):
        assert body["logistics_address"][field] == text
    assert body["product_items"][0]["order_memo"] == text
