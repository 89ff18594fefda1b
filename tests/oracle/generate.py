"""Mixed cases for the event rules, as JSON Lines: a record's bytes and what `rules` says of them.

    python3 tests/oracle/generate.py --seed 1 --count 20000
    python3 tests/oracle/generate.py --seed 1 --count 20000 --years 2020-2026 \\
        --types account:created,account:deleted,login
    python3 tests/oracle/generate.py --fields id,event_type,ts

The same seed gives the same lines. What is made here says nothing of its verdict, but for
`REFUSED`, whose makers are held to their reason by the tests.
"""

import argparse
import dataclasses
import json
import re
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from rules import READ, WHITE_SPACE, Refused, Settings, Verdict, judge, parse_types

LEVELS_FREE = (64, 128)


def main() -> None:
    arguments = read_arguments()
    first, _, last = arguments.years.partition("-")
    types = parse_types(arguments.types) if arguments.types else None
    fields = tuple(arguments.fields.split(","))
    settings = Settings(int(first), int(last), types, fields=fields)
    for data, verdict in cases(arguments.seed, arguments.count, settings):
        sys.stdout.write(json.dumps(line(data, verdict)) + "\n")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Cases for the event rules, as JSON Lines.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--years", default="1970-9999", help="as EVENT_YEARS: 2020-2026")
    parser.add_argument("--types", help="as EVENT_TYPES: account:created,account:deleted,login")
    parser.add_argument("--fields", default=",".join(READ), help="as EVENT_FIELDS: id,name,ts")
    return parser.parse_args()


def cases(seed: int, count: int, settings: Settings) -> Iterator[tuple[bytes, Verdict]]:
    random = Random(seed)
    made = 0
    while made < count:
        data = make(random)
        if settings.fields != READ and random.random() < 0.9:
            data = renamed(data, settings.fields)
        if is_decided(data, settings):
            yield data, judge(data, settings)
            made += 1


def renamed(data: bytes, fields: tuple[str, ...]) -> bytes:
    """Where a field is spelled plainly, it has another name; what has escapes keeps the first."""
    names = {ours.encode(): theirs.encode() for ours, theirs in zip(READ, fields)}
    return re.sub(b"|".join(names), lambda match: names[match.group()], data)


def is_decided(data: bytes, settings: Settings) -> bool:
    """False where a parser may stop at either of two depths, with different verdicts."""
    if data.count(b"{") + data.count(b"[") <= LEVELS_FREE[0]:
        return True
    verdicts = [
        judge(data, dataclasses.replace(settings, levels_max=levels)) for levels in LEVELS_FREE
    ]
    return verdicts[0] == verdicts[1]


def line(data: bytes, verdict: Verdict) -> dict[str, object]:
    record = b64encode(data).decode()
    if isinstance(verdict, Refused):
        return {"data": record, "refusal": verdict.reason}
    return {
        "data": record,
        "delivered": b64encode(verdict.data).decode(),
        "keys": verdict.keys,
        "identity": verdict.identity,
        "identity_uuid": verdict.identity_uuid,
    }


def make(random: Random) -> bytes:
    makers = [plain, shaped, timed, hostile, long, refused, mutated]
    maker = random.choices(makers, weights=[8, 22, 20, 9, 6, 23, 12])[0]
    return maker(random)


# --- One event: raw JSON texts of its members, and a layout ---


@dataclass
class Event:
    """Each field holds the JSON text of its value, or None where it is left out."""

    event_uuid: str | None
    event_name: str | None
    created_at: str | None
    extras: list[tuple[str, str]] = field(default_factory=list)

    def members(self) -> list[tuple[str, str]]:
        required = [
            ("event_uuid", self.event_uuid),
            ("event_name", self.event_name),
            ("created_at", self.created_at),
        ]
        kept = [(quote(name), value) for name, value in required if value is not None]
        return kept + self.extras


def ordinary(random: Random) -> Event:
    uuid = f"{random.getrandbits(128):032x}"
    name = random.choice(LISTED if random.random() < 0.6 else NAMES)
    return Event(quote(uuid), quote(name), recent_time(random))


LISTED = [
    "account:created", "account:deleted", "login", "login:failed", "account:created:by:import",
]  # fmt: skip
NAMES = [
    "account", "account:updated", "Account:created",
    "login:", "login::third", "order:paid", "order:item_added", " account : created ",
    "account:created:", "\u00a0login\u2003:\u3000ok\u0085", "bestellung:bezahlt für zwei",
    "заказ:оплачен", "注文:支払い済み", "🦀:🚀🚀", "a:b", "x", "page-view:~home_2.0", "a b:c d",
    "e\u0301:\u00e9", "\u200b:\u200b", "\u180e", "\u007f:\u0080",
]  # fmt: skip


def quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def quote_with_escapes(random: Random, text: str, share: float = 0.3) -> str:
    """Some characters as escapes, each in one of the ways JSON allows."""
    return '"' + "".join(escape(random, character, share) for character in text) + '"'


SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "/": "\\/"}


def escape(random: Random, character: str, share: float) -> str:
    must = character < " " or character in '"\\' or "\ud800" <= character <= "\udfff"
    if not must and random.random() > share:
        return character
    if character in '"\\' and random.random() < 0.6:
        return "\\" + character
    if character in SHORT and random.random() < 0.6:
        return SHORT[character]
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(
        random.choice(["\\u{:04x}", "\\u{:04X}"]).format(units[at] << 8 | units[at + 1])
        for at in range(0, len(units), 2)
    )


def compact(random: Random, members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{key}:{value}" for key, value in members) + "}"


def spaced(random: Random, members: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in members) + "}"


def pretty(random: Random, members: list[tuple[str, str]]) -> str:
    line_break = random.choice(["\r\n", "\n", "\r"])
    indent = random.choice(["  ", "    ", "\t", ""])
    inside = f",{line_break}".join(f"{indent}{key}: {value}" for key, value in members)
    return f"{{{line_break}{inside}{line_break}}}"


def ragged(random: Random, members: list[tuple[str, str]]) -> str:
    def blank() -> str:
        return "".join(random.choices(" \t\r\n", k=random.choice([0, 0, 1, 1, 2, 5])))

    inside = ",".join(
        f"{blank()}{key}{blank()}:{blank()}{value}{blank()}" for key, value in members
    )
    return f"{blank()}{{{inside}}}{blank()}"


LAYOUTS = [compact, compact, spaced, pretty, pretty, ragged, ragged]


def lay_out(random: Random, event: Event) -> bytes:
    members = event.members()
    random.shuffle(members)
    text = random.choice(LAYOUTS)(random, members)
    if random.random() < 0.3:
        text += random.choice(["\n", "\r\n", "\n\n", " ", "\t\r\n "])
    return text.encode("utf-8", "surrogatepass")


# --- Valid events ---


def plain(random: Random) -> bytes:
    event = ordinary(random)
    event.extras = [(f'"field_{n}"', scalar(random)) for n in range(random.randrange(4))]
    return lay_out(random, event)


def shaped(random: Random) -> bytes:
    """Escapes in keys and values, nesting, extra members of every name, any layout."""
    event = ordinary(random)
    event.event_uuid = quote_with_escapes(random, uuid_text(random))
    event.event_name = quote_with_escapes(random, random.choice(NAMES))
    event.extras = unusual_members(random) + added_members(random)
    if random.random() < 0.04:
        event.extras.append(('"deep"', nested(random, random.choice([3, 30, 62, 63]))))
    members = event.members()
    random.shuffle(members)
    members = [(respell(random, key), value) for key, value in members]
    return random.choice(LAYOUTS)(random, members).encode()


def uuid_text(random: Random) -> str:
    return random.choice([
        f"{random.getrandbits(128):032x}", "1", '"', "\\", 'a"b\\c/d', " x ", "\u200b", "\u007f",
        "ключ", "🆔" * random.randrange(1, 65), "not a uuid", "a\u2028", "\ufeff", "\u180e",
        "\U0010ffff",
    ])  # fmt: skip


def respell(random: Random, key: str) -> str:
    """`"event\\u005fuuid"` and the like."""
    if random.random() < 0.8 or "\\" in key:
        return key
    return quote_with_escapes(random, key[1:-1], 0.2)


UNUSUAL_KEYS = [
    '""', '"a"', '"a"', '"\\u0061"', '"event_uuid "', '"Event_uuid"', '"event_uuid\\u0000"',
    '"event_type\\ud800"', '"\\udc00event_name"', '"event-type"', '"created_at_"',
    '"created\\\\_at"',
    '"}"', '"{"', '","', '":"', '"\\""', '"\\\\"', '"ключ"', '"🦀"', '"year"', '"\u2028"',
    '"event_type_"', '"\\ufeffevent_name"', '"event_uuıd"', '"created_datetime\\n"', '"hour"',
]  # fmt: skip


def unusual_members(random: Random) -> list[tuple[str, str]]:
    return [
        (random.choice(UNUSUAL_KEYS),
        json_value(random)) for _ in range(random.choice([0, 1, 3, 6]))
    ]


def added_members(random: Random) -> list[tuple[str, str]]:
    names = random.sample(
        ["event_type", "event_subtype", "created_datetime"], random.choice([0, 0, 1, 2, 3])
    )
    return [(quote(name), json_value(random)) for name in names]


