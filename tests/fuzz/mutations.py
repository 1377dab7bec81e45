"""What can happen to a file: bits flip, parts are lost, doubled or swapped, numbers become others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import yaml

Mutation = Callable[[Random, bytes], bytes]

_HEAD = 256  # bytes, where headers mostly lie


def _place(random: Random, data: bytes) -> int:
    """Every other time in the head, which matters most."""
    return random.randrange(max(1, min(len(data), _HEAD) if random.random() < 0.5 else len(data)))


def _part(random: Random, data: bytes) -> slice:
    start = _place(random, data)
    return slice(start, start + random.choice((1, 2, 4, 8, 12, 16, 100, 1000)))


def _bits(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8, 50))):
        changed[_place(random, data)] ^= 1 << random.randrange(8)
    return bytes(changed)


def _run(random: Random, data: bytes) -> bytes:
    part = _part(random, data)
    kind = random.randrange(3)
    size = len(data[part])
    return data[: part.start] + (b"\0" * size, b"\xff" * size, random.randbytes(size))[kind] + data[part.stop :]


def _number(random: Random, data: bytes) -> bytes:
    """Replace the number that a header may hold there."""
    size = random.choice((1, 2, 4, 4, 8))
    most = 256**size - 1
    value = random.choice((0, 1, 2, most, most // 2, most // 2 + 1, random.randint(0, most), random.randint(0, 300)))
    start = _place(random, data)
    written = min(value, most).to_bytes(size, random.choice(("little", "big")))
    return data[:start] + written + data[start + size :]


def _cut(random: Random, data: bytes) -> bytes:
    return data[: _place(random, data)]


def _lost(random: Random, data: bytes) -> bytes:
    part = _part(random, data)
    return data[: part.start] + data[part.stop :]


def _inserted(random: Random, data: bytes) -> bytes:
    start = _place(random, data)
    return data[:start] + random.randbytes(random.choice((1, 2, 4, 100))) + data[start:]


def _doubled(random: Random, data: bytes) -> bytes:
    part = _part(random, data)
    return data[: part.stop] + data[part] * random.choice((1, 2, 10)) + data[part.stop :]


def _swapped(random: Random, data: bytes) -> bytes:
    one, other = sorted(random.sample(range(len(data) + 2), 2))
    size = min(random.choice((1, 4, 16, 500)), other - one)
    return data[:one] + data[other : other + size] + data[one + size : other] + data[one : one + size] + data[
        other + size :
    ]  # fmt: skip


def binary(random: Random, data: bytes) -> bytes:
    """Damage any content in one to three ways."""
    ways = (_bits, _run, _number, _number, _cut, _lost, _inserted, _doubled, _swapped)
    for _ in range(random.choice((1, 1, 2, 3))):
        data = random.choice(ways)(random, data) if data else data
    return data


# ---- text

_DEEP = 20_000
_VALUES = (
    *("", "0", "1", "-1", "0.5", "-0.0", "1e999", "nan", ".nan", "NaN", "Infinity", "-.inf", "1_000", "0x10", "1:30"),
    *("9" * 400, "9" * 5000, "0." + "3" * 5000, "null", "~", "true", "yes", "[]", "{}", '""', "''", "x" * 100_000),
    *("2024-01-01", "2024-13-99", "2001-12-14T21:59:43.10-05:00", "!!float abc", "!!int x", "!!binary =", "!!set {a}"),
    *("!!python/object/apply:os.getcwd []", "!!timestamp x", "&a [*a]", "*nowhere", "&a {<<: *a}", "<<", "? [a, b]"),
    *("[" * _DEEP, "{a: " * _DEEP, '{"a":' * _DEEP, "[" * _DEEP + "]" * _DEEP, "- " * _DEEP),
    *(
        "\0",
        "\ufeff",
        "\ud800",
        "\\ud800",
        '"\\ud800"',
        "\x1b[2J",
        "../../x",
        "/etc/passwd",
        "a\nb",
        "\t",
        ":",
        '"',
        "'",
    ),
    *(
        ":",
        '"',
        "'",
        "- a\n- b",
        "{a: 1, a: 2}",
        "[1, 2, 3]",
        '{"a": [1]}',
        "é",
        "%",
        "|",
        ">",
        "@",
        "`",
        "---",
        "...",
        ",",
    ),
)


def _bomb() -> str:
    """Nine levels of nine aliases: a gigabyte where they are written out."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(levels) + "\n"


