"""The commands of `fulfil` that run programs: up, hooks, sandbox, demo, migrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.settings import Settings, settings
from worker.cli.group import as_json, main, out, parts
from worker.cli.help import Described
from worker.terminal.screen import print_json

if TYPE_CHECKING:
    from worker.supervisor import Services


@main.command()
@as_json
def up(json_: bool) -> None:
    """Run everything: Redis, workers, beat, Flower and, where needed, the receiver of push messages. Ctrl-C stops it.

    Redis is embedded unless FULFIL_REDIS_URL is set. What ends is started again. `fulfil logs` shows what the programs
    say.
    """
    from worker.errors import ConfigError
    from worker.supervisor import Services, stopper

    configured = settings()
    if not configured.accounts:
        raise ConfigError(
            "no account is configured; set FULFIL_ACCOUNTS__<NAME>__MARKETPLACE and its credentials,"
            " or try it without buying anything: fulfil sandbox"
        )
    parts().check()
    services, stop = Services(configured), stopper()
    try:
        services.start()
        _announce(configured, services, json_)
        services.watch()
        stop.wait()
        if not json_:
            out().print("stopping: no new sends, those under way end")
    finally:
        services.stop()


def _announce(configured: Settings, services: Services, json_: bool) -> None:
    from worker.programs import flower_login

    flower = f"http://{configured.flower_address}:{configured.flower_port}"
    user = flower_login(configured).partition(":")[0]
    pushes = f"http://{configured.hooks_address}:{configured.hooks_port}/push/ACCOUNT"
    received = pushes if "hooks" in services.pids() and configured.hooks_port else None
    if json_:
        told = {"accounts": list(configured.accounts), "flower": flower, "user": user}
        print_json({**told, "pushes": received, "logs": str(services.logs), "pids": services.pids()})
        return
    password = "FULFIL_FLOWER_BASIC_AUTH" if configured.flower_basic_auth else configured.home / "flower-login"
    out().print(f"up: accounts {', '.join(configured.accounts)}")
    out().print(f"Flower: {flower}, user {user}, password in {password}")
    if received:
        out().print(f"push messages: {received}")
    out().print("next, in another terminal: fulfil submit FILE --wait, fulfil status, fulfil logs --follow")


class _Sandbox(Described):
    """A command whose help goes on with what the sandbox can be told."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lists of worker/sandbox/guide.py."""
        from worker.sandbox.guide import SUFFIX, SUFFIX_WITH_TIME, sections

        for title, rows in sections():
            with formatter.section(title):
                formatter.write_dl([(what.replace("`", ""), then.replace("`", "")) for what, then in rows.items()])
            if title == "Faults":
                formatter.write_paragraph()
                formatter.write_text(
                    f"By an order's own order_id, for its first create: {SUFFIX}, or with the time in milliseconds:"
                    f" {SUFFIX_WITH_TIME}."
                )


@main.command(cls=_Sandbox)
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [default: FULFIL_SANDBOX_PORT]")
@click.option("--record", type=click.Path(dir_okay=False), help="Append every order that is made to this file.")
@click.option("--push-url", metavar="URL", help="Send push messages there; {account} stands for the order's account.")
@as_json
def sandbox(port: int | None, record: str | None, push_url: str | None, json_: bool) -> None:
    """Run the sandbox marketplaces alone, on loopback, and print the lines that make your shell use them.

    Paste these lines whole into the terminals of `fulfil up` and `fulfil submit`: they name the accounts main,
    wholesale and shop, and a home of their own. Nothing is bought, and nothing leaves this machine.
    """
    from worker.sandbox.server import run

    run(port, record=Path(record) if record else None, push_url=push_url)


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [default: FULFIL_HOOKS_PORT]")
@click.option("--address", help="Address to listen on.  [default: FULFIL_HOOKS_ADDRESS]")
@as_json
def hooks(port: int | None, address: str | None, json_: bool) -> None:
    """Receive the marketplaces' push messages at /push/ACCOUNT; they bring the ids of unmatched orders."""
    from worker.broker.signs import LeaveSign, Sign
    from worker.web.pushes import Receiver, run_hooks
    from worker.web.ringing import Hints, Ringing

    configured = settings()

    def ready(url: str) -> None:
        if json_:
            print_json({"url": url, "accounts": list(configured.accounts)})
        else:
            out().print(f"push messages are received on {url}/push/ACCOUNT")

    parts().check()
    hints = Hints(parts().lives, parts().bell)
    ringing = Ringing(hints.ring)
    LeaveSign(parts().signs, Sign.HOOKS).start()
    run_hooks(
        Receiver(parts().accounts, parts().pushes.take, hints.take, ringing),
        ringing,
        configured.hooks_address if address is None else address,
        configured.hooks_port if port is None else port,
        ready,
    )


@main.command()
@click.option("--keep", is_flag=True, help="Leave the demo's folder .fulfil/demo as it is at the end.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Save a picture of the end to this file.")
@as_json
def demo(keep: bool, svg: Path | None, json_: bool) -> None:
    """Run everything once against the sandbox, from an empty folder, with an embedded Redis and SQLite.

    Exit codes: 0 every order ended as the demo says beforehand (some are to be refused) and the sandbox's own
    record agrees, 1 otherwise.
    """
    from worker.demo.run import run_demo

    raise SystemExit(run_demo(keep=keep, as_json=json_, svg=svg))


@main.command()
@as_json
def migrate(json_: bool) -> None:
    """Bring the ledger's schema up to date. Every program does so when it starts; this command does only that."""

    opened = parts().ledger
    if json_:
        print_json({"ledger": opened.place, "schema": opened.version()})
    else:
        out().print(f"the ledger at {opened.place} has schema {opened.version()}")