SCALARS = [
    "true", "false", "null", "0", "-0", "-0.0", "0e-0", "1E+400", "1e-400", "12345678901234567890",
    "0.1000", "1.0e+1", "-1.5E-0007", "9" * 400, "0." + "3" * 300, '""', '"\\/"', '"/"',
    '"\\u0000"',
    '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83e\\udd80"', '"🦀"', '"\\uD83E"', '"a\\nb\\r\\n"', '","',
    '"}"', '"\\"}"', '"\\\\"', '"event_type"', '"{\\"event_type\\":1}"',
    '"\u2028\u2029\u0085\u00a0"',
    '"\u007f\u0080"', '"\ufeff"', '"\ufffe\uffff"', '"   "', '"\\b\\f\\t"',
    '"' + "ab c" * 100 + '"',
]  # fmt: skip


def scalar(random: Random) -> str:
    return random.choice(SCALARS)


def json_value(random: Random, levels: int = 3) -> str:
    kind = random.randrange(6) if levels else 0
    if kind < 4:
        return scalar(random)
    blank = random.choice(["", "", " ", "\r\n", "\t"])
    inside = [json_value(random, levels - 1) for _ in range(random.randrange(4))]
    if kind == 4:
        return f"[{blank}" + f"{blank},".join(inside) + f"{blank}]"
    keys = ['"event_uuid"', '"event_type"', '"event_type"', '"created_at"', '"a"', '""', '"b\\u0020"']
    pairs = [f"{random.choice(keys)}{blank}:{blank}{value}" for value in inside]
    return f"{{{blank}" + f",{blank}".join(pairs) + f"{blank}}}"


def nested(random: Random, levels: int) -> str:
    opened = [random.choice(["[", '{"a":']) for _ in range(levels)]
    closed = ["]" if start == "[" else "}" for start in reversed(opened)]
    return "".join(opened) + scalar(random) + "".join(closed)


# --- created_at: every unit, border and spelling ---


