"""A PgBouncer before a PostgreSQL of the tests', in transaction mode; ended when the block ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, make_url

from tests.postgres import NoPostgresError, _runner
from tests.running import free_port

WHAT_TO_INSTALL = "no PgBouncer here; install Debian's pgbouncer to run this test"


def binary() -> str | None:
    """Return where PgBouncer is; Debian puts it where a user's PATH does not look."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def pgbouncer(database: str) -> Iterator[str]:
    """Run one before the server of this address; yield the database's address behind it. Raises NoPostgresError."""
    found = binary()
    if found is None:
        raise NoPostgresError(WHAT_TO_INSTALL)
    behind = make_url(database)
    host = behind.query.get("host") or behind.host or "127.0.0.1"
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="fulfil-pgb-", dir="/tmp"))
    target = f"host={host} port={behind.port or 5432} user={behind.username}"
    target += f" password={behind.password}" if behind.password else ""
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = {target}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 200\n"
        f"logfile = {folder}/log\n"
    )
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    process = subprocess.Popen(
        [*_runner(), found, str(folder / "pgbouncer.ini")],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(process, port)
        yield URL.create(
            "postgresql", "fulfil", host="127.0.0.1", port=port, database=behind.database
        ).render_as_string()
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise NoPostgresError("PgBouncer does not start")
