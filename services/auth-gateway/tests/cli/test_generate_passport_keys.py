"""A new pair of keys, as an operator makes one."""

import pytest

from auth_gateway.cli.generate_passport_keys import main
from devkit.platform.keys import derive_passport_keys


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    main()
    return dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())


def test_a_new_pair_fits_and_is_spelled_as_the_settings_want_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pair = printed(capsys)

    assert set(pair) == {"PASSPORT_PRIVATE_KEY", "PASSPORT_PUBLIC_KEYS"}
    assert derive_passport_keys(pair["PASSPORT_PRIVATE_KEY"]).public == pair["PASSPORT_PUBLIC_KEYS"]


def test_no_pair_is_made_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys) != printed(capsys)