def recent_time(random: Random) -> str:
    instant = random.randrange(1_577_836_800, 1_798_761_600) * 10**9 + random.randrange(10**9)
    kind = random.randrange(4)
    if kind == 0:
        return str(instant // random.choice([1, 10**3, 10**6, 10**9]))
    if kind == 1:
        return f"{instant // 10**9}.{instant % 10**9:09}"[: random.choice([12, 14, 17, 20])]
    if kind == 2:
        return f'"{instant // 10**random.choice([0, 3, 6, 9])}"'
    return f'"{rfc_3339(random, instant // 10**9, instant % 10**9)}"'


def rfc_3339(random: Random, seconds: int, nanoseconds: int) -> str:
    time = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    separator = random.choice("TTTt ")
    fraction = "." + f"{nanoseconds:09}"[: random.randint(1, 9)] if random.random() < 0.6 else ""
    zone = random.choice(
        ["", "Z", "Z", "z", "+00:00", "-00:00", "+02:00", "-11:30", "+23:59", "-23:59", "+05:45"]
    )
    return time.isoformat(separator, timespec="seconds") + fraction + zone


def timed(random: Random) -> bytes:
    event = ordinary(random)
    maker = random.choice([border_number, border_number, border_text, border_text, odd_time])
    event.created_at = maker(random)
    return lay_out(random, event)


YEARS = [1970, 1971, 2000, 2020, 2024, 2026, 2027, 2038, 2100, 5138, 9999, 10000]
BORDERS = [0, 10**11, 10**14, 10**17, 10**21, 2**31, 2**32, 2**53, 2**63, 2**64, 10**18] + [
    ((year - 1970) * 365 + leap_days) * 86_400 * unit
    for year, leap_days in [
        (year, (year - 1) // 4 - (year - 1) // 100 + (year - 1) // 400 - 477) for year in YEARS
    ]
    for unit in [1, 10**3, 10**6, 10**9]
]


def border_number(random: Random) -> str:
    """A whole number at a border or beside it, maybe with a fraction, in any spelling."""
    whole = random.choice(BORDERS) + random.choice([-1, 0, 0, 1])
    fraction = random.choice(["", "", "", "0", "5", "999999999", "000000001", "0000000009",
                              "9" * 30, "0" * 40 + "1", "022075",
                              "123456789987654321"])  # fmt: skip
    minus = "-" if whole < 0 or random.random() < 0.03 else ""
    spelled = minus + spell(random, str(abs(whole)), fraction)
    if "e" not in spelled.lower() and random.random() < 0.4:
        return f'"{spelled}"'
    return spelled


def spell(random: Random, whole: str, fraction: str) -> str:
    if random.random() < 0.5:
        return f"{whole}.{fraction}" if fraction else whole
    digits = whole + fraction
    point = random.choice([1, len(whole), len(digits), len(digits) + 3, 1 - random.randrange(9)])
    exponent = len(whole) - point
    if point <= 0:
        moved = "0." + "0" * -point + digits
    else:
        digits = digits.ljust(point, "0")
        moved = (digits[:point].lstrip("0") or "0") + "." * (point < len(digits)) + digits[point:]
    sign = "-" if exponent < 0 else random.choice(["", "+"])
    zeros = random.choice(["", "", "0", "0000"])
    return f"{moved}{random.choice('eE')}{sign}{zeros}{abs(exponent)}"


def border_text(random: Random) -> str:
    day = random.choice([
        "1970-01-01", "1969-12-31", "9999-12-31", "2019-12-31", "2020-01-01", "2026-12-31",
        "2027-01-01", "2024-02-29", "2023-02-28", "2000-02-29", "2400-02-29", "2024-04-30",
        "0000-02-29",
        "0000-01-01", "0001-01-01", "1900-03-01", "1582-10-10", "2021-12-31", "2016-12-31",
    ])  # fmt: skip
    time = random.choice(["00:00:00", "23:59:59", "00:30:00", "12:34:56", "13:00:00", "23:00:00"])
    fraction = random.choice(["", "", ".0", ".9", ".999999999", ".000000001", ".022075", ".1234567"])
    zone = random.choice(["", "Z", "z", "+00:00", "-00:00", "+00:01", "-00:01", "+01:00", "-01:00",
                          "+23:59", "-23:59", "+14:00", "-12:00"])  # fmt: skip
    return f'"{day}{random.choice("Tt ")}{time}{fraction}{zone}"'


def odd_time(random: Random) -> str:
    return random.choice([
        "-0", "-0.0", "0", "0.0", "0e0", "-0e999999999", "0e999999999999999999999", "1e999999999",
        "-1e999999999", "1e-999999999", "-1e-999999999", "1e99999999999999999999999",
        "1E-" + "9" * 30,
        "1e+0000000000000000000000000000009", "17125117210000e-4",
        "0.00000000017125117210220751e19",
        "-0.0000000009", "-0.000000001", "-0.0000000010", "-0.00000000099999", "-1", "-1e-9",
        "-9e-10",
        "0.999999999", "0.9999999999", "0.0000000019", "1712511721.022075",
        "1712511721.0220759999999",
        "0." + "0" * 5000 + "1", "1712511721." + "1" * 5000, "1" + "0" * 5000,
        "1" + "0" * 300 + "e-291",
        "0." + "0" * 300 + "1e310", "99999999999.9999999999", "99999999999999.9999999",
        "99999999999999999.99", "253402300799999999999", "253402300799999999999.999",
        "253402300800000000000", "2.53402300799999999999e20", "2.534023008e20", "1e20", "1e21",
        "9e20",
        '"-0"', '"-0.0"', '"0"', '"0.0"', '"-0.0000000001"', '"-1"', '"2024"', '"20240407"',
        '"1712511721.022075"', '"1712511721022.0750001"', '"17125117210220750.5"',
        '"99999999999.99"',
        '"1712511721.' + "1" * 245 + '"', '"1712511721.' + "1" * 246 + '"', '"' + "9" * 256 + '"',
        '"\\u0031\\u0037"', '"2024\\u002d04-07T13:00:00"', '"253402300800000000000"',
        '"1' + "0" * 11 + '"',
    ])  # fmt: skip


# --- Names that would leave their folder, and lengths at their limits ---


def hostile(random: Random) -> bytes:
    event = ordinary(random)
    parts = random.choices(HOSTILE, k=random.choice([1, 2, 2, 2, 3]))
    text = ":".join(parts)
    share = random.choice([0, 0, 0.3, 1])
    event.event_name = quote_with_escapes(random, text, share)
    return lay_out(random, event)


HOSTILE = [
    "../", "..", ".", "...", "....", "../../etc/passwd", "%2F", "%2f..%2F", "%", "%25", "/", "//",
    "a/b",
    "\\", "..\\", "C:\\", "event_type=x", "a=b", "=", "?", "#", "&", "*", "!{timestamp:yyyy}", "!{",
    "${x}",
    "~", "-", "_", "a.", ".a", "+", "a+b", "'", '"', '"}', "\\u0000", "<script>", "|", "`id`",
    "$(id)",
    "unknown", "UNKNOWN", "null", "__HIVE_DEFAULT_PARTITION__", "🦀", "é", "e\u0301", "\u202e",
    "\u200b",
    "\ufeff", "\u007f", "\u0080", "\u009f", "\ufffd", "\uffff", "\U0010ffff", "年", "Ｆ", "％２Ｆ", "․․",
    " ..", ".. ", "\u00a0.\u00a0", " a b ", "\u2028", "\u3000x\u3000", "", "", " ", "\u180e",
    "account",
    "login", "created", "%2E%2E", "a\u00a0b", "\u0085..\u0085",
]  # fmt: skip


def long(random: Random) -> bytes:
    event = ordinary(random)
    field_name = random.choice(["event_uuid", "event_name", "event_name", "event_name"])
    if field_name == "event_uuid":
        event.event_uuid = quote_with_escapes(random, of_bytes(random, near(random, 256)), 0.1)
    else:
        event.event_name = quote_with_escapes(random, long_name(random), 0.1)
    return lay_out(random, event)


def near(random: Random, border: int) -> int:
    return border + random.choice([-2, -1, 0, 0, 1, 2])


def of_bytes(random: Random, length: int) -> str:
    """Text of this many bytes in UTF-8."""
    character = random.choice(["a", "é", "年", "🦀", '"', "\\", ".", "/", " x"])
    text = character * (length // len(character.encode()))
    return text + "b" * (length - len(text.encode()))


def long_name(random: Random) -> str:
    kind = random.randrange(4)
    if kind == 0:
        return of_bytes(random, near(random, 256))
    if kind == 1:
        return "a:b:" + of_bytes(random, near(random, 252))
    part = of_encoded_bytes(random, near(random, 192))
    if kind == 2:
        return part + random.choice(["", ":b", ": ", ":b:c"])
    return random.choice(["account:", "login:", " a : "]) + part


def of_encoded_bytes(random: Random, length: int) -> str:
    """Text of this many bytes once it is percent-encoded, or a few fewer where it is dots."""
    character = random.choice(["a", "é", "年", "🦀", "/", ".", "%", "~"])
    if character == ".":
        return "." * (length // 3)
    encoded = 1 if character in "a~" else 3 * len(character.encode())
    count = length // encoded
    return character * count + "z" * (length - count * encoded)


# --- Refusals ---


def refused(random: Random) -> bytes:
    weights = [4 if reason in VARIED else 1 for reason in REFUSED]
    return random.choices(list(REFUSED.values()), weights)[0](random)


VARIED = ("not_json", "many_values", "created_at_unreadable", "created_at_out_of_range")


def whole(*texts: str | bytes) -> Callable[[Random], bytes]:
    """One of these records as it stands, or with an event in the place of EVENT."""

    def maker(random: Random) -> bytes:
        text = random.choice(texts)
        data = text if isinstance(text, bytes) else text.encode()
        event = compact(random, ordinary(random).members())
        return data.replace(b"EVENT", event.encode()).replace(b"INSIDE", event[1:-1].encode())

    return maker


def with_field(name: str, *values: str | None) -> Callable[[Random], bytes]:
    """An event whose field has one of these JSON texts, or is left out for None."""

    def maker(random: Random) -> bytes:
        event = ordinary(random)
        setattr(event, name, random.choice(values))
        if random.random() < 0.2:
            event.extras = added_members(random)
        return lay_out(random, event)

    return maker


def too_deep(random: Random) -> bytes:
    levels = random.choice([129, 130, 200, 1000, 20_000])
    deep = nested(random, levels)
    event = compact(random, ordinary(random).members())
    return random.choice([
        deep, f'{{"a":{deep}}}', f'{event[:-1]},"z":{deep}}}', "[" * levels, '{"a":' * levels,
        f" {deep}x", f"{deep} {{}}", f'{{"a":{"[" * levels},', f'{{"event_type":{deep},{event[1:]}',
        f'{{"event_uuid":{deep}}}', "[\r\n" * levels,
    ]).encode()  # fmt: skip


def field_doubled(random: Random) -> bytes:
    name = random.choice(["event_uuid", "event_name", "created_at", "event_type", "event_subtype",
                          "created_datetime"])  # fmt: skip
    event = ordinary(random)
    times = 1 if getattr(event, name, None) else random.choice([2, 3])
    keys = [quote_with_escapes(random, name, random.choice([0, 0.3, 1])) for _ in range(times)]
    event.extras = [(key, json_value(random)) for key in keys] + unusual_members(random)
    if random.random() < 0.2:
        event.event_uuid = random.choice([None, "null", '""']) if name != "event_uuid" else "null"
    return lay_out(random, event)


BLANK_TEXTS = [
    '""', '" "', '"\\t"', '"\\r\\n"', '"\\u00a0\u3000"', '"\\u0085"', f"{quote(WHITE_SPACE)}",
    '"' + " " * 257 + '"', '"\u2028"', '"\\u000b\\f"',
]  # fmt: skip
LONG_TEXTS = [
    quote("a" * 257), quote("é" * 129), quote("🦀" * 64 + "a"),
    quote("年" * 86), quote('"' * 257),
    quote("\u0001" * 257), quote(" " * 256 + "x"), quote("x" * 20_000),
    quote("\n" * 256 + "a"),
    '"' + "\\u0061" * 257 + '"',
]  # fmt: skip
CONTROL_TEXTS = [
    '"a\\u0000"', '"\\u001fa"', '"a\\nb"', '"a\\tb"', '"\\rab"', '"ab\\n"', '"\\u001c"',
    '"\\u0001"', '"a:\\u001b"', '"\\b"', '"x\\u001Fy"',
]  # fmt: skip
WRONG_TEXTS = [
    "null", "true", "false", "[]", "{}", '["a"]', '"\\ud800"', '"a\\udfffb"', '"\\udc00\\ud800"',
    '"\\ud800\\u0041"', '"\\ud800\\ud800\\udc00"', '{"event_uuid":"a"}',
    '"\\uDBFF' + "a" * 300 + '"', '"\\ud800\\n"',
]  # fmt: skip
NUMBERS = ["0", "1", "-1", "1.5", "1712511721"]

REFUSED: dict[str, Callable[[Random], bytes]] = {
    "data_missing": whole(b""),
    "not_utf8": whole(
        b"\xef\xbb\xbfEVENT", b"\xef\xbb\xbf", b"\xff\xfeE\x00", b"\xff", b'{"a":"\xc3\x28"}',
        b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\x80"}', b'{"a":"\xf4\x90\x80\x80"}', b"EVENT\xff",
        b"EVENT\xc3",
        b"\x80EVENT", b'{"a":"\xe2\x82"}', b"not json \xfe", b'{"a":"\xf0\x80\x80\xaf"}',
        b'[INSIDE\xbf]',
        b'{"a":"\xed\xbf\xbf",INSIDE}', b"\xef\xbb\xbf\xef\xbb\xbfEVENT",
        b'{"a":"\xf8\x88\x80\x80\x80"}',
    ),
    "not_json": whole(
        " ", "\n", "\r\n\t ", "x", "\u00a0EVENT", " \ufeffEVENT", "\x0cEVENT", "\x00", "{", "}",
        "[", "]", ",", '"',
        "{INSIDE", "{INSIDE,}", "{,INSIDE}", "{INSIDE,,\"a\":1}", '{INSIDE "a":1}',
        '{"a" 1,INSIDE}',
        '{"a":,INSIDE}', '{"a":1;INSIDE}', "{INSIDE]", "[INSIDE}", '{"a":[1,],INSIDE}',
        '{"a":[,1],INSIDE}',
        '{"a":{,},INSIDE}', '{"a":NaN,INSIDE}', '{"a":Infinity,INSIDE}', '{"a":-Infinity,INSIDE}',
        '{"a":01,INSIDE}', '{"a":-01,INSIDE}', '{"a":+1,INSIDE}', '{"a":1.,INSIDE}',
        '{"a":.5,INSIDE}',
        '{"a":1e,INSIDE}', '{"a":1e+,INSIDE}', '{"a":-,INSIDE}', '{"a":--1,INSIDE}',
        '{"a":0x10,INSIDE}',
        '{"a":1_000,INSIDE}', '{"a":1.e5,INSIDE}', '{"a":1e5.5,INSIDE}', '{"a":00,INSIDE}',
        '{"a":１,INSIDE}',
        '{"a":True,INSIDE}', '{"a":nul,INSIDE}', '{"a":nulL,INSIDE}', '{"a":tru e,INSIDE}',
        '{"a":truex,INSIDE}',
        '{"a":\'b\',INSIDE}', "{'a':1,INSIDE}", "{a:1,INSIDE}", '{1:1,INSIDE}', '{null:1,INSIDE}',
        '{"a":"\n",INSIDE}', '{"a":"\t",INSIDE}', '{"a":"\x00",INSIDE}', '{"a":"\x1f",INSIDE}',
        '{"a\r":1,INSIDE}',
        '{"a":"\\x41",INSIDE}', '{"a":"\\u12",INSIDE}', '{"a":"\\u12G4",INSIDE}',
        '{"a":"\\U0041",INSIDE}',
        '{"a":"\\u+123",INSIDE}', '{"a":"\\\'",INSIDE}', '{"a":"\\\n",INSIDE}',
        '{"a":"\\ud800\\u",INSIDE}',
        '{"a":"\\u００４１",INSIDE}', '{"a":"b,INSIDE}', '{INSIDE,"a":"\\"}', '{INSIDE,"a":"\\',
        '{INSIDE,"a', '{INSIDE,"a"',
        '{INSIDE,"a":', '{INSIDE,"a":1', '{INSIDE,"a":-', '{INSIDE,"a":t', '{INSIDE,"a":"\\u00',
        "// EVENT", "/* */EVENT",
        '{INSIDE/*a*/}', "# a\nEVENT", '{INSIDE,\u00a0"a":1}', '{INSIDE\u2003}', '{INSIDE\x0b}',
        '{"a":1\x0c,INSIDE}',
        '{INSIDE,"a":[1 2]}', '{INSIDE,"a":[1}', '{INSIDE,"a":{"b"}}', '{INSIDE,"a":{"b":1]}',
        '{INSIDE,"a":{"b":1,}}',
        "nul", "tru", "-", "+1", "1.", "1e", "NaN", "'a'", '"a', '"\\ud800', "[1,", "<xml/>",
        "a,b,c", "\x1e EVENT",
        "{" * 50, '{"a":x' + "[" * 500, "]" + "[" * 500, '{"a":1' + "[" * 500,
        "event_uuid=1&event_name=a",
        '{"a":\ufeff1,INSIDE}', '{"a":1\u2028,INSIDE}',
    ),
    "too_deep": too_deep,
    "many_values": whole(
        "EVENT EVENT", "INSIDE}", "EVENT\nEVENT", "EVENTEVENT", "EVENT,", "EVENT}", "EVENT]",
        "EVENT x", "EVENT,EVENT", "{}{}",
        "[] []", "1 2", "null null", '"a""b"', '"a" "b"', "true false", "EVENT\x00", "EVENT\u00a0",
        "EVENT\ufeff",
        "EVENT\x0c", "EVENT;", "EVENT // x", "EVENT \r\n\t null", "EVENT " + "[" * 500,
        "{} " + '{"a":' * 500, "[]]",
        "1 [", '{"event_uuid":1,"event_uuid":2} 3', "EVENT\u2028", "EVENT\x1e", "EVENT\n{", '{} "',
        '[1]{"a"',
    ),
    "not_an_object": whole(
        "[]", "[EVENT]", "null", "true", "false", "0", "-0", "1.5e3", "1712511721", '""', '"a"',
        '"\\ud800"',
        ' [1, {"a": []}] ', "\r\n1\r\n", "[[[[]]]]", '"{}"', '[{"event_uuid":1,"event_uuid":2}]',
        "1e999999999", "9" * 5000, "\ttrue\n", '["event_uuid","event_name","created_at"]',
    ),
    "field_doubled": field_doubled,
    "event_uuid_missing": with_field("event_uuid", None),
    "event_uuid_wrong_type": with_field("event_uuid", *WRONG_TEXTS, *NUMBERS),
    "event_uuid_empty": with_field("event_uuid", *BLANK_TEXTS),
    "event_uuid_too_long": with_field("event_uuid", *LONG_TEXTS),
    "event_uuid_control_character": with_field("event_uuid", *CONTROL_TEXTS),
    "event_name_missing": with_field("event_name", None),
    "event_name_wrong_type": with_field("event_name", *WRONG_TEXTS, *NUMBERS),
    "event_name_empty": with_field("event_name", '""'),
    "event_name_too_long": with_field("event_name", *LONG_TEXTS),
    "event_name_control_character": with_field("event_name", *CONTROL_TEXTS),
    "created_at_missing": with_field("created_at", None),
    "created_at_wrong_type": with_field("created_at", *WRONG_TEXTS),
    "created_at_empty": with_field("created_at", '""'),
    "created_at_too_long": with_field("created_at", *LONG_TEXTS, quote("1" * 257)),
    "created_at_control_character": with_field(
        "created_at", *CONTROL_TEXTS, '"1712511721\\n"', '"\\u00001712511721"',
        '"2024-04-07\\t13:00:00"'
    ),
    "created_at_unreadable": with_field("created_at", *(quote(text) for text in [
        "now", "x", "1712511721 ", " 1712511721", "\u00a01", "+1712511721", "01712511721", "1e9",
        "1E9", "1712511721.",
        ".5", "-", "--1", "-01", "0x10", "1_000", "1,5", "NaN", "Infinity", "-Infinity", "１２３",
        "1712511721Z", "1.5.5",
        "2024-04-07", "2024-04-07T", "2024-04-07T13", "2024-04-07T13:00", "2024-04-07T13:00Z",
        "20240407T130000Z",
        "2024-04-07T24:00:00Z", "2024-04-07T13:60:00Z", "2024-04-07T13:00:60Z",
        "2016-12-31T23:59:60Z",
        "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00", "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-04-31T00:00:00Z",
        "2024-01-32T00:00:00Z",
        "2024-04-07T13:00:00.Z", "2024-04-07T13:00:00.", "2024-04-07T13:00:00.1234567890Z",
        "2024-04-07T13:00:00,5Z",
        "2024-04-07T13:00:00.0000000000", "2024-04-07T13:00:00+24:00", "2024-04-07T13:00:00+02:60",
        "2024-04-07T13:00:00+0200",
        "2024-04-07T13:00:00+02", "2024-04-07T13:00:00+2:00", "2024-04-07T13:00:00 Z",
        "2024-04-07T13:00:00 +02:00",
        "2024-04-07T13:00:00ZZ", "2024-04-07T13:00:00Z ", " 2024-04-07T13:00:00Z",
        "2024-04-07  13:00:00", "2024-04-07_13:00:00",
        "2024-04-07\u00a013:00:00", "2024/04/07T13:00:00Z", "24-04-07T13:00:00Z",
        "02024-04-07T13:00:00Z", "+2024-04-07T13:00:00Z",
        "-2024-04-07T13:00:00Z", "10000-01-01T00:00:00Z", "2024-4-7T13:00:00Z",
        "2024-04-07T1:00:00Z", "2024-04-07T13:0:0Z",
        "２０２４-04-07T13:00:00Z", "2024-04-07T13:00:00\u22125:00", "2024-04-07T13:00:00\u221205:00",
        "2024-04-07T13:00:00UTC",
        "2024-W14-7T13:00:00Z", "2024-098T13:00:00Z", "Sun, 07 Apr 2024 13:00:00 GMT",
        "2024-04-07T13:00:00.12a", "0000-00-00T00:00:00",
        "2024-04-07T13:00:00[UTC]", "2024-04-07T13:00:00Z+00:00", "1712511721e0",
        "2024-04-07T13:00:00.5.5Z", "٢٠٢٤", "²",
        "0000-02-30T00:00:00Z", "2024-04-07T99:00:00Z", "2024-04-07T13:00:00-24:00",
        "2024-04-07T13:00:00+1:000", "1969-02-29 00:00:00",
    ])),
    "created_at_out_of_range": with_field(
        "created_at", "-1", "-0.000000001", "-1e-9", "-1712511721", "-1e400", "1e21", "1e400",
        "253402300800000000000",
        "2534023008e11", "1" + "0" * 300, "-1" + "0" * 300, '"-1"', '"-0.000000001"',
        '"253402300800000000000"', '"1' + "0" * 250 + '"',
        '"1969-12-31T23:59:59.999999999Z"', '"1970-01-01T00:00:00+00:01"',
        '"9999-12-31T23:59:59-00:01"', '"0000-01-01 00:00:00"',
        '"0000-02-29t00:00:00z"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:00:00.5-23:59"',
        "-1e999999999999999999999",
        "1e99999999999", '"1600-02-29T00:00:00Z"', '"0000-12-31T23:59:59-23:59"', "-100000000000.5",
        "-1e14", "-1e17", "-1e20",
    ),
    "event_type_empty": with_field(
        "event_name", '" "', '"\\u00a0\u3000"', '":"', '":created"', '" :created"', '"::"', '"\\u00a0:x"',
        '"\u3000\u2028:\u0085"', '":account:created"',
        '"\\u003aa"',
    ),
    "partition_value_too_long": with_field("event_name", *(quote(text) for text in [
        "a" * 193, "a:" + "a" * 193, "é" * 33, "a:" + "年" * 22, "🦀" * 17, "/" * 65, "." * 65,
        "a:" + "." * 66, "x:" + "%" * 65 + ":z",
        " " + "a" * 193 + " ", "a" * 193 + ":b", "a" * 190 + "é", "é" * 32 + "a", "a" * 254 + ":b",
        ".é" * 28, "a b" * 40, "." * 64 + "a/" * 40,
    ])),
    "event_year_out_of_range": with_field(
        "created_at", "0", "1577836799", "1577836799.999999999", "1798761600", "1798761600000",
        '"2019-12-31T23:59:59.999999999"',
        '"2027-01-01T00:00:00Z"', '"2020-01-01T00:00:00+00:01"', '"2026-12-31T23:59:59-00:01"',
        "253402300799999999999", '"9999-12-31T23:59:59Z"',
    ),
    "event_type_not_listed": with_field("event_name", *(quote(text) for text in [
        "other", "other:created", "account", "account:", "account:updated", "account:Created",
        "Account:created", "account:created2",
        "account: :created", "logins", "logi", "LOGIN:x", "account:unknown",
        "account:created\u200b", "account/created", "acc%6Funt:created",
        "created:account", "account::created", "unknown", "unknown:unknown", "log in",
    ])),
}  # fmt: skip


# --- Valid events, damaged ---


def mutated(random: Random) -> bytes:
    data = bytearray(random.choice([plain, shaped, timed, hostile])(random))
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        random.choice([flip, replace, truncate, cut, insert, repeat])(random, data)
    return bytes(data)


FRAGMENTS = [
    b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]", b" ", b"\r\n", b"\n", b"\t", b"0", b"-", b".",
    b"e5", b"null", b"\x00",
    b"\x1f", b"\x7f", b"\xff", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xf0\x9f\xa6\x80",
    b"\\ud800", b"\\u0000",
    b"\\n", b"\\u003a", b"..", b"/", b'"event_type":1,', b',"event_uuid":1', b'{"a":[]}', b"\x0c",
    b"::",
]  # fmt: skip


def flip(random: Random, data: bytearray) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def replace(random: Random, data: bytearray) -> None:
    if data:
        at = random.randrange(len(data))
        data[at : at + 1] = random.choice(FRAGMENTS)


def truncate(random: Random, data: bytearray) -> None:
    del data[random.randrange(len(data) + 1) :]


def cut(random: Random, data: bytearray) -> None:
    at = random.randrange(len(data) + 1)
    del data[at : at + random.choice([1, 1, 2, 8])]


def insert(random: Random, data: bytearray) -> None:
    at = random.randrange(len(data) + 1)
    data[at:at] = random.choice(FRAGMENTS)


def repeat(random: Random, data: bytearray) -> None:
    at = random.randrange(len(data) + 1)
    piece = data[at : at + random.choice([1, 4, 16])]
    data[at:at] = piece


if __name__ == "__main__":
    main()
