"""The logs of a home: bounded, read together in the order of time, followed over a shortening."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from config import log_files
from config.log_files import Line


def write(home: Path, program: str, *lines: str) -> None:
    with log_files.open_log(log_files.folder(home), program) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def test_last_lines_of_all_programs_stand_in_the_order_of_their_times(tmp_path: Path) -> None:
    write(tmp_path, "place", "2026-11-26T10:00:01Z WARNING a: first", "  its second line", "2026-11-26T10:00:05Z x")
    write(tmp_path, "beat", "2026-11-26T10:00:03Z ERROR b: between")
    told = log_files.last(log_files.programs(tmp_path), 50)
    assert [line.program for line in told] == ["place", "place", "beat", "place"]
    assert log_files.last(log_files.programs(tmp_path), 2) == told[-2:]
    assert log_files.last(log_files.programs(tmp_path), 0) == []


def test_the_embedded_redis_is_one_of_them_with_its_own_form_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "place", "2026-11-26T10:00:02Z WARNING a: later")
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "redis.log").write_text("7:M 26 Nov 2026 10:00:01.123 * Ready to accept connections\n")
    monkeypatch.setenv("TZ", "UTC")
    told = log_files.last(log_files.programs(tmp_path), 50)
    assert [line.program for line in told] == ["redis", "place"]


def test_a_log_that_grew_too_long_is_moved_aside_while_its_program_writes_on(tmp_path: Path) -> None:
    logs = log_files.folder(tmp_path)
    with log_files.open_log(logs, "place") as program:
        for round_ in range(5):
            program.write(b"".join(b"%d line %d\n" % (round_, number) for number in range(100)))
            log_files.shorten(logs, most_bytes=500)
        program.write(b"the end\n")
    assert (logs / "place.log").read_text() == "the end\n"
    assert (logs / "place.log.1").read_text().startswith("4 line 0\n")
    assert {path.stat().st_mode & 0o777 for path in logs.iterdir() if path.suffix == ".1"} == {0o600}
    assert [line.text for line in log_files.last(log_files.programs(tmp_path), 2)] == ["4 line 99", "the end"]
    assert log_files.programs(tmp_path).keys() == {"place"}


def test_following_begins_at_the_places_given_and_survives_a_shortening(tmp_path: Path) -> None:
    write(tmp_path, "place", "old")
    paths = log_files.programs(tmp_path)
    places = log_files.ends(paths)
    write(tmp_path, "place", "new", "newer")
    follower = log_files.follow(paths, places, lambda: False)
    assert list(islice(follower, 2)) == [Line("place", "new"), Line("place", "newer")]
    log_files.shorten(log_files.folder(tmp_path), most_bytes=5)
    write(tmp_path, "place", "a")
    assert next(follower) == Line("place", "a")


def test_half_a_line_is_waited_for(tmp_path: Path) -> None:
    write(tmp_path, "place")
    paths = log_files.programs(tmp_path)
    looks = iter([False, False, True])
    (log_files.folder(tmp_path) / "place.log").write_bytes(b"whole\nhal")
    assert list(log_files.follow(paths, {"place": 0}, lambda: next(looks))) == [Line("place", "whole")]


def test_a_log_that_cannot_be_written_fails_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    log_files.note(log_files.folder(tmp_path), "up", "something")
