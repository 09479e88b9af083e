"""A page of TOML that people wrote: values that know their line, and mistakes told in words.

tomllib says what a page means and not where it says it, so the lines are found here. Every reader
of a value raises `Wrong` with a sentence for somebody who has never seen TOML. Nothing here knows
what a page is for.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar


class Mistake(NamedTuple):
    """One thing to put right. line: counted from 1, as editors do."""

    line: int
    says: str


class PageErrors(Exception):
    """A page that will not do: every mistake found, in the order of the page."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(f"line {m.line}: {m.says}" for m in mistakes))
        self.mistakes = mistakes


_PLAIN = {
    "Unterminated string": "a text begins here or above and does not end; it needs its closing"
    " quotation mark.",
    "Invalid value": 'words stand in straight quotation marks, numbers without: title = "Hello",'
    " turn_s = 60; yes and no are true and false.",
    "Expected '='": 'write a word, an equals sign and a value: title = "Hello".',
    "Cannot overwrite a value": "something is written twice; keep one of the two.",
    "Expected newline": "one line holds one word = value; begin the next on a new line.",
    "Expected ']]'": "a phase begins with [[phase]], two brackets on either side.",
    "Unclosed array": "a list begins with [ and needs its closing ].",
    "Unescaped '\\'": "a backslash means something special here; write it twice.",
    "Illegal character": "there is a character here that cannot stand in such a text; a text of"
    ' several lines begins and ends with """.',
}


def load(text: str) -> dict[str, Any]:
    """The TOML in this text. Raises PageErrors with one mistake: tomllib stops at the first."""
    last = text.rstrip("\n").count("\n") + 1
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = str(error)
        found = re.search(r"\(at line (\d+)", told)
        line = min(int(found[1]), last) if found else last
        plain = next((says for start, says in _PLAIN.items() if told.startswith(start)), None)
        says = f"This line cannot be read: {plain or told.partition(' (at')[0] + '.'}"
    except (ValueError, RecursionError):
        line, says = 1, "The file cannot be read: a number is too long or lists are too deep."
    raise PageErrors((Mistake(line, says),))


class Statement(NamedTuple):
    """A header or a `key = value` without its comments, and the line it begins on."""

    line: int
    text: str


_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")'
    r"|'''.*?'''(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|.",
    re.DOTALL,
)


def statements(text: str) -> Iterator[Statement]:
    """The headers and `key = value`s of a text that is known to be TOML, each with its line."""
    line, begun, depth, written = 1, 1, 0, ""
    for found in _TOKEN.finditer(text + "\n"):
        token = found[0]
        if token == "\n" and depth == 0:
            if written.strip():
                yield Statement(begun, written.strip())
            begun, written = line + 1, ""
        elif not token.startswith("#"):
            depth += (token in "[{") - (token in "]}")
            written += token
        line += token.count("\n")


class Wrong(Exception):
    """A value that will not do, in words."""


T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class Table:
    """One table of the file: its values, where each stands, and what is wrong with them."""

    def __init__(self, line: int, mistakes: list[Mistake]) -> None:
        self.values: dict[str, Any] = {}
        self.at: dict[str, Statement] = {}
        self._line = line
        self._mistakes = mistakes

    def unknown(self, known: Container[str]) -> list[str]:
        """The keys that mean nothing here."""
        return [key for key in self.values if key not in known]

    def take(self, key: str, read: Callable[[Any], T], default: T) -> T:
        """The value of a key; if it is wrong or missing, note that and go on with the default."""
        if key not in self.values:
            return default
        try:
            return read(self.values[key])
        except Wrong as wrong:
            self.wrong(key, str(wrong))
            return default

    def wrong(self, key: str, says: str) -> None:
        """Note a mistake about a key, and quote what is written there."""
        line, text = self.at.get(key, Statement(self._line, key))
        quoted = text.partition("\n")[0]
        quoted = quoted if len(quoted) <= 40 else quoted[:39] + "…"
        self._mistakes.append(Mistake(line, f"{quoted}: {says}"))

    def lacks(self, says: str) -> None:
        """Note what is missing, or wrong with the table as a whole."""
        self._mistakes.append(Mistake(self._line, says))


def near(key: str, known: Iterable[str]) -> str:
    """A question after the known word that is most like this one, or nothing."""
    found = get_close_matches(key, list(known), 1)
    return f" Did you mean {found[0]}?" if found else ""


# --- Values -------------------------------------------------------------------------------------


def text_of(longest: int, many_lines: bool = False) -> Callable[[Any], str]:
    """Reads words: not empty, and no longer than so many characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong('write words in quotation marks, like "Welcome".')
        lines = [line.replace("\t", " ").strip() for line in value.strip().split("\n")]
        text = "\n".join(lines)
        if not text:
            raise Wrong("this is empty; write something or leave the line out.")
        if len(lines) > 1 and not many_lines:
            raise Wrong("this must be on one line.")
        if any(unicodedata.category(c) in ("Cc", "Cs") and c != "\n" for c in text):
            raise Wrong("there is a character in it that cannot be shown.")
        if len(text) > longest:
            raise Wrong(f"this has {len(text)} characters; at most {longest} fit.")
        return text

    return read


def one_of(kind: type[E]) -> Callable[[Any], E]:
    """Reads one word of a fixed list."""

    def read(value: Any) -> E:
        if value not in [str(k) for k in kind]:
            raise Wrong(f"write one of {listed(kind)}.")
        return kind(value)

    return read


def listed(words: Iterable[str]) -> str:
    """Words to choose from, as one says them."""
    quoted = [f'"{word}"' for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def flag(value: Any) -> bool:
    """Reads yes or no."""
    if not isinstance(value, bool):
        raise Wrong("write true or false, without quotation marks.")
    return value


def duration(low_s: int, high_s: int, in_minutes: bool = False) -> Callable[[Any], int]:
    """Reads a length of time, in ms and whole seconds: a number in the key's own unit (seconds
    or minutes), or a text with the unit in it."""
    word, example = ("minutes", "5") if in_minutes else ("seconds", "180")

    def read(value: Any) -> int:
        number, unit = value, "min" if in_minutes else "s"
        if isinstance(value, str):
            written = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?) ?(s|min)", value.strip())
            number, unit = (float(written[1]), written[2]) if written else (None, "")
        if isinstance(number, bool) or not isinstance(number, int | float) or number != number:
            raise Wrong(f'write {word} as a number, like {example}, or like "180s" or "3min".')
        # Held within a day before rounding: TOML knows infinity.
        seconds = max(-1, min(number, 86_400)) * (60 if unit == "min" else 1)
        whole = round(seconds)
        if not low_s <= whole <= high_s:
            raise Wrong(f"this may be from {_spoken(low_s)} to {_spoken(high_s)}.")
        return whole * 1000

    return read


def _spoken(seconds: int) -> str:
    if seconds >= 7200:
        return f"{seconds // 3600} hours"
    return f"{seconds // 60} minutes" if seconds > 60 else f"{seconds} seconds"
