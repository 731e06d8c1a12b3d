"""The commands of `fulfil accounts`: get an account's tokens, see how they stand, try and remove them."""

from __future__ import annotations

import sys
import time

import click

from worker.cli.group import as_json, doorbell, main, out, parts, person
from worker.errors import InputError
from worker.terminal.screen import print_json

_account = click.argument("account")


@main.group()
def accounts() -> None:
    """See and mend how accounts reach their marketplaces: tokens, pauses, buyers."""


@accounts.command("list")
@as_json
def list_(json_: bool) -> None:
    """List every account with how its token stands; exit 1 where one needs a person."""
    from worker.rules.token_views import account_lines

    now, found = time.time(), parts().logins.listed()
    if json_:
        print_json([view.as_json(now) for view in found])
    else:
        out().print(*([line for view in found for line in account_lines(view, now)] or ["no account is set"]), sep="\n")
    raise SystemExit(int(any(view.needs_a_person(now) for view in found)))


@accounts.command()
@_account
@click.argument("grant", required=False)
@as_json
def login(account: str, grant: str | None, json_: bool) -> None:
    """Get an account's tokens and keep them renewed.

    Prints the page where the buyer grants, then reads GRANT from the input: the whole address the browser came back
    to, or the code in it. Nothing of it is shown or kept but the tokens, encrypted.
    """
    if grant is None:
        page = parts().logins.page(account)
        click.echo(f"open this page, log in as the buyer of {account} and allow the app:\n\n  {page}\n", err=json_)
        click.echo("then paste the whole address the browser came back to, or the code in it:", err=json_)
        grant = sys.stdin.readline()
        if not grant.strip():
            raise InputError("nothing was given; the account's tokens are as before")
    _tell(account, parts().logins.login(account, grant, person()), json_)


@accounts.command()
@_account
@as_json
def test(account: str, json_: bool) -> None:
    """Ask for an order that cannot exist, which changes nothing, and say whether the account is accepted."""
    from worker.rules.reach import said

    with doorbell():
        marketplace = parts().accounts.adapter(account)
        answer = parts().reach.ask(account)
    _tell(account, said(answer, marketplace.title, marketplace.url), json_)


@accounts.command()
@_account
@as_json
def remove(account: str, json_: bool) -> None:
    """Forget an account's stored tokens; without a token in its settings its sends are paused."""
    _tell(account, parts().logins.remove(account, person()), json_)


@accounts.command()
@as_json
def rekey(json_: bool) -> None:
    """Encrypt every stored token anew under the first of the keys, so that an old key can be taken away."""
    number = parts().tokens.rekey()
    said = f"the tokens of {number} accounts are encrypted under the first key"
    print_json({"accounts": number, "said": said}) if json_ else out().print(said)


@accounts.command()
@as_json
def key(json_: bool) -> None:
    """Print a new key for FULFIL_TOKEN_KEYS; it is kept nowhere."""
    from worker.ledger.keyring import new_key

    print_json({"key": new_key()}) if json_ else click.echo(new_key())


def _tell(account: str, said: str, json_: bool) -> None:
    print_json({"account": account, "said": said}) if json_ else out().print(said)
