"""Files of jobs: JSON lines, JSON and CSV, whatever state they arrive in, flat in memory."""

from __future__ import annotations

import io
import json
import os
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from tests.unit.sheet_kit import OnPaper
from worker.errors import InputError
from worker.marketplaces import REGISTRY
from worker.marketplaces.models import OrderModel
from worker.orders import files
from worker.orders.files import jobs, read
from worker.orders.jobs import MAX_JOB_BYTES, Job, Rejection, Terms


class Address(OrderModel):
    full_name: str = ""
    city: str


class Item(OrderModel):
    product_id: str = Field(pattern=r"^\d+$")
    product_count: int = Field(ge=1)


class Order(OrderModel):
    address: Address
    items: list[Item] = Field(min_length=1)


class Shop(OnPaper):
    name = "shop"
    order_model = Order
    quantities = ("items", "product_count")
    personal_fields = ("address",)


ACCOUNTS = {"main": Terms(Shop, 1000)}


def job(order_id: str = "SO-1", **address: str) -> dict[str, Any]:
    item = {"product_id": "1005", "product_count": 1}
    body = {"address": {"city": "Vineland", **address}, "items": [item]}
    return {"order_id": order_id, "account": "main", "order": body}


def line(order_id: str = "SO-1", **address: str) -> bytes:
    return json.dumps(job(order_id, **address), ensure_ascii=False).encode() + b"\n"


def taken(data: bytes, name: str = "stream", accounts: Any = ACCOUNTS) -> list[Job | Rejection]:
    return list(jobs(io.BytesIO(data), accounts, name))


def summary(data: bytes, name: str = "stream", accounts: Any = ACCOUNTS) -> list[tuple[int, str]]:
    return [
        (result.line, result.order_id if isinstance(result, Job) else f"{result.field}: {result.reason}")
        for result in taken(data, name, accounts)
    ]