def _token(random: Random, text: str) -> str:
    """Replace a value: what stands between two of the signs that separate them."""
    start = random.randrange(len(text) + 1)
    while start < len(text) and text[start] in " \n,:[]{}":
        start += 1
    end = start
    while end < len(text) and text[end] not in "\n,[]{}":
        end += 1
    while start > 0 and text[start - 1] not in " \n,:[]{}":
        start -= 1
    return text[:start] + random.choice(_VALUES) + text[end:]


def _line(random: Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    place, other = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(4)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(other, lines[place])
    elif kind == 2:
        lines[place], lines[other] = lines[other], lines[place]
    else:
        lines[place] = random.choice((" ", "  ", "- ", "#", "\t")) + lines[place]
    return "".join(lines)


def _pasted(random: Random, text: str) -> str:
    start = random.randrange(len(text) + 1)
    return text[:start] + random.choice(_VALUES) + text[start:]


def _whole(random: Random, text: str) -> str:
    """Put something else in the place of all of it, or before it."""
    other = random.choice((*_VALUES, _bomb()))
    return other + random.choice(("", "\n" + text))


def textual(random: Random, data: bytes) -> bytes:
    """Damage text in one to three ways, seldom as if it were none."""
    if random.random() < 0.15:
        return binary(random, data)
    text = data.decode()
    for _ in range(random.choice((1, 1, 2, 3))):
        text = random.choice((_token, _token, _token, _token, _line, _line, _pasted, _whole))(random, text)
    return text.encode(errors="surrogatepass")


# ---- documents: still YAML or JSON, but of another shape or with other values

_OTHERS: tuple[Any, ...] = (
    *(None, True, 0, -1, 3, 0.5, -0.5, 1e300, 2**63 - 1, "", "x", "a\nb", "../../x", "2024-01-01", "x" * 100_000),
    *([], [None], [1, 2], [[1]], ["x", 1], {}, {"x": 1}, {"x": {"x": []}}, [{}], {"clips": 3}),
)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Return all (container, key) of a tree."""
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        for key in each.keys() if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ():
            yield each, key
            waiting.append(each[key])


def _reshaped(random: Random, tree: Any) -> Any:
    top = [tree]
    # What few places lead to is hit as often as what many do.
    within, key = random.choice(list(_places(top))[: random.choice((1, 9, 99, 9999))])
    kind = random.randrange(6)
    if kind == 0 and within is not top:
        del within[key]
    elif kind == 1 and isinstance(within, dict):
        within[random.choice((f"{key}x", "x", ""))] = within.pop(key)
    elif kind == 2:
        within[key] = random.choice(([within[key]], {"x": within[key]}, str(within[key])))
    else:
        within[key] = random.choice(_OTHERS)
    return top[0]


def document(random: Random, data: bytes) -> bytes:
    """Damage JSON or YAML, as text or in what it holds."""
    if random.random() < 0.4:
        return textual(random, data)
    is_json = data.startswith((b"{", b"["))
    tree = json.loads(data) if is_json else yaml.load(data, yaml.CSafeLoader)
    for _ in range(random.choice((1, 1, 2))):
        tree = _reshaped(random, tree)
    if is_json:
        return json.dumps(tree, indent=1).encode()
    return bytes(yaml.dump(tree, Dumper=_Plain, sort_keys=False, encoding="utf-8"))


class _Plain(yaml.CSafeDumper):  # type: ignore[misc]
    """Without aliases, which the product refuses before it looks further."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
