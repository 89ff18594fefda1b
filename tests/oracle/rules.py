"""The design's event rules a second time, from the design alone: bytes in, verdict out.

What the function delivers or refuses is compared with this. It leaves base64, batches, claims and
the response to others, and it is written to be read, not to be fast.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

WHITE_SPACE = "".join(
    chr(point)
    for first, last in [
        (0x0009, 0x000D), (0x0020, 0x0020), (0x0085, 0x0085), (0x00A0, 0x00A0), (0x1680, 0x1680),
        (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
    ]
    for point in range(first, last + 1)
)  # fmt: skip
ADDED = ("event_type", "event_subtype", "created_datetime")
READ = ("event_uuid", "event_name", "created_at")
TEXT_BYTES_MAX = 256
PARTITION_BYTES_MAX = 192
SECOND = 10**9
INSTANT_END = 253_402_300_800 * SECOND  # 10000-01-01T00:00:00Z


@dataclass(frozen=True)
class Settings:
    """`types` maps a type to the subtypes it may have, or to None where it may have any."""

    year_first: int = 1970
    year_last: int = 9999
    types: dict[str, set[str] | None] | None = None
    levels_max: int = 128  # the design leaves 64 to 128 open
    fields: tuple[str, str, str] = READ  # where uuid, name and time stand


@dataclass(frozen=True)
class Refused:
    reason: str


@dataclass(frozen=True)
class Delivered:
    data: bytes
    keys: dict[str, str]
    identity: str
    identity_uuid: str


Verdict = Refused | Delivered


def judge(data: bytes | None, settings: Settings = Settings()) -> Verdict:
    try:
        return deliver(read_text(data), settings)
    except Refusal as refusal:
        return Refused(refusal.reason)


def parse_types(listed: str) -> dict[str, set[str] | None]:
    """`account:created,account:deleted,login`, as in EVENT_TYPES."""
    types: dict[str, set[str] | None] = {}
    for entry in listed.split(","):
        event_type, colon, event_subtype = entry.partition(":")
        subtypes = types.setdefault(event_type, set())
        if not colon:
            types[event_type] = None
        elif subtypes is not None:
            subtypes.add(event_subtype)
    return types


class Refusal(Exception):
    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def read_text(data: bytes | None) -> str:
    if not data:
        raise Refusal("data_missing")
    if data.startswith(b"\xef\xbb\xbf"):
        raise Refusal("not_utf8")
    try:
        return data.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise Refusal("not_utf8") from None


def deliver(text: str, settings: Settings) -> Delivered:
    members = Scanner(text, settings.levels_max).read_object()
    adds_name = settings.fields[1] in ADDED
    names = ("event_name", *ADDED) if adds_name else ADDED
    fields = read_fields(members, settings.fields, names)
    uuid = read_required_text(fields, "event_uuid")
    name = read_required_text(fields, "event_name")
    instant = read_created_at(fields)
    event_type, event_subtype = split_name(name)
    keys = partition_keys(event_type, event_subtype, instant)
    check_accepted(event_type, event_subtype, int(keys["year"]), settings)
    added = (event_type, event_subtype, format_instant(instant))
    values = (name, *added) if adds_name else added
    return Delivered(
        data=one_line(members, dict(zip(names, values))).encode(),
        keys=keys,
        identity=f"[{quote(uuid)},{quote(name)},{instant}]",
        identity_uuid=f"[{quote(uuid)}]",
    )


# --- JSON: one value, strictly RFC 8259; what is wrong first, by position, is the refusal ---

STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+"')
DIGITS = re.compile(r"[0-9]+")
BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass
class Member:
    """A top-level member; its segment is all that stands between its braces or commas."""

    key: str
    value: str = ""
    segment: str = ""


class Scanner:
    """Goes through the text once, with a stack of what is open, and keeps the top level only."""

    def __init__(self, text: str, levels_max: int):
        self.text = text
        self.position = 0
        self.levels_max = levels_max
        self.open: list[str] = []
        self.members: list[Member] = []
        self.segment_start = 0
        self.value_start = 0

    def read_object(self) -> list[Member]:
        self.skip_blanks()
        is_object = self.peek() == "{"
        self.read_value()
        self.skip_blanks()
        if self.position < len(self.text):
            raise Refusal("many_values")
        if not is_object:
            raise Refusal("not_an_object")
        return self.members

    def read_value(self) -> None:
        """Opens and closes until the value that stands here is complete."""
        while True:
            if self.begin_value():
                continue
            while self.open:
                self.skip_blanks()
                if self.take(","):
                    self.end_segment()
                    if self.open[-1] == "{":
                        self.read_key()
                    break
                self.close()
            if not self.open:
                return

    def begin_value(self) -> bool:
        """Reads a scalar or an empty container; true where one was opened and wants a value."""
        self.skip_blanks()
        if len(self.open) == 1:
            self.value_start = self.position
        character = self.peek()
        if character == "{" or character == "[":
            return self.open_container(character)
        if character == '"':
            self.read(STRING)
        elif character == "-" or character in "0123456789":
            self.read_number()
        else:
            self.read_word()
        self.end_value()
        return False

    def open_container(self, character: str) -> bool:
        if len(self.open) == self.levels_max:
            raise Refusal("too_deep")
        self.open.append(character)
        self.position += 1
        if len(self.open) == 1:
            self.segment_start = self.position
        self.skip_blanks()
        if self.peek() == self.closing():
            self.close()
            return False
        if character == "{":
            self.read_key()
        return True

    def closing(self) -> str:
        return "}" if self.open[-1] == "{" else "]"

    def close(self) -> None:
        if self.peek() != self.closing():
            raise Refusal("not_json")
        self.position += 1
        self.end_segment()
        self.open.pop()
        self.end_value()

    def read_key(self) -> None:
        self.skip_blanks()
        key = self.read(STRING)
        if self.at_top():
            self.members.append(Member(unescape(key)))
        self.skip_blanks()
        if not self.take(":"):
            raise Refusal("not_json")

    def end_value(self) -> None:
        if self.at_top():
            self.members[-1].value = self.text[self.value_start : self.position]

    def end_segment(self) -> None:
        """Behind a comma or a closing brace."""
        if self.at_top() and self.members:
            self.members[-1].segment = self.text[self.segment_start : self.position - 1]
            self.segment_start = self.position

    def at_top(self) -> bool:
        return self.open == ["{"]

    def read_number(self) -> None:
        self.take("-")
        if self.take("0"):
            if DIGITS.match(self.text, self.position):
                raise Refusal("not_json")
        else:
            self.read(DIGITS)
        if self.take("."):
            self.read(DIGITS)
        if self.take("e") or self.take("E"):
            self.take("+") or self.take("-")
            self.read(DIGITS)

    def read_word(self) -> None:
        for word in ("true", "false", "null"):
            if self.text.startswith(word, self.position):
                self.position += len(word)
                return
        raise Refusal("not_json")

    def read(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.position)
        if not found:
            raise Refusal("not_json")
        self.position = found.end()
        return found[0]

    def take(self, character: str) -> bool:
        taken = self.text.startswith(character, self.position)
        self.position += taken
        return taken

    def peek(self) -> str:
        if self.position == len(self.text):
            raise Refusal("not_json")
        return self.text[self.position]

    def skip_blanks(self) -> None:
        self.position = BLANKS.match(self.text, self.position).end()


ESCAPE = re.compile(
    r"\\u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\(.)"
)
SHORT_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def unescape(string: str) -> str:
    """The text of a string token; a lone surrogate stays one."""

    def decode(escape: re.Match[str]) -> str:
        high, low, unit, short = escape.groups()
        if high:
            return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
        if unit:
            return chr(int(unit, 16))
        return SHORT_ESCAPES.get(short, short)

    return ESCAPE.sub(decode, string[1:-1])


# --- The fields ---


def read_fields(
    members: list[Member], read: tuple[str, ...], added: tuple[str, ...]
) -> dict[str, str]:
    """What is read, under the names that refusals give it."""
    known: dict[str, str] = {}
    for member in members:
        if member.key in read + added:
            if member.key in known:
                raise Refusal("field_doubled")
            known[member.key] = member.value
    return {ours: known[theirs] for theirs, ours in zip(read, READ) if theirs in known}


def read_required_text(fields: dict[str, str], field: str) -> str:
    if field not in fields:
        raise Refusal(f"{field}_missing")
    if not fields[field].startswith('"'):
        raise Refusal(f"{field}_wrong_type")
    text = unescape(fields[field])
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Refusal(f"{field}_wrong_type")
    if not text or (field == "event_uuid" and not text.strip(WHITE_SPACE)):
        raise Refusal(f"{field}_empty")
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise Refusal(f"{field}_too_long")
    if any(character < " " for character in text):
        raise Refusal(f"{field}_control_character")
    return text


def split_name(name: str) -> tuple[str, str]:
    parts = [part.strip(WHITE_SPACE) for part in name.split(":")]
    if not parts[0]:
        raise Refusal("event_type_empty")
    event_subtype = parts[1] if len(parts) > 1 else ""
    return parts[0], event_subtype or "unknown"


def check_accepted(event_type: str, event_subtype: str, year: int, settings: Settings) -> None:
    if not settings.year_first <= year <= settings.year_last:
        raise Refusal("event_year_out_of_range")
    if settings.types is None:
        return
    if event_type not in settings.types:
        raise Refusal("event_type_not_listed")
    subtypes = settings.types[event_type]
    if subtypes is not None and event_subtype not in subtypes:
        raise Refusal("event_type_not_listed")


# --- The time, always whole nanoseconds since 1970 ---

NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")
NUMERIC_STRING = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))?"
)


def read_created_at(fields: dict[str, str]) -> int:
    value = fields.get("created_at", "")
    if value and value[0] in "-0123456789":
        instant = read_number(value)
    else:
        instant = read_time_text(read_required_text(fields, "created_at"))
    if not 0 <= instant < INSTANT_END:
        raise Refusal("created_at_out_of_range")
    return instant


def read_time_text(text: str) -> int:
    if NUMERIC_STRING.fullmatch(text):
        return read_number(text)
    return read_rfc_3339(text)


def read_number(number: str) -> int:
    """Cut, not rounded; anything beyond year 9999 may come back as INSTANT_END."""
    minus, whole, fraction, exponent_sign, exponent_digits = NUMBER.fullmatch(number).groups("")
    digits = (whole + fraction).lstrip("0")
    exponent = bounded_int(exponent_digits) * (-1 if exponent_sign == "-" else 1)
    # The number is 0.<digits> times ten to this power.
    power = len(digits) - len(fraction) + exponent
    if not digits or power < -9:
        return 0
    if power > 21:
        return -1 if minus else INSTANT_END
    places = power + 9
    billionths = int(digits[:places].ljust(places, "0") or "0")
    instant = billionths // unit_divisor(billionths // SECOND)
    return -instant if minus else instant


def bounded_int(digits: str) -> int:
    """Exponents this large are all the same; no record is long enough to make up for one."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) < 18 else 10**18