class TestJsonLines:
    def test_one_job_a_line(self) -> None:
        data = line("SO-1") + b"\n   \n" + line("SO-2") + line("SO-3").rstrip()
        assert summary(data) == [(1, "SO-1"), (4, "SO-2"), (5, "SO-3")]

    def test_byte_order_mark_crlf_and_leading_blank_lines(self) -> None:
        data = b"\xef\xbb\xbf" + line("SO-1").replace(b"\n", b"\r\n") + b"\r\n" + line("SO-2")
        assert summary(data) == [(1, "SO-1"), (3, "SO-2")]
        assert summary(b"\n \n\r\n" + line("SO-1")) == [(4, "SO-1")]

    def test_a_bad_line_is_rejected_and_the_rest_goes_on(self) -> None:
        data = line("SO-1") + b"{broken\n" + line("SO-3", city="Z\xfcrich").decode().encode("latin-1") + line("SO-4")
        assert summary(data) == [
            (1, "SO-1"),
            (2, "job: not JSON: expecting property name enclosed in double quotes at column 2"),
            (3, "job: not UTF-8 text at byte 73"),
            (4, "SO-4"),
        ]

    def test_a_bad_first_line_of_a_jsonl_file_is_no_different(self) -> None:
        assert [number for number, _ in summary(b'{"order_id": \n' + line("SO-2"), "x.jsonl")] == [1, 2]
        assert summary(b"hello\n" + line("SO-2"))[1] == (2, "SO-2")

    @pytest.mark.parametrize("indent", [0, 2, "\t"])
    @pytest.mark.parametrize("name", ["x.jsonl", "x.ndjson", "x.json", "stream"])
    def test_an_object_over_many_lines_is_one_job(self, name: str, indent: int | str) -> None:
        pretty = json.dumps(job("SO-1"), indent=indent).encode()
        assert summary(pretty, name) == [(1, "SO-1")]
        several = b"\n\n".join([pretty, json.dumps(job("SO-2"), indent=indent).encode()])
        lines_of_one = pretty.count(b"\n") + 1
        assert summary(several, name) == [(1, "SO-1"), (lines_of_one + 2, "SO-2")]

    def test_objects_on_one_line_and_over_many_stand_side_by_side(self) -> None:
        pretty = json.dumps(job("SO-2", full_name='a "brace" { and \\'), indent=2).encode() + b"\n"
        found = summary(line("SO-1") + pretty + line("SO-3"), "x.jsonl")
        assert [what for _, what in found] == ["SO-1", "SO-2", "SO-3"]

    def test_an_object_that_is_cut_off_takes_no_job_behind_it_along(self) -> None:
        pretty = json.dumps(job("SO-1"), indent=2).encode()
        cut = pretty[: pretty.index(b'"items"')].rstrip() + b"\n"
        for behind in (line("SO-2"), b'{"account": "main", ' + line("SO-2")[1:].replace(b'"account": "main", ', b"")):
            found = taken(cut + behind + line("SO-3"), "x.jsonl")
            assert [type(one) for one in found] == [Rejection, Job, Job]
            assert [one.line for one in found] == [1, cut.count(b"\n") + 1, cut.count(b"\n") + 2]
        assert [type(one) for one in taken(line("SO-1") + cut, "x.jsonl")] == [Job, Rejection]

    def test_an_object_over_many_lines_is_held_up_to_the_size_of_a_job(self) -> None:
        endless = b'{"order": {\n' + b'"a": "b",\n' * (MAX_JOB_BYTES // 10)
        first, *_ = taken(endless + line("SO-2"), "x.jsonl")
        assert first == Rejection(1, None, "job", "an object over several lines that is longer than 1 MiB")

    def test_longest_line(self) -> None:
        exact = line("SO-1", full_name="").replace(b'"full_name": ""', b'"full_name": "%s"')
        fits = exact.replace(b"%s", b"x" * (MAX_JOB_BYTES - len(exact) + 3))
        assert len(fits) == MAX_JOB_BYTES + 1
        over = exact.replace(b"%s", b"x" * (MAX_JOB_BYTES - len(exact) + 4))
        assert summary(fits + over + line("SO-3")) == [
            (1, "SO-1"),
            (2, "job: line longer than 1 MiB"),
            (3, "SO-3"),
        ]

    @pytest.mark.parametrize("ends", [b"\n", b""])
    def test_a_line_of_50_mb_is_skipped_without_being_held(self, tmp_path: Path, ends: bytes) -> None:
        path = tmp_path / "long.jsonl"
        with path.open("wb") as file:
            file.write(line("SO-1") + b'{"order_id": "')
            for _ in range(50):
                file.write(b"x" * 1_000_000)
            file.write(ends + (line("SO-3") if ends else b""))
        tracemalloc.start()
        results = list(jobs(path, ACCOUNTS))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [type(result) for result in results] == ([Job, Rejection, Job] if ends else [Job, Rejection])
        assert results[1] == Rejection(2, None, "job", "line longer than 1 MiB")
        assert peak < 6 * MAX_JOB_BYTES

    def test_memory_is_flat_over_100_000_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "many.jsonl"
        with path.open("wb") as file:
            for number in range(100_000):
                file.write(line(f"SO-{number}"))
        stream = jobs(path, ACCOUNTS)
        assert sum(isinstance(next(stream), Job) for _ in range(1000)) == 1000
        tracemalloc.start()
        assert sum(isinstance(result, Job) for result in stream) == 99_000
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept < 100_000
        assert peak < 1_000_000

    def test_a_stream_that_fails_on_the_way(self) -> None:
        class Breaking(io.BytesIO):
            def readline(self, size: int | None = -1) -> bytes:
                if self.tell():
                    raise OSError(5, "Input/output error")
                return super().readline(size)

        results = list(jobs(Breaking(line("SO-1") * 2), ACCOUNTS))
        assert isinstance(results[0], Job)
        assert results[1:] == [Rejection(2, None, "job", "reading stopped here: Input/output error")]


class TestJson:
    def test_an_array_knows_its_lines(self) -> None:
        data = json.dumps([job("SO-1"), job("SO-2"), 7], indent=2).encode()
        second = 1 + data[: data.index(b"SO-2")].count(b"\n") - 1
        assert summary(data, "x.json")[:2] == [(2, "SO-1"), (second, "SO-2")]
        assert summary(data, "x.json")[2][1] == "job: must be a JSON object with order_id, account and order"

    def test_by_its_first_character_whatever_the_name(self) -> None:
        data = b"\xef\xbb\xbf\n " + json.dumps([job("SO-1"), job("SO-2")]).encode() + b"\r\n"
        assert summary(data, "orders") == summary(data, "x.jsonl") == [(2, "SO-1"), (2, "SO-2")]

    def test_an_array_on_one_line_longer_than_a_line_may_be(self) -> None:
        data = json.dumps([job(f"SO-{number}", full_name="x" * 5000) for number in range(400)]).encode()
        assert len(data) > MAX_JOB_BYTES
        assert len(taken(data)) == 400

    def test_an_empty_array_holds_no_job(self) -> None:
        assert taken(b" [ ] ") == []

    def test_one_object_or_several_one_after_another(self) -> None:
        one = json.dumps(job("SO-1"), indent=2).encode()
        assert summary(one, "x.json") == summary(one) == [(1, "SO-1")]
        assert summary(line("SO-1"), "x.json") == [(1, "SO-1")]
        assert [name for _, name in summary(one + b"\n" + one.replace(b"SO-1", b"SO-2"))] == ["SO-1", "SO-2"]

    def test_json_lines_under_the_name_json(self) -> None:
        assert summary(line("SO-1") + b"broken\n" + line("SO-3"), "x.json")[2] == (3, "SO-3")

    def test_faults_inside_an_element_are_its_own(self) -> None:
        data = json.dumps([job("SO-1"), job("SO-2")]).encode()
        doubled = data.replace(b'"order_id": "SO-1"', b'"order_id": "SO-1", "order_id": "SO-9"')
        assert [name for _, name in summary(doubled)] == ["job: the key order_id stands twice in one object", "SO-2"]

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b'[{"a": 1},\n {"b": 2}', "x.json is not JSON: Expecting ',' delimiter at line 2 column 10"),
            (b'\n[{"a": 1}\n {"b": 2}]', "x.json is not JSON: Expecting ',' delimiter at line 3 column 2"),
            (b'[{"a": 1}] x', "x.json is not JSON: Extra data at line 1 column 12"),
            (b"[] []", "x.json is not JSON: Extra data at line 1 column 4"),
            (b"[", "x.json is not JSON: Expecting value at line 1 column 2"),
            (b"[1,]", "x.json is not JSON: Expecting value at line 1 column 4"),
            (b'{\n "a": 1,\n', "x.json is not JSON: Expecting property name enclosed in double quotes at line 3"),
            (b'[\n"caf\xe9"]', "x.json is not UTF-8 text (line 2); save it as UTF-8"),
            (b"[" * 100_000, "x.json is nested too deeply"),
            (b"[" + b"9" * 5000 + b"]", "x.json is not JSON: a number is too long"),
        ],
    )
    def test_a_broken_document_is_refused_before_its_first_job(self, data: bytes, sentence: str) -> None:
        with pytest.raises(InputError) as caught:
            read(io.BytesIO(data), ACCOUNTS, "x.json")
        assert str(caught.value).startswith(sentence)

    def test_too_long_a_document_recommends_json_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "MAX_DOCUMENT_BYTES", 100)
        with pytest.raises(InputError, match="longer than 64 MiB; submit JSON lines"):
            read(io.BytesIO(json.dumps([job()] * 3).encode()), ACCOUNTS)


