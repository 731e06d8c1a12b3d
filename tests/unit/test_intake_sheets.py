"""CSV at the door: rows grouped into orders, columns resolved through the order model, templates."""

from __future__ import annotations

import csv
import io

import pytest

from tests.unit.sheet_kit import ACCOUNTS, OnPaper, Shop, bodies, sheet, summary, taken
from worker.errors import InputError
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace
from worker.marketplaces.models import OrderModel
from worker.orders.files import read, template
from worker.orders.jobs import MAX_JOB_BYTES, Job, Rejection, Terms
from worker.orders.sheets import MAX_ROWS_AN_ORDER


class Parcel(OrderModel):
    receiver: str
    weight: int


class Post(OnPaper):
    name = "post"
    order_model = Parcel
    quantities = None
    personal_fields = ("receiver",)


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

    def test_quoted_cells_may_hold_anything_but_line_breaks(self) -> None:
        data = sheet('SO-1,main,"Ann ""A"" Lee, Jr",Oslo,1,2,a', "SO-2,main,Bo,Rome,3,1,")
        assert summary(data, "x.csv") == [(2, "SO-1"), (3, "SO-2")]
        assert bodies(data)[0]["address"]["full_name"] == 'Ann "A" Lee, Jr'

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
        result = bodies(sheet("SO-1,main,Ann,Oslo,1.005E+15,two,a"))[0]
        assert (result.line, result.field) == (2, "order.items[0].product_id")
        assert "order.items[0].product_count: must be a valid integer" in result.reason
        result = bodies(sheet("SO-1,mian,Ann,Oslo,1,1,"))[0]
        assert result == Rejection(2, "SO-1", "account", "unknown account; nearest known account: main")

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ('SO-2,main,"Ann,Oslo,1,2,a', "on line 4 a quote opens in column full_name and does not close there; "),
            ('SO-2,main,"Ann"x,Oslo,1,2,a', "on line 4 a quote in column full_name closes in the middle of a text; "),
        ],
    )
    def test_quotes_that_do_not_pair_end_the_file(self, row: str, words: str) -> None:
        results = taken(
            sheet("SO-1,main,Ann,Oslo,1,2,a", "SO-2,main,Ann,Oslo,1,2,a", row, "SO-3,main,B,R,3,1,"), "x.csv"
        )
        assert isinstance(results[0], Job)
        assert results[1] == Rejection(3, "SO-2", "order", "the file could not be read to the end of this order")
        assert isinstance(results[2], Rejection)
        assert (results[2].line, results[2].field) == (4, "file")
        assert results[2].reason.startswith(f"nothing was read from here on: {words}")
        assert results[2].reason.endswith("texts with line breaks as JSON lines (.jsonl)")
        assert len(results) == 3

    def test_a_line_too_long_ends_the_file(self) -> None:
        data = sheet("SO-1,main,Ann,Oslo,1,2,a", "SO-2,main," + "x" * MAX_JOB_BYTES + ",Oslo,1,2,a")
        assert "line longer than 1 MiB" in str(taken(data, "x.csv")[-1])

    def test_more_rows_than_an_order_may_have_are_not_held(self) -> None:
        row = "SO-1,main,Ann,Oslo,1,2,a"
        assert len(bodies(sheet(*[row] * MAX_ROWS_AN_ORDER))[0]["items"]) == MAX_ROWS_AN_ORDER
        assert bodies(sheet(*[row] * (MAX_ROWS_AN_ORDER + 1)))[0].reason == f"more than {MAX_ROWS_AN_ORDER} rows"


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
        accounts = {"main": Terms(Shop, 1000), "post": Terms(Post, 1000)}
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
        results = taken(template(marketplace).encode(), "x.csv", {"main": Terms(marketplace, 1000)})
        assert [result.reason for result in results if isinstance(result, Rejection)] == [
            "line 2 still holds the template's <required>"
        ]