def unit_divisor(whole: int) -> int:
    """Billionths of the unit to nanoseconds: the number's magnitude says which unit it counts."""
    if whole < 10**11:
        return 1
    if whole < 10**14:
        return 10**3
    if whole < 10**17:
        return 10**6
    return 10**9


def read_rfc_3339(text: str) -> int:
    found = RFC_3339.fullmatch(text)
    if not found:
        raise Refusal("created_at_unreadable")
    fraction, sign = found[7] or "", found[8]
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    offset_hour, offset_minute = int(found[9] or 0), int(found[10] or 0)
    if hour > 23 or minute > 59 or second > 59 or offset_hour > 23 or offset_minute > 59:
        raise Refusal("created_at_unreadable")
    offset = (offset_hour * 60 + offset_minute) * (-1 if sign == "-" else 1)
    minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset
    return (minutes * 60 + second) * SECOND + int(fraction.ljust(9, "0"))


def days_since_1970(year: int, month: int, day: int) -> int:
    """Python's calendar begins at year 1; year 0 is year 400, a cycle of 146,097 days earlier."""
    cycle = 146_097 if year == 0 else 0
    try:
        ordinal = date(year or 400, month, day).toordinal()
    except ValueError:
        raise Refusal("created_at_unreadable") from None
    return ordinal - cycle - date(1970, 1, 1).toordinal()


