"""Passwords, tokens and names of home folders in what leaves the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_runtime.contract.messages import Failure
from model_runtime.contract.secrecy import failure_without_secrets, without_homes, without_secrets

TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWx"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at http://me:pw@host:80/x, not y", "at http://***@host:80/x, not y"),
        ("HTTPS://me:p@w@host/", "HTTPS://***@host/"),
        ("socks5h://token@host", "socks5h://***@host"),
        ("URL('https://me:p%40w@host/a@b')", "URL('https://***@host/a@b')"),
        ("two: http://a:b@c http://d:e@f.", "two: http://***@c http://***@f."),
        (f"Bearer {TOKEN}.", "Bearer ***."),
        ("{'authorization': 'Bearer abc.def-ghi', 'x': 1}", "{'authorization': '***', 'x': 1}"),
        ("Authorization: Basic bWU6cHc=\nAccept: *", "Authorization: ***\nAccept: *"),
        (
            "https://cdn/x?a=1&X-Amz-Signature=0123&Policy=ey_&Key-Pair-Id=K3'",
            "https://cdn/x?a=1&X-Amz-Signature=***&Policy=***&Key-Pair-Id=***'",
        ),
        (
            "ssh me@host.org, https://huggingface.co/a/b?download=true",
            "ssh me@host.org, https://huggingface.co/a/b?download=true",
        ),
    ],
)
def test_credentials_of_addresses_are_hidden(text: str, told: str) -> None:
    assert without_secrets(text) == told


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("HF_TOKEN", "not-of-the-usual-form", "not-of-the-usual-form"),
        ("UV_INDEX_OURS_PASSWORD", "opensesame", "opensesame"),
        ("AWS_SECRET_ACCESS_KEY", "opensesame", "opensesame"),
        ("https_proxy", "http://me:open/sesame@host", "open/sesame"),
        ("PIP_INDEX_URL", "https://me:open%2Fsesame@host/simple", "open/sesame"),
        ("UV_EXTRA_INDEX_URL", "https://a.org/x https://me:opensesame@host/x https://you:other-one@host", "opensesame"),
        ("HF_ENDPOINT", "https://opensesame@host", "opensesame"),
    ],
    ids=range(7),  # the name of a test stands in a variable, too
)
def test_values_of_variables_are_hidden_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, secret: str
) -> None:
    assert without_secrets(f"It said {secret!r}.") == f"It said {secret!r}."
    monkeypatch.setenv(name, value)
    assert without_secrets(f"It said {secret!r}.") == "It said '***'."
    failure = failure_without_secrets(Failure("internal", f"a {secret}", f"b {secret}", f"c {secret}"))
    assert failure == Failure("internal", "a ***", "b ***", "c ***")


def test_short_words_are_no_secrets_outside_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://me:a@host")
    assert without_secrets("true, a proxy: http://me:a@host") == "true, a proxy: http://***@host"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("File '/home/anna/x/y.py', line 1", "File '~/x/y.py', line 1"),
        ("/Users/anna/Library: /Users/Shared/x", "~/Library: /Users/Shared/x"),
        ("file:///home/anna/x, /home/anna", "file://~/x, ~"),
        ("/mnt/c/Users/anna/x and /var/home/anna/x", "~/x and ~/x"),
        ("https://host/home/page and ./home/x", "https://host/home/page and ./home/x"),
        (r"C:\Users\Anna B\AppData\x.py, C:\Users\Public\y", r"~\AppData\x.py, C:\Users\Public\y"),
        (r"'C:\\Users\\Anna\\x' and d:/users/anna/x", r"'~\\x' and ~/x"),
        (r"in C:\Users\Anna, see D:\x", r"in ~, see D:\x"),
    ],
)
def test_home_folders_are_shortened(text: str, told: str) -> None:
    assert without_homes(text) == told


def test_ones_own_home_is_shortened_wherever_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert without_homes(f"{tmp_path / 'x'} {tmp_path}-2 {tmp_path}") == f"{Path('~', 'x')} {tmp_path}-2 ~"
