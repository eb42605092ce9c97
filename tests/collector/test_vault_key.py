"""Where the vault's key comes from, and what is refused in which words."""

import base64
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from spanward.collector.command import CommandError
from spanward.collector.settings import settings_from
from spanward.collector.vault.key import OWN, VaultSettings, keys, parsed

KEY = bytes(range(200, 232))
BASE64 = base64.b64encode(KEY).decode()


@pytest.mark.parametrize(
    "text",
    [BASE64, BASE64.rstrip("="), BASE64 + "\n", base64.urlsafe_b64encode(KEY).decode(), KEY.hex(), KEY.hex().upper()],
)
def test_forms_of_a_key(text: str) -> None:
    assert parsed(text, "here") == KEY


@pytest.mark.parametrize(
    "text", ["", "secret", BASE64[:-4], KEY.hex()[:-2], base64.b64encode(KEY + b"x").decode(), "ä" * 44, BASE64 + " x"]
)
def test_what_is_no_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(CommandError) as told:
        parsed(text, "here")
    assert str(told.value) == "here: a key is 32 bytes in base64 or hexadecimal: openssl rand -base64 32"


def test_the_own_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    made = keys(VaultSettings(), tmp_path, {})
    assert (made.source, keys(VaultSettings(), tmp_path, {})) == ("own", made)
    assert stat.S_IMODE((tmp_path / OWN).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [OWN]
    assert made.master.hex() not in repr(made)
    assert str(made.master) not in repr(made)


def test_each_tenant_may_have_a_key_and_no_child_process_gets_one(tmp_path: Path) -> None:
    environment = {
        "SPANWARD_VAULT_KEY": BASE64,
        "SPANWARD_VAULT_KEY_ACME_EU": bytes(32).hex(),
        "PATH": "kept",
    }
    found = keys(VaultSettings(), tmp_path, environment)
    assert (found.source, found.of("default"), found.of("acme-eu")) == ("environment", KEY, bytes(32))
    assert environment == {"PATH": "kept"}
    assert list(tmp_path.iterdir()) == []


def test_a_file_named_relative_to_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("vault: { key_file: secret/key, ttl_s: 60 }\n")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text(BASE64 + "\n")
    settings = settings_from(tmp_path / "config.yaml", {}).vault
    found = keys(settings, tmp_path, {})
    assert (found.source, found.master, settings.ttl_s) == ("file", KEY, 60)


def command(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_command_without_a_shell(tmp_path: Path) -> None:
    told = VaultSettings(key_command=command(f"print('{BASE64}')"))
    assert (keys(told, tmp_path, {}).source, keys(told, tmp_path, {}).master) == ("command", KEY)
    assert keys(VaultSettings(key_command=f"echo '{BASE64}'"), tmp_path, {}).master == KEY


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"key_file": "/nowhere/key"}, "vault.key_file /nowhere/key: No such file or directory"),
        ({"key_command": ["/nowhere/command"]}, "vault.key_command /nowhere/command: No such file or directory"),
        (
            {"key_command": command("import sys; sys.exit('sealed: no token')")},
            f"vault.key_command {sys.executable}: ended with 1: sealed: no token",
        ),
        (
            {"key_command": command("print('short')")},
            f"vault.key_command {sys.executable}: a key is 32 bytes in base64 or hexadecimal: openssl rand -base64 32",
        ),
        ({"key_command": "echo $HOME"}, "vault.key_command echo: a key is 32 bytes"),
    ],
)
def test_what_does_not_give_a_key_says_so(tmp_path: Path, told: dict[str, Any], says: str) -> None:
    with pytest.raises(CommandError) as refused:
        keys(VaultSettings(**told), tmp_path, {})
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("vault: { key_file: a, key_command: b }", "not both"),
        ("vault: { ttl: 60 }", "vault.ttl"),
        ("vault: { ttl_s: 0 }", "vault.ttl_s"),
        ("vault: [a]", "vault"),
    ],
)
def test_the_section_is_checked(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(CommandError, match=says):
        settings_from(tmp_path / "config.yaml", {})