def format_instant(instant: int) -> str:
    return utc(instant).isoformat(timespec="microseconds") + "Z"


def utc(instant: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=instant // 1000)


# --- What comes out ---


def partition_keys(event_type: str, event_subtype: str, instant: int) -> dict[str, str]:
    values = [encode_partition_value(value) for value in (event_type, event_subtype)]
    if any(len(value) > PARTITION_BYTES_MAX for value in values):
        raise Refusal("partition_value_too_long")
    time = utc(instant)
    return {
        "event_type": values[0],
        "event_subtype": values[1],
        "year": f"{time.year:04}",
        "month": f"{time.month:02}",
        "day": f"{time.day:02}",
        "hour": f"{time.hour:02}",
    }


SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~")


def encode_partition_value(value: str) -> str:
    if value.strip(".") == "":
        return "%2E" * len(value)
    if value == "__HIVE_DEFAULT_PARTITION__":
        return "%5F" + value[1:]
    return "".join(chr(byte) if byte in SAFE else f"%{byte:02X}" for byte in value.encode())


def one_line(members: list[Member], added: dict[str, str]) -> str:
    """Valid strings hold no line break of their own, so all of them go."""
    segments = [member.segment for member in members if member.key not in added]
    segments += [f'"{name}":{quote(value)}' for name, value in added.items()]
    return "{" + ",".join(segments).replace("\r", "").replace("\n", "") + "}\n"


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
