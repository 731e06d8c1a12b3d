"""The compose file, without Docker: its structure, and every service's command run as a local process.

What runs is what Docker would run: command, environment, health check, SIGTERM.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis
import yaml

from config.settings import Settings
from tests.harness import job
from tests.live.compose_kit import (
    COMPOSE,
    DOCKERFILE,
    ENVIRONMENT_FILE,
    OURS,
    ROOT,
    SERVICES,
    STOP_SECONDS,
    Stack,
    image_environment,
    postgres_bin,
)
from tests.running import until
from worker.programs import commands

# How the file is built


def test_the_file_holds_the_services_and_the_sandbox_waits_for_its_profile() -> None:
    assert list(SERVICES) == ["redis", "postgres", *OURS]
    assert {name for name, service in SERVICES.items() if service.get("profiles")} == {"sandbox"}


def test_redis_keeps_what_it_was_told_and_never_forgets_to_make_room() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_health_check_or_ends_by_itself(name: str) -> None:
    service = SERVICES[name]
    if name == "migrate":
        assert service["restart"] == "no"
        waiting = [other for other in SERVICES.values() if name in other.get("depends_on", {})]
        assert waiting
        assert all(one["depends_on"][name]["condition"] == "service_completed_successfully" for one in waiting)
        return
    assert service["healthcheck"]["test"]
    assert service["healthcheck"]["timeout"]
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root_or_may_become_it(name: str) -> None:
    service = SERVICES[name]
    assert service.get("user", "10001") != "root"
    assert "user" in service or name in OURS
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True


def test_ports_are_open_on_loopback_only() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(ports) == {"flower", "hooks", "sandbox"}
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def test_workers_have_time_to_finish_what_is_under_way() -> None:
    for name in ("worker", "confirm"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= 60
        assert SERVICES[name]["init"] is True


def test_no_password_stands_in_the_file() -> None:
    raw = yaml.safe_load(COMPOSE)["services"]
    secrets = {
        name: value
        for service in raw.values()
        for name, value in (service.get("environment") or {}).items()
        if re.search("PASSWORD|AUTH|SECRET|TOKEN|_KEY", name)
    }
    must = {"PGPASSWORD", "POSTGRES_PASSWORD", "FLOWER_BASIC_AUTH", "FULFIL_REDIS_PASSWORD"}
    assert set(secrets) == must | {"FULFIL_MESSAGE_KEY", "FULFIL_MESSAGE_KEY_ALSO"}
    assert all(re.fullmatch(r"\$\{FULFIL_\w+:\?.+\}", secrets[name]) for name in must)
    assert secrets["FULFIL_MESSAGE_KEY"] == "${FULFIL_MESSAGE_KEY:-}"
    for service in raw.values():
        assert (
            ":" not in (service.get("environment") or {}).get("FULFIL_DATABASE_URL", "").split("://")[-1].split("@")[0]
        )


def test_what_faces_outside_is_not_where_redis_and_the_ledger_are_alone() -> None:
    networks = yaml.safe_load(COMPOSE)["networks"]
    assert networks["inside"] == {"internal": True}
    on = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert {name for name, found in on.items() if found == {"inside"}} == {"redis", "postgres", "beat"}
    assert {name for name, found in on.items() if "facing" in found} == {
        name for name, service in SERVICES.items() if "ports" in service
    }
    assert {name for name, found in on.items() if "outward" in found} == {"migrate", "worker", "confirm", "sandbox"}


def test_only_what_sends_and_reads_has_the_accounts_and_the_ledger() -> None:
    given = {name for name, service in SERVICES.items() if "env_file" in service}
    assert given == {"migrate", "worker", "confirm", "hooks"}
    for name, service in SERVICES.items():
        assert (name in given) == ("FULFIL_DATABASE_URL" in service.get("environment", {}))
        assert (name in given) == ("home:/var/lib/fulfil" in service.get("volumes", []))


def test_no_command_line_shows_a_password(stack: Stack) -> None:
    lines = [Path(f"/proc/{process.pid}/cmdline").read_bytes() for process in stack.processes.values()]
    secrets = [value.encode() for name, value in ENVIRONMENT_FILE.items() if re.search("PASSWORD|SECRET|TOKEN", name)]
    assert [line for line in lines for secret in secrets if secret in line] == []


def test_the_commands_are_those_of_fulfil_up() -> None:
    known = commands(Settings(_env_file=None, flower_address="0.0.0.0", flower_port=5555))
    for ours, theirs in {"worker": "place", "confirm": "confirm", "beat": "beat", "flower": "flower"}.items():
        expected = known[theirs][2:]  # without `python -m`
        command = SERVICES[ours]["command"]
        assert command[: len(expected)] == expected
        assert set(command[len(expected) :]) <= {"--schedule", "/tmp/beat-schedule"}


def test_the_image_is_locked_and_belongs_to_nobody() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) == 2
    assert len(set(stages)) == 1
    assert "--require-hashes -r requirements.txt" in DOCKERFILE
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert image_environment()["PYTHONPATH"] == "/app"
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / name).exists() for name in source.split())


def test_nothing_private_gets_into_the_image() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert "*" in rules
    assert kept == {"pyproject.toml", "README.md", "LICENSE", "requirements.txt", "config", "worker", "tasks"}


# What its commands do


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Start the services in their own order, each as soon as what it waits for is as it wants it."""
    folder = Path(tempfile.mkdtemp(prefix="fulfil-compose-", dir="/tmp"))
    running = Stack(folder, postgres_bin())
    try:
        for name in ("redis", "postgres"):
            running.start(name)
            running.wait_healthy(name)
        assert running.start("migrate").wait(60) == 0, running.log("migrate")
        del running.processes["migrate"]
        for name in ("sandbox", "worker", "confirm", "beat", "flower", "hooks"):
            running.start(name)
        yield running
    finally:
        running.end()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", ["redis", "postgres", "sandbox", "worker", "confirm", "beat", "flower", "hooks"])