class TestWhatCannotBeRead:
    def test_missing_directory_and_unreadable(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"gone\.jsonl: there is no such file"):
            read(tmp_path / "gone.jsonl", ACCOUNTS)
        with pytest.raises(InputError, match="is a directory, not a file"):
            read(str(tmp_path), ACCOUNTS)
        with pytest.raises(InputError, match="cannot be opened"):
            read("a\0b", ACCOUNTS)
        with pytest.raises(InputError, match="cannot be opened"):
            read(tmp_path / ("x" * 300), ACCOUNTS)

    def test_a_file_nobody_may_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(InputError, match=r"orders\.jsonl cannot be opened: Permission denied"):
            read("orders.jsonl", ACCOUNTS)

    @pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
    def test_empty(self, data: bytes) -> None:
        with pytest.raises(InputError, match=r"^x\.csv is empty$"):
            read(io.BytesIO(data), ACCOUNTS, "x.csv")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    @pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv"])
    def test_other_unicode_encodings(self, encoding: str, name: str) -> None:
        with pytest.raises(InputError, match=r"is not UTF-8 text \(UTF-16, or not text at all\); save it as UTF-8"):
            read(io.BytesIO(line().decode().encode(encoding)), ACCOUNTS, name)

    @pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv"])
    def test_latin_1_from_the_start(self, name: str) -> None:
        with pytest.raises(InputError, match=r"is not UTF-8 text \(line 1\); save it as UTF-8"):
            read(io.BytesIO(line(city="Zürich").decode().encode("latin-1")), ACCOUNTS, name)

    def test_a_zip_file(self) -> None:
        with pytest.raises(InputError, match="not text at all"):
            read(io.BytesIO(b"PK\x03\x04\x14\x00\x06\x00" + os.urandom(100)), ACCOUNTS, "x.xlsx")

    def test_a_first_line_cut_within_a_character_is_still_text(self) -> None:
        data = b'{"a": "' + b"x" * (MAX_JOB_BYTES - 7) + "ü".encode() + b'"}\n' + line("SO-2")
        assert summary(data) == [(1, "job: line longer than 1 MiB"), (2, "SO-2")]

    def test_the_file_is_closed(self, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl"
        path.write_bytes(line() * 3)
        before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
        assert len(list(read(path, ACCOUNTS))) == 3
        path.write_bytes(b"")
        with pytest.raises(InputError):
            read(path, ACCOUNTS)
        assert not before or len(os.listdir("/proc/self/fd")) == before

    def test_standard_input_stays_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(line("SO-1")))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert [entry[0] for entry in read("-", ACCOUNTS)] == [1]
        assert not stdin.buffer.closed
        with pytest.raises(InputError, match="standard input is empty"):
            read("-", ACCOUNTS)


