"""The store of files that were sent: resumed at any byte, never wrong, never outside of its folder, never too large."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from model_runtime.contract import stored_files
from model_runtime.contract.messages import FileState, JobError, Photo, SendPart, StoredFile
from model_runtime.contract.stored_files import find, open_stored, photo_bytes, read_part, read_stored, receive, stored

posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes as POSIX has them")
DATA = bytes(range(256)) * 3 + b"the end"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store; nothing that was hashed before is remembered."""
    monkeypatch.setenv("DA3_FILES", str(tmp_path / "store"))
    monkeypatch.setattr(stored_files, "_hashes", {})
    return tmp_path / "store"


def named(data: bytes, path: str = "/elsewhere/clip.mp4") -> StoredFile:
    return StoredFile(hashlib.sha256(data).hexdigest(), len(data), path)


def send(file: StoredFile, data: bytes, size: int = 100) -> FileState:
    """All that is missing, in parts of `size` bytes."""
    state = find(file)
    while state.received < file.size:
        part = data[state.received : state.received + size]
        state = receive(SendPart(file, state.received, part))
    return state


def used_before(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def code_of(error: pytest.ExceptionInfo[JobError]) -> str:
    assert error.value.failure.sentence.endswith(".") and error.value.failure.advice
    return error.value.failure.code


def test_a_file_is_sent_in_parts_and_then_here(store: Path) -> None:
    file = named(DATA)
    assert find(file) == FileState(file.sha256, 0)
    with pytest.raises(JobError) as error:
        open_stored(file)
    assert code_of(error) == "file-missing"
    assert "clip.mp4" in error.value.failure.sentence
    assert send(file, DATA).received == len(DATA)
    assert open_stored(file) == store / file.sha256
    assert read_stored(file) == DATA
    assert photo_bytes(Photo("p", file=file)) == DATA
    assert sorted(os.listdir(store)) == [".lock", file.sha256]


def test_whatever_byte_it_was_cut_at_it_goes_on_from_there(store: Path) -> None:
    data = DATA[-100:]
    file = named(data)
    incomplete = store / f"{file.sha256}.incomplete"
    store.mkdir()
    for cut in range(len(data) + 1):
        incomplete.write_bytes(data[:cut])
        state = find(file)
        assert state.received == cut
        if cut < len(data):
            assert receive(SendPart(file, cut, data[cut:])).received == len(data)
        assert read_stored(file) == data
        (store / file.sha256).unlink()


def test_a_part_counts_only_where_the_last_one_ended() -> None:
    file = named(DATA)
    receive(SendPart(file, 0, DATA[:50]))
    for offset in (0, 49, 51, len(DATA) - 10):
        assert receive(SendPart(file, offset, b"x" * 10)).received == 50
    assert receive(SendPart(file, 50, DATA[50:])).received == len(DATA)
    assert receive(SendPart(file, 0, b"x")).received == len(DATA)
    assert read_stored(file) == DATA


def test_wrong_bytes_are_thrown_away_and_sent_anew(store: Path) -> None:
    file = named(DATA)
    receive(SendPart(file, 0, b"wrong"))
    with pytest.raises(JobError) as error:
        receive(SendPart(file, 5, DATA[5:]))
    assert code_of(error) == "hash-mismatch"
    assert os.listdir(store) == [".lock"]
    (store / f"{file.sha256}.incomplete").write_bytes(b"x" * len(DATA))
    assert find(file).received == 0
    (store / f"{file.sha256}.incomplete").write_bytes(b"x" * (len(DATA) + 1))
    assert find(file).received == 0
    send(file, DATA)
    assert read_stored(file) == DATA


def test_a_stored_file_that_was_damaged_is_not_used(store: Path) -> None:
    file = named(DATA)
    send(file, DATA)
    (store / file.sha256).write_bytes(DATA[:-1] + b"x")
    assert find(file).received == 0
    send(file, DATA)
    assert read_stored(file) == DATA


def test_the_sender_s_own_file_serves_where_it_is_the_same(tmp_path: Path, store: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(DATA)
    file = stored(film)
    assert file == named(DATA, str(film))
    assert find(file).received == len(DATA)
    assert open_stored(file) == film
    assert not store.exists()
    film.write_bytes(DATA[:-1] + b"x")  # another file of the same size
    assert find(file).received == 0
    with pytest.raises(JobError):
        read_stored(file)


def test_an_unchanged_film_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(DATA)
    os.utime(film, (1e9, 1e9))
    read: list[float] = []
    file = stored(film, read.append)
    assert read == [1.0]
    for _ in range(3):
        open_stored(file, read.append)
    assert read == [1.0]
    film.write_bytes(DATA[::-1])
    assert find(file, read.append).received == 0
    assert read == [1.0, 1.0]


@posix
def test_nothing_but_files_is_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * len(DATA))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(secret)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    paths = ["/dev/zero", str(tmp_path / "pipe"), str(tmp_path), str(tmp_path / "link"), str(tmp_path / "loop"), "a\0b"]
    for path in (*paths, "stored_files.py", "C:\\film.mp4", ""):
        assert find(named(DATA, path)).received == 0
        assert find(named(b"", path)).received == 0
    real = tmp_path / "film"
    real.write_bytes(DATA)
    (tmp_path / "good").symlink_to(real)
    assert find(named(DATA, str(tmp_path / "good"))).received == len(DATA)


def test_a_path_of_a_working_folder_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "film").write_bytes(DATA)
    monkeypatch.chdir(tmp_path)
    assert find(named(DATA, "film")).received == 0


