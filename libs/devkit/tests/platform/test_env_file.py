"""The file `.env` has one meaning for `make run` and for Docker Compose, or is rejected."""

from pathlib import Path

import pytest

from devkit.platform.env_file import EnvFileError, read_env_file

ACCEPTED = {
    "": {},
    "# A comment\n\n  # Another\n": {},
    "A=1\nB=\n": {"A": "1", "B": ""},
    "A=1\r\nB=2\r\n": {"A": "1", "B": "2"},
    "\ufeffA=1": {"A": "1"},
    "export A=1": {"A": "1"},
    "A=1\nA=2": {"A": "2"},
    "A=two words  ": {"A": "two words"},
    "A=1 # a comment": {"A": "1"},
    "A=1#2": {"A": "1#2"},
    "A='a$b ${c} # d'": {"A": "a$b ${c} # d"},
    'A="two # words" # a comment': {"A": "two # words"},
    "A=postgresql://a:b%24c@d/e?f=g&h=i": {"A": "postgresql://a:b%24c@d/e?f=g&h=i"},
    "A=Grüße": {"A": "Grüße"},
}

REJECTED = [
    "A=secret$word",
    "A=${secret}",
    "A=secret$$word",
    'A="secret$word"',
    'A="secret\\nword"',
    "A='secret\\word'",
    "A=secret\\word",
    "A=secret'word",
    'A=secret"word',
    "A=secret`word`",
    "A='secret",
    'A="secret\nword"',
    "A='secret'word",
    "A = secret",
    "A =secret",
    "A= secret",
    "A=#secret",
    "A=secret\t# a comment",
    "A: secret",
    "A",
    "a-b=secret",
    "1A=secret",
    "=secret",
    "A=secret\x00",
    "A=secret\u200b",
    "A=secret\rB=1",
    "\n{json: secret}",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_line_with_one_meaning_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / ".env"
    file.write_text(text, "utf-8", newline="")

    assert read_env_file(file) == ACCEPTED[text]


@pytest.mark.parametrize("text", REJECTED)
def test_a_line_with_two_meanings_is_rejected_in_one_sentence_without_its_value(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / ".env"
    file.write_text(f"FIRST=1\n{text}\n", "utf-8", newline="")

    with pytest.raises(EnvFileError, match=r"\.env, line [23]: ") as raised:
        read_env_file(file)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_text_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff")

    with pytest.raises(EnvFileError, match=r"is not UTF-8 text"):
        read_env_file(file)
    with pytest.raises(EnvFileError, match=r"cannot be read: "):
        read_env_file(tmp_path)
