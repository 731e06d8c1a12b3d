"""The commands of `fulfil` that print what is supported: marketplaces, template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from worker.cli.group import as_json, main, out
from worker.terminal.screen import print_json

if TYPE_CHECKING:
    from worker.terminal.grid import Page


@main.command()
@as_json
def marketplaces(json_: bool) -> None:
    """Print the support matrix: what each marketplace's adapter can do."""
    from worker.marketplaces import REGISTRY

    found = [support(name) for name in REGISTRY]
    if json_:
        print_json(found)
    else:
        out().print(_matrix(found))


def support(name: str) -> dict[str, Any]:
    """Return what a marketplace's class says of itself."""
    from worker.marketplaces import REGISTRY
    from worker.orders.columns import columns
    from worker.orders.fields import paths
    from worker.sandbox.fakes import FAKES

    known = REGISTRY[name]
    window, rate = known.resend_window, known.default_rate
    credentials = known.credentials_model.model_fields
    return {
        "name": known.name,
        "title": known.title,
        "base_url": known.base_url,
        "resend_window_seconds": None if window is None else window.total_seconds(),
        "look_up_by": known.look_up_by,
        "foresees": known.foresees,
        "pushes": known.takes_pushes,
        "parcels": known.calls_for_parcels > 0,
        "pay_page": known.pay_page,
        "rate_per_second": rate.per_second,
        "rate_burst": rate.burst,
        "rate_shared": rate.shared,
        "calls_to_place": known.calls_to_place,
        "fields": len(paths(known.order_model)),
        "csv_columns": len(columns(known)),
        "codes": len(known.codes),
        "statuses": len(known.statuses),
        "credentials": [field for field, info in credentials.items() if info.is_required()],
        "settings": [field for field, info in credentials.items() if not info.is_required()],
        "sandbox": name in FAKES,
    }


@main.command()
@click.argument("marketplace")
@as_json
def template(marketplace: str, json_: bool) -> None:
    """Print the CSV template of a marketplace: every column, and a row that marks the required ones."""
    from worker.errors import InputError
    from worker.marketplaces import REGISTRY
    from worker.orders.columns import OWN_COLUMNS, columns
    from worker.orders.files import template as sheet

    known = REGISTRY.get(marketplace)
    if known is None:
        raise InputError(f"no marketplace {marketplace!r}; there are {', '.join(REGISTRY)}")
    if json_:
        required = [*OWN_COLUMNS, *(column for column, leaf in columns(known).items() if leaf.required)]
        print_json({"marketplace": marketplace, "columns": [*OWN_COLUMNS, *columns(known)], "required": required})
    else:
        click.echo(sheet(known), nl=False)


def _matrix(found: Iterable[Mapping[str, Any]]) -> Page:
    """Return the support matrix: a column for each marketplace."""
    from worker.terminal.grid import Column, Grid

    cells = [list(_supported(one).items()) for one in found]
    columns = [Column(""), *(Column(one[0][1], 18, text=True) for one in cells)]
    return Grid(columns).page((row[0][0], *(value for _, value in row)) for row in list(zip(*cells, strict=True))[1:])


def _supported(one: Mapping[str, Any]) -> dict[str, str]:
    window, shared = one["resend_window_seconds"], "creates and reads share it" if one["rate_shared"] else ""
    rate = f"{one['rate_per_second']:g} calls a second, {one['rate_burst']} at once"
    return {
        "title": one["title"],
        "MARKETPLACE": one["name"],
        "address": one["base_url"],
        "same key sent again": "not safe" if window is None else f"safe for {window / 3600:g} hours",
        "preflight": one["foresees"] or "its form alone",
        "look-up": f"by {one['look_up_by']}" if one["look_up_by"] else "none",
        "push messages": "read" if one["pushes"] else "none",
        "parcels": "read" if one["parcels"] else "none",
        "a person pays at": one["pay_page"],
        "default rate": "; ".join(filter(None, (rate, shared))),
        "calls to place": str(one["calls_to_place"]),
        "fields of an order": str(one["fields"]),
        "CSV columns": str(one["csv_columns"]),
        "known answers": str(one["codes"]),
        "known statuses": str(one["statuses"]),
        "credentials": ", ".join(one["credentials"]),
        "own settings": ", ".join(one["settings"]) or "none",
        "sandbox": "yes" if one["sandbox"] else "none",
    }