@posix
def test_nothing_is_written_through_a_link(tmp_path: Path, store: Path) -> None:
    file, victim = named(DATA), tmp_path / "victim"
    victim.write_bytes(b"precious")
    store.mkdir()
    (store / f"{file.sha256}.incomplete").symlink_to(victim)
    with pytest.raises(JobError) as error:
        receive(SendPart(file, 0, DATA))
    assert code_of(error) == "folder-unusable"
    (store / f"{file.sha256}.incomplete").unlink()
    (store / file.sha256).symlink_to(victim)
    send(file, DATA)
    assert read_stored(file) == DATA
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "file",
    [
        StoredFile("../../etc/passwd", 4),
        StoredFile("A" * 64, 4),
        StoredFile("a" * 64 + "\n", 4),
        StoredFile("a" * 64, -1),
        StoredFile("a" * 64, 1 << 62),
    ],
)
def test_what_can_be_no_file_is_refused(file: StoredFile, store: Path) -> None:
    for ask in (lambda: find(file), lambda: open_stored(file), lambda: receive(SendPart(file, 0, b""))):
        with pytest.raises(JobError) as error:
            ask()
        assert code_of(error) == "bad-request"
    assert not store.exists()


def test_a_part_outside_of_its_file_is_refused() -> None:
    file = named(DATA)
    for offset, data in ((-1, b"x"), (len(DATA), b"x"), (0, DATA + b"x"), (1 << 60, b"")):
        with pytest.raises(JobError) as error:
            receive(SendPart(file, offset, data))
        assert code_of(error) == "bad-request"


def test_an_empty_file(tmp_path: Path) -> None:
    file = named(b"")
    assert find(file).received == 0
    assert read_stored(file) == b""
    with pytest.raises(JobError):
        open_stored(replace(file, sha256="a" * 64))


def test_a_full_disk_is_told_before_anything_is_written(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "free_bytes", lambda _: stored_files.SPARE_SPACE + len(DATA) - 1)
    with pytest.raises(JobError) as error:
        receive(SendPart(named(DATA), 0, DATA[:10]))
    assert code_of(error) == "no-space"
    assert os.listdir(store) == [".lock"]


def test_what_was_used_longest_ago_makes_room_but_nothing_in_use(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "STORE_BYTES", 3000)
    films = [bytes([i]) * 900 for i in range(5)]
    day = stored_files.IN_USE_SECONDS
    for i, film in enumerate(films[:3]):
        send(named(film), film)
        used_before(store / named(film).sha256, day * (5 - i))
    half = named(b"h" * 250)
    receive(SendPart(half, 0, b"h" * 200))
    used_before(store / f"{half.sha256}.incomplete", day * 9)
    assert open_stored(named(films[0]))  # used now
    send(named(films[3]), films[3])
    left = {name for name in os.listdir(store) if name != ".lock"}
    assert left == {named(films[i]).sha256 for i in (0, 2, 3)}
    os.utime(store / named(films[2]).sha256)
    send(named(films[4]), films[4])  # all are in use: the store grows
    assert len(os.listdir(store)) == 5


def test_a_part_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(DATA)
    file = stored(film)
    assert read_part(file, 100).data == DATA[100:]
    film.write_bytes(DATA[:-1])
    for gone in (False, True):
        if gone:
            film.unlink()
        with pytest.raises(JobError) as error:
            read_part(file, 0)
        assert code_of(error) == "file-missing"
        assert "film.mp4" in error.value.failure.sentence


def test_a_cancel_stops_adding_up_a_hash(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(DATA)

    def stop(_: float) -> None:
        raise JobError("cancelled", "The job was cancelled.")

    with pytest.raises(JobError, match="cancelled"):
        stored(film, stop)


SEND = """
import sys
from tests.model_runtime.contract.test_stored_files import named, send
data = bytes(range(256)) * 4000
send(named(data), data, 10_000)
"""


def test_two_who_send_the_same_file_at_once_do_not_spoil_it(store: Path) -> None:
    data = bytes(range(256)) * 4000
    commands = [subprocess.Popen([sys.executable, "-c", SEND]) for _ in range(2)]
    threads = [threading.Thread(target=send, args=(named(data), data, 7000)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [command.wait(60) for command in commands] == [0, 0]
    assert read_stored(named(data)) == data
    assert sorted(os.listdir(store)) == [".lock", named(data).sha256]