def test_aliexpress_from_every_form() -> None:
    header = "order_id,account,address,city,contact_person,country,mobile_no,phone_country,province,zip,full_name"
    values = ["1 Main Street", "Vineland", "Malik Jack", "US", "5593600000", "+1", "New Jersey", "08360", "Malik Jack"]
    address = dict(zip(header.split(",")[2:], values, strict=True))
    item = {"product_id": "1005004638293060", "product_count": 1, "sku_attr": "14:365458#Brown"}
    whole = {"order_id": "SO-1", "account": "main", "order": {"logistics_address": address, "product_items": [item]}}
    accounts = {"main": Terms(REGISTRY["aliexpress"], 1000)}
    row = f"SO-1,main,{','.join(values)},1005004638293060,1,14:365458#Brown"
    forms = [
        json.dumps(whole).encode(),
        json.dumps([whole], indent=1).encode(),
        f"{header},product_id,product_count,sku_attr\n{row}\n".encode(),
    ]
    results = [taken(data, accounts=accounts)[0] for data in forms]
    assert all(isinstance(result, Job) for result in results), results
    assert len({result.fingerprint for result in results if isinstance(result, Job)}) == 1
    address["mobileNo"] = address.pop("mobile_no")
    result = taken(json.dumps(whole).encode(), accounts=accounts)[0]
    assert isinstance(result, Rejection)
    assert (result.line, result.field) == (1, "order.logistics_address.mobileNo")
    assert result.reason.startswith("unknown field; nearest known name: mobile_no")
