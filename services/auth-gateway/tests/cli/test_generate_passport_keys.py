"""The command that generates a key pair for passports."""

import pytest

from auth_gateway.cli.generate_passport_keys import main
from devkit.platform.keys import derive_passport_keys


def generate(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    main()
    lines = capsys.readouterr().out.splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_the_output_is_a_matching_pair_of_settings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pair = generate(capsys)

    assert set(pair) == {"PASSPORT_PRIVATE_KEY", "PASSPORT_PUBLIC_KEYS"}
    assert derive_passport_keys(pair["PASSPORT_PRIVATE_KEY"]).public == pair["PASSPORT_PUBLIC_KEYS"]


def test_every_pair_is_different(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(capsys) != generate(capsys)
