"""Files of jobs: JSON lines, JSON and CSV, whatever state they arrive in, flat in memory."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from worker.errors import InputError
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace, OrderModel
from worker.orders import files
from worker.orders.files import jobs, read, template
from worker.orders.models import MAX_JOB_BYTES, Job, Rejection
from worker.orders.sheets import MAX_ROWS_AN_ORDER


class Address(OrderModel):
    full_name: str = ""
    city: str
    note: str | None = None


class Item(OrderModel):
    product_id: str = Field(pattern=r"^\d+$")
    product_count: int = Field(ge=1)
    sku: str | None = None
    note: str | None = None


class Coupon(OrderModel):
    code: str | None = None
    channel: str | None = None


class Extra(OrderModel):
    coupons: list[Coupon] | None = None
    pay_currency: str | None = None


class Order(OrderModel):
    address: Address
    items: list[Item] = Field(min_length=1)
    extra: Extra | None = None
    tags: list[str] | None = None
    weights: dict[str, int] | None = None


class Shop(Marketplace):
    name = "shop"
    order_model = Order
    personal_fields = ("address",)


class Parcel(OrderModel):
    receiver: str
    weight: int


class Post(Marketplace):
    name = "post"
    order_model = Parcel
    personal_fields = ("receiver",)


ACCOUNTS: dict[str, type[Marketplace]] = {"main": Shop}


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
        with pytest.raises(InputError, match="longer than 64 MiB; hand in JSON lines"):
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


HEADER = "order_id,account,full_name,city,product_id,product_count,sku\n"


def sheet(*rows: str, header: str = HEADER) -> bytes:
    return (header + "".join(row + "\n" for row in rows)).encode()


def bodies(data: bytes, accounts: Any = ACCOUNTS) -> list[Any]:
    results = taken(data, "x.csv", accounts)
    return [json.loads(result.body) if isinstance(result, Job) else result for result in results]


class TestCsv:
    def test_consecutive_rows_are_one_order(self) -> None:
        data = sheet("SO-1,main,Ann,Oslo,1,2,a", "SO-1,main,Ann,Oslo,1,2,a", "", "SO-2,main,,Rome,3,1,")
        assert summary(data, "x.csv") == [(2, "SO-1"), (5, "SO-2")]
        assert bodies(data)[0] == {
            "address": {"full_name": "Ann", "city": "Oslo"},
            "items": [{"product_id": "1", "product_count": 2, "sku": "a"}] * 2,
        }

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_delimiters_byte_order_mark_crlf(self, delimiter: str, mark: bytes) -> None:
        data = sheet("SO-1,main,Ann,Oslo,1,2,a").decode().replace(",", delimiter).replace("\n", "\r\n")
        assert summary(mark + data.encode(), "x.csv") == [(2, "SO-1")]
        assert summary(mark + data.encode(), "standard input") == [(2, "SO-1")]

    def test_quoted_cells_may_hold_anything(self) -> None:
        data = sheet('SO-1,main,"Ann ""A"" Lee,\nJr",Oslo,1,2,a', "SO-2,main,Bo,Rome,3,1,")
        assert summary(data, "x.csv") == [(2, "SO-1"), (4, "SO-2")]
        assert bodies(data)[0]["address"]["full_name"] == 'Ann "A" Lee,\nJr'

    def test_later_rows_may_leave_the_shared_cells_blank(self) -> None:
        data = sheet("SO-1,main,Ann,Oslo,1,2,a", "SO-1,,,,4,1,")
        assert [item["product_id"] for item in bodies(data)[0]["items"]] == ["1", "4"]

    @pytest.mark.parametrize(
        ("row", "field"),
        [
            ("SO-1,main,Ann,Rome,4,1,", "order.address.city"),
            ("SO-1,main,Bo,Oslo,4,1,", "order.address.full_name"),
            ("SO-1,other,Ann,Oslo,4,1,", "account"),
        ],
    )
    def test_rows_that_disagree(self, row: str, field: str) -> None:
        results = taken(sheet("SO-1,main,Ann,Oslo,1,2,a", row, "SO-2,main,,Rome,3,1,"), "x.csv")
        assert results[0] == Rejection(2, "SO-1", field, "row 2 of the order differs from its first row")
        assert isinstance(results[1], Job)

    def test_a_value_first_given_in_a_later_row_disagrees(self) -> None:
        assert bodies(sheet("SO-1,main,,Oslo,1,2,a", "SO-1,main,Ann,Oslo,1,2,a"))[0].field == "order.address.full_name"

    def test_a_row_without_order_id_spoils_the_order_above(self) -> None:
        results = taken(sheet("SO-1,main,Ann,Oslo,1,2,a", ",main,Ann,Oslo,3,1,", "SO-2,main,,Rome,3,1,"), "x.csv")
        assert results[0] == Rejection(2, "SO-1", "order_id", "missing on line 3")
        assert isinstance(results[1], Job)

    def test_a_row_that_adds_nothing(self) -> None:
        result = bodies(sheet("SO-1,main,Ann,Oslo,1,2,a", "SO-1,main,Ann,Oslo,,,"))[0]
        assert result.reason == "row 2 of the order adds no line item"

    @pytest.mark.parametrize("row", ["SO-2,main,Bo", "SO-2,main,Bo,Rome,3,1,,9", "SO-2"])
    def test_rows_of_another_width(self, row: str) -> None:
        results = taken(sheet("SO-1,main,Ann,Oslo,1,2,a", row, "SO-3,main,,Rome,3,1,"), "x.csv")
        cells = row.count(",") + 1
        assert results[1] == Rejection(3, "SO-2", "order", f"line 3 has {cells} cells, the header has 7")
        assert isinstance(results[2], Job)

    def test_a_row_in_latin_1(self) -> None:
        data = sheet("SO-1,main,Ann,Oslo,1,2,a") + "SO-2,main,José,Rome,3,1,\n".encode("latin-1")
        result = taken(data + b"SO-3,main,Bo,Rome,3,1,\n", "x.csv")[1]
        assert result == Rejection(3, "SO-2", "order", "line 3 is not UTF-8 text; save the file as UTF-8")

    def test_values_are_judged_by_the_model(self) -> None:
        result = bodies(sheet("SO-1,main,Ann,Oslo,1.005E+15,none,a"))[0]
        assert (result.line, result.field) == (2, "order.items[0].product_id")
        assert "order.items[0].product_count: must be a valid integer" in result.reason
        result = bodies(sheet("SO-1,mian,Ann,Oslo,1,1,"))[0]
        assert result == Rejection(2, "SO-1", "account", "unknown account; nearest known account: main")

    @pytest.mark.parametrize("row", ['SO-2,main,"Ann,Oslo,1,2,a', 'SO-2,main,"Ann"x,Oslo,1,2,a'])
    def test_quotes_that_do_not_pair_end_the_file(self, row: str) -> None:
        results = taken(
            sheet("SO-1,main,Ann,Oslo,1,2,a", "SO-2,main,Ann,Oslo,1,2,a", row, "SO-3,main,B,R,3,1,"), "x.csv"
        )
        assert isinstance(results[0], Job)
        assert results[1] == Rejection(3, "SO-2", "order", "the file could not be read to the end of this order")
        assert isinstance(results[2], Rejection)
        assert results[2].field == "file"
        assert results[2].reason.startswith("nothing was read from here on: ")
        assert results[2].reason.endswith("(in the row begun on line 4)")
        assert len(results) == 3

    def test_a_line_too_long_ends_the_file(self) -> None:
        data = sheet("SO-1,main,Ann,Oslo,1,2,a", "SO-2,main," + "x" * MAX_JOB_BYTES + ",Oslo,1,2,a")
        assert "line longer than 1 MiB" in str(taken(data, "x.csv")[-1])

    def test_more_rows_than_an_order_may_have_are_not_held(self) -> None:
        row = "SO-1,main,Ann,Oslo,1,2,a"
        assert len(bodies(sheet(*[row] * MAX_ROWS_AN_ORDER))[0]["items"]) == MAX_ROWS_AN_ORDER
        assert bodies(sheet(*[row] * (MAX_ROWS_AN_ORDER + 1)))[0].reason == f"more than {MAX_ROWS_AN_ORDER} rows"

    def test_streams(self) -> None:
        def endless() -> Iterator[bytes]:
            yield HEADER.encode()
            for number in range(10**9):
                yield f"SO-{number},main,Ann,Oslo,1,2,a\n".encode()

        class Endless(io.BytesIO):
            rows = endless()

            def readline(self, size: int | None = -1) -> bytes:
                return next(self.rows)

        stream = jobs(Endless(), ACCOUNTS, "x.csv")
        assert [next(stream).order_id for _ in range(3)] == ["SO-0", "SO-1", "SO-2"]


class TestColumns:
    def test_ambiguous_names_need_their_path(self) -> None:
        with pytest.raises(
            InputError, match=r"column note: could be address\.note or items\.note; write the whole path"
        ):
            read(io.BytesIO(sheet(header="order_id,account,note\n")), ACCOUNTS, "x.csv")
        header = "order_id,account,city,address.note,order.items[].product_id,items.product_count,items.note\n"
        assert bodies(sheet("SO-1,main,Oslo,ring,1,2,red", header=header))[0] == {
            "address": {"full_name": "", "city": "Oslo", "note": "ring"},
            "items": [{"product_id": "1", "product_count": 2, "note": "red"}],
        }

    def test_optional_lists_and_lists_of_values(self) -> None:
        header = "order_id,account,city,product_id,product_count,code,channel,tags,pay_currency\n"
        rows = ["SO-1,main,Oslo,1,1,TEN,web,a | b,USD", "SO-1,,,2,1,TEN,web,,", "SO-1,,,3,1,TWO,,,"]
        body = bodies(sheet(*rows, header=header))[0]
        assert body["extra"] == {"coupons": [{"code": "TEN", "channel": "web"}, {"code": "TWO"}], "pay_currency": "USD"}
        assert body["tags"] == ["a", "b"]
        assert len(body["items"]) == 3

    @pytest.mark.parametrize(
        ("header", "sentence"),
        [
            ("account,city\n", "x.csv has no column order_id; its first row must name the columns"),
            ("order_id;city\n", "x.csv has no column account; its first row must name the columns"),
            ("order_id,account,ctiy\n", "x.csv, column ctiy: unknown column; nearest known column: city"),
            (
                "order_id,account,productId\n",
                "x.csv, column productId: unknown column; nearest known column: product_id",
            ),
            (
                "order_id,account,weights\n",
                "x.csv, column weights: unknown column; known columns here: full_name, city",
            ),
            ("order_id,account,city,city\n", "x.csv has the column city twice"),
            ("order_id,account,city,address.city\n", "x.csv has the column address.city twice"),
            ('order_id,account,"city\n', "x.csv: its first row cannot be read as CSV column names"),
        ],
    )
    def test_headers_that_cannot_be_used(self, header: str, sentence: str) -> None:
        with pytest.raises(InputError) as caught:
            read(io.BytesIO(header.encode()), ACCOUNTS, "x.csv")
        assert str(caught.value).startswith(sentence)

    def test_a_file_without_a_header_does_not_have_its_first_row_repeated(self) -> None:
        with pytest.raises(InputError) as caught:
            read(io.BytesIO(b"SO-1,main,Ann Person,Oslo,1,2,a\n"), ACCOUNTS, "x.csv")
        assert "Ann" not in str(caught.value)

    def test_without_accounts_columns_mean_nothing(self) -> None:
        with pytest.raises(InputError, match="no account is configured"):
            read(io.BytesIO(sheet()), {}, "x.csv")

    def test_two_marketplaces_in_one_file(self) -> None:
        accounts = {"main": Shop, "post": Post}
        header = "order_id,account,city,product_id,product_count,receiver,weight,\n"
        rows = ["SO-1,main,Oslo,1,1,,,", "P-1,post,,,,Ann,5,", "P-2,post,Rome,,,Ann,5,", "P-3,post,,,,Ann,5,x"]
        results = taken(sheet(*rows, "P-4,post,,,,Ann,5,", "P-4,post,,,,Ann,5,", header=header), "x.csv", accounts)
        assert [result.order_id for result in results if isinstance(result, Job)] == ["SO-1", "P-1"]
        assert results[2:] == [
            Rejection(4, "P-2", "order.city", "unknown column; known columns here: receiver, weight"),
            Rejection(5, "P-3", "order", "a column without a name holds a value"),
            Rejection(6, "P-4", "order", "2 rows, but nothing in their columns can stand more than once"),
        ]

    def test_template_names_every_leaf_and_is_refused_as_it_is(self) -> None:
        header, example = csv.reader(io.StringIO(template(Shop)))
        assert ",".join(header) == (
            "order_id,account,full_name,city,address.note,product_id,product_count,sku,items.note,"
            "code,channel,pay_currency,tags"
        )
        assert example[:6] == ["SO-1001", "main", "", "<required>", "", "<required>"]
        result = bodies(template(Shop).encode())[0]
        assert result == Rejection(2, "SO-1001", "order", "line 2 still holds the template's <required>")

    @pytest.mark.parametrize("marketplace", REGISTRY.values(), ids=REGISTRY)
    def test_template_of_every_marketplace_can_be_read(self, marketplace: type[Marketplace]) -> None:
        results = taken(template(marketplace).encode(), "x.csv", {"main": marketplace})
        assert [result.reason for result in results if isinstance(result, Rejection)] == [
            "line 2 still holds the template's <required>"
        ]


def test_aliexpress_from_every_form() -> None:
    header = "order_id,account,address,city,contact_person,country,mobile_no,phone_country,province,zip,full_name"
    values = ["1 Main Street", "Vineland", "Malik Jack", "US", "5593600000", "+1", "New Jersey", "08360", "Malik Jack"]
    address = dict(zip(header.split(",")[2:], values, strict=True))
    item = {"product_id": "1005004638293060", "product_count": 1, "sku_attr": "14:365458#Brown"}
    whole = {"order_id": "SO-1", "account": "main", "order": {"logistics_address": address, "product_items": [item]}}
    accounts = {"main": REGISTRY["aliexpress"]}
    row = f"SO-1,main,{','.join(values)},1005004638293060,1,14:365458#Brown"
    forms = [
        json.dumps(whole).encode(),
        json.dumps([whole], indent=1).encode(),
        sheet(row, header=f"{header},product_id,product_count,sku_attr\n"),
    ]
    results = [taken(data, accounts=accounts)[0] for data in forms]
    assert all(isinstance(result, Job) for result in results), results
    assert len({result.fingerprint for result in results if isinstance(result, Job)}) == 1
    address["mobileNo"] = address.pop("mobile_no")
    result = taken(json.dumps(whole).encode(), accounts=accounts)[0]
    assert isinstance(result, Rejection)
    assert (result.line, result.field) == (1, "order.logistics_address.mobileNo")
    assert result.reason.startswith("unknown field; nearest known name: mobile_no")
