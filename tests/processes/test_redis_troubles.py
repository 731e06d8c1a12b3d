"""Whatever is wrong with Redis is told as what it is; what is wrong with its address, before anything is taken in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

from tests.harness import Answer, Shop, job
from tests.processes.redis_server import redis_server
from tests.running import free_port

ADDRESSES = [
    ("redis://:se@cr/et#9@127.0.0.1:6379/0", "%40"),
    ("redis://127.0.0.1:6379/0?password=x", "no options"),
    ("redis://127.0.0.1:6379/0?protocol=3", "no options"),
    ("redis://127.0.0.1:6379/zero", "number of a database"),
    ("rediss://127.0.0.1:6379/0?ssl_cert_reqs=perhaps", "ssl_cert_reqs"),
    ("unix:///tmp/there-is-none/redis.sock", "socket"),
    ("unix://", "unix:///"),
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path) as made:
        made.make_ledger()
        yield made


def submit(shop: Shop, url: str) -> Answer:
    return shop.cli("submit", "-", stdin=json.dumps(job("SO-1")).encode(), redis_url=url)


def said_of(shop: Shop, url: str, name: str = "redis") -> tuple[int, str]:
    """Return how `doctor` ended and what it said of a part, after a look that it told no traceback."""
    answer = shop.cli("doctor", "--json", redis_url=url)
    assert answer.err == "", answer
    checks = {check["name"]: check for check in answer.json()}
    assert not checks[name]["ok"]
    return answer.code, checks[name]["said"]


def one_sentence(answer: Answer, code: int) -> str:
    assert answer.code == code, answer
    (line,) = answer.err.splitlines()
    assert line.startswith("fulfil: ")
    return line


@pytest.mark.parametrize(("url", "words"), ADDRESSES)
def test_an_address_that_is_wrong_is_told_before_anything_is_taken(shop: Shop, url: str, words: str) -> None:
    said = one_sentence(submit(shop, url), 2)
    assert "FULFIL_REDIS_URL" in said
    assert words in said
    assert "se@cr" not in said
    assert "et#9" not in said
    assert shop.cli("list", "--json").json() == []


def test_a_wrong_password_is_told_as_that(shop: Shop, tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis", password="right") as port:
        for url, words in (
            (f"redis://:hush-hush@127.0.0.1:{port}/0", "does not take the user or the password"),
            (f"redis://127.0.0.1:{port}/0", "wants a password"),
        ):
            said = one_sentence(submit(shop, url), 2)
            assert words in said
            assert "hush-hush" not in said
            assert shop.cli("list", "--json").json() == []
            assert said_of(shop, url)[0] == 2
            assert words in said_of(shop, url)[1]
        shop.environment["FULFIL_REDIS_URL"] = f"redis://:hush-hush@127.0.0.1:{port}/0"
        shop.start("confirm")
        process = shop.processes["confirm"]
        shop.until("the worker to end", lambda: process.poll() is not None)
        assert process.returncode == 2
        assert "does not take the user or the password" in shop.log("confirm")
        assert "Traceback" not in shop.log("confirm")


def test_a_password_of_any_signs_works_where_it_is_written_as_told(shop: Shop, tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis", password="se@cr/et#9") as port:
        answer = submit(shop, f"redis://:{quote('se@cr/et#9', safe='')}@127.0.0.1:{port}/0")
        assert answer.code == 0, answer
        with redis.Redis(port=port, password="se@cr/et#9") as client:
            assert client.llen("place.main") == 1


def test_a_socket_works(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "redis" / "s"
    with redis_server(tmp_path / "redis", "--unixsocket", str(path)) as port:
        answer = submit(shop, f"unix://{path}?db=3")
        assert answer.code == 0, answer
        with redis.Redis(port=port, db=3) as client:
            assert client.llen("place.main") == 1


def test_a_read_only_replica_is_told_and_the_orders_are_kept(shop: Shop, tmp_path: Path) -> None:
    with (
        redis_server(tmp_path / "first") as first,
        redis_server(tmp_path / "second", "--replicaof", f"127.0.0.1 {first}") as port,
    ):
        url = f"redis://127.0.0.1:{port}/0"
        code, said = said_of(shop, url)
        assert (code, "read-only replica" in said) == (3, True), said
        assert "the orders are kept" in one_sentence(submit(shop, url), 3)


def test_a_full_server_is_told_and_the_orders_are_kept(shop: Shop, tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis", "--maxmemory", "1", "--maxmemory-policy", "noeviction") as port:
        url = f"redis://127.0.0.1:{port}/0"
        code, said = said_of(shop, url)
        assert (code, "full (maxmemory)" in said) == (3, True), said
        assert "the orders are kept" in one_sentence(submit(shop, url), 3)


def test_a_cluster_is_refused(shop: Shop, tmp_path: Path) -> None:
    # By default its bus has a port 10,000 higher, which may be none.
    options = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    with redis_server(tmp_path / "redis", *options) as port:
        url = f"redis://127.0.0.1:{port}/0"
        code, said = said_of(shop, url)
        assert (code, "Redis Cluster" in said) == (2, True), said
        assert "Redis Cluster" in one_sentence(submit(shop, url), 2)
        assert shop.cli("list", "--json").json() == []


def test_a_server_that_cannot_save_is_told(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    with redis_server(folder) as port, redis.Redis(port=port) as client:
        client.set("a", 1)
        client.config_set("save", "3600 1")
        (folder / "dump.rdb").mkdir()
        with pytest.raises(redis.ResponseError):
            client.save()
        client.bgsave()
        shop.until("the save to fail", lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        code, said = said_of(shop, f"redis://127.0.0.1:{port}/0")
        assert (code, "MISCONF" in said) == (3, True), said


def test_plain_and_tls_mixed_up_is_told(shop: Shop, tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as port:
        code, said = said_of(shop, f"rediss://127.0.0.1:{port}/0")
        assert (code, "TLS" in said) == (2, True), said


def test_a_certificate_nobody_trusts_is_told_and_one_that_is_named_works(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    key, certificate = folder / "key.pem", folder / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run(
        [*made, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no")
    with redis_server(folder, *files, tls=True) as port:
        code, said = said_of(shop, f"rediss://127.0.0.1:{port}/0")
        assert (code, "certificate is not trusted" in said) == (2, True), said
        code, said = said_of(shop, f"redis://127.0.0.1:{port}/0")
        assert (code, "begins with rediss://" in said) == (2, True), said
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}"
        assert submit(shop, url).code == 0
        with redis.Redis(port=port, ssl=True, ssl_ca_certs=str(certificate)) as client:
            assert client.llen("place.main") == 1


def test_nobody_there_is_away(shop: Shop) -> None:
    url = "redis://127.0.0.1:1/0"
    code, said = said_of(shop, url)
    assert (code, "does not answer" in said) == (3, True), said
    assert "the orders are kept" in one_sentence(submit(shop, url), 3)