def test_a_service_becomes_healthy(stack: Stack, name: str) -> None:
    stack.wait_healthy(name)


def test_a_beat_that_writes_no_more_is_not_healthy(stack: Stack) -> None:
    stack.wait_healthy("beat")
    written = {path: path.stat() for path in stack.temporary.glob("beat-schedule*")}
    for path, now in written.items():
        os.utime(path, (now.st_atime - 360, now.st_mtime - 360))
    assert not stack.check("beat")
    for path, now in written.items():
        os.utime(path, (now.st_atime, now.st_mtime))
    assert stack.check("beat")


def test_an_order_goes_from_a_file_to_confirmed(stack: Stack) -> None:
    line = json.dumps(job("SO-1001")).encode()
    submitted = stack.run("fulfil", "submit", "-", "--json", stdin=line)
    assert submitted.returncode == 0, submitted

    def confirmed() -> bool:
        shown = json.loads(stack.run("fulfil", "show", "SO-1001", "--json").stdout)
        return bool(shown["state"] == "confirmed" and shown["result"])

    until("SO-1001 to be confirmed", confirmed, 60)
    made = httpx.get(f"http://127.0.0.1:{stack.ports['sandbox']}/_sandbox/orders", trust_env=False).json()
    assert [order["key"] for order in made] == ["SO-1001"]


def test_a_producer_needs_nothing_but_redis(stack: Stack) -> None:
    block = re.search(r"<!-- message -->\n```json\n(.*?)```", (ROOT / "docs" / "jobs.md").read_text(), re.DOTALL)
    assert block
    message = json.loads(block[1])
    message["body"] = json.dumps([[], {"jobs": [job("SO-1003")]}, {}])
    with redis.Redis(port=stack.ports["redis"]) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.lpush("admin", json.dumps(message))
    with redis.Redis(port=stack.ports["redis"], password=ENVIRONMENT_FILE["FULFIL_REDIS_PASSWORD"]) as client:
        client.lpush("admin", json.dumps(message))
    until("SO-1003 in the ledger", lambda: stack.run("fulfil", "show", "SO-1003").returncode == 0, 30)


def test_a_person_speaks_through_flowers_api(stack: Stack) -> None:
    stack.wait_healthy("flower")
    url = f"http://127.0.0.1:{stack.ports['flower']}/api/task"
    login = tuple(ENVIRONMENT_FILE["FULFIL_FLOWER_BASIC_AUTH"].split(":"))
    with httpx.Client(auth=(login[0], login[1]), trust_env=False) as client:
        assert (
            httpx.post(f"{url}/async-apply/admin.retry", json={"args": ["SO-1001"]}, trust_env=False).status_code == 401
        )
        sent = client.post(f"{url}/async-apply/admin.retry", json={"args": ["SO-NONE"]})
        assert sent.status_code == 200, sent.text

        def told() -> str | None:
            answer = client.get(f"{url}/info/{sent.json()['task-id']}")
            return str(answer.json()["result"]) if answer.status_code == 200 and answer.json()["result"] else None

        assert "no order SO-NONE in the ledger" in until("the task's answer in Flower", told, 30)


def test_doctor_finds_nothing_wrong(stack: Stack) -> None:
    stack.wait_healthy("worker")
    stack.wait_healthy("confirm")
    done = stack.run("fulfil", "doctor", "--json")
    assert done.returncode == 0, done
    said = {check["name"]: check["said"] for check in json.loads(done.stdout)}
    assert "confirm@" in said["workers"]
    assert "place@" in said["workers"]
    assert ENVIRONMENT_FILE["FULFIL_POSTGRES_PASSWORD"] not in done.stdout.decode()


@pytest.mark.parametrize("name", ["flower", "hooks", "beat", "worker", "confirm", "sandbox", "postgres", "redis"])
def test_a_service_stops_on_sigterm(stack: Stack, name: str) -> None:
    # The last of the file: the later services are stopped first, as docker-compose does it.
    started = time.monotonic()
    code = stack.stop(name)
    assert code == 0, stack.log(name)
    assert "Traceback" not in stack.log(name)
    assert time.monotonic() - started < STOP_SECONDS
    if name != "beat":  # whose check reads a file that is gone with its container
        assert not stack.check(name)


def test_nothing_was_written_where_the_container_is_read_only(stack: Stack) -> None:
    assert list((stack.folder / "work").iterdir()) == []
