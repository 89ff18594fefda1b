"""The oracle's own check: cases decided by hand, and what must hold for every generated one."""

import json
import unittest
from decimal import Decimal, localcontext
from random import Random
from urllib.parse import unquote

import generate
from rules import (
    ADDED, INSTANT_END, WHITE_SPACE, Delivered, Refused, Settings, judge, parse_types, read_number,
)  # fmt: skip

ANY = Settings()
NARROW = Settings(2020, 2026, parse_types("account:created,account:deleted,login"))
UUID = '"event_uuid":"u"'
NAME = '"event_name":"account:created"'
TIME = '"created_at":1712511721.022075'
END = (
    '"event_type":"account","event_subtype":"created",'
    '"created_datetime":"2024-04-07T17:42:01.022075Z"}\n'
)


def event(
    uuid: str = '"u"', name: str = '"account:created"', time: str = "1712511721.022075"
) -> bytes:
    return f'{{"event_uuid":{uuid},"event_name":{name},"created_at":{time}}}'.encode()


class Case(unittest.TestCase):
    def refused(self, data: bytes | str | None, reason: str, settings: Settings = ANY) -> None:
        data = data.encode() if isinstance(data, str) else data
        with self.subTest(data=(data or b"")[:120], reason=reason):
            self.assertEqual(judge(data, settings), Refused(reason))

    def delivered(self, data: bytes | str, settings: Settings = ANY) -> Delivered:
        verdict = judge(data.encode() if isinstance(data, str) else data, settings)
        self.assertIsInstance(verdict, Delivered, f"{data[:120]!r}: {verdict}")
        return verdict


class Bytes(Case):
    def test_no_bytes_are_missing_data_and_white_space_is_not_json(self):
        for data, reason in [(None, "data_missing"), (b"", "data_missing"), (b" \r\n", "not_json")]:
            self.refused(data, reason)

    def test_text_is_strict_utf_8_without_a_byte_order_mark(self):
        good = event()
        for data in [b"\xef\xbb\xbf" + good, good + b"\xff", b"\xff", b"x\xed\xa0\x80", b"\xc0\x80"]:
            self.refused(data, "not_utf8")
        self.refused(b" \xef\xbb\xbf" + good, "not_json")


class Json(Case):
    def test_what_is_wrong_first_by_position_decides(self):
        deep = "[" * 200
        for data, reason in [
            ("{", "not_json"), ("[1,]", "not_json"), ("nul", "not_json"), ("01", "not_json"),
            ("1.", "not_json"),
            ('{"a":NaN}', "not_json"), ('"\t"', "not_json"), ('"\\x"', "not_json"),
            ("\u00a0{}", "not_json"),
            ("-", "not_json"), ("1e+", "not_json"), ("[1}", "not_json"), ('{"a":1,}', "not_json"),
            ("{a:1}", "not_json"),
            ('{"a":01}', "not_json"), ('{"a":+1}', "not_json"), ('{"a" 1}', "not_json"),
            ("{[", "not_json"), ('"abc', "not_json"),
            (deep, "too_deep"), ('{"a":' * 200, "too_deep"), (deep + "x", "too_deep"),
            ("]" + deep, "not_json"),
            ("[x" + deep, "not_json"), ("{} " + deep, "many_values"), ("{}{}", "many_values"),
            ("{}}", "many_values"),
            ("1 2", "many_values"), ("1x", "many_values"), ("truex", "many_values"),
            ("{}\u00a0", "many_values"), ("{}\0", "many_values"),
            ("[" * 64 + "]" * 64, "not_an_object"), ("1e999999999", "not_an_object"),
            ('"\\ud800"', "not_an_object"),
            ("[]", "not_an_object"), (" null\n", "not_an_object"), ("-0.0E-0", "not_an_object"),
            ("{}", "event_uuid_missing"),
            ('{"a":[{},[],{"b":[1,2,{"c":null}]}],"d":{}}', "event_uuid_missing"),
        ]:  # fmt: skip
            self.refused(data, reason)

    def test_128_levels_are_the_most(self):
        inside = "[" * 127 + "]" * 127
        self.delivered(f'{{{UUID},{NAME},{TIME},"a":{inside}}}')
        self.refused(f'{{{UUID},{NAME},{TIME},"a":[{inside}]}}', "too_deep")


class Fields(Case):
    def test_a_field_that_is_read_or_added_stands_once(self):
        for name in ["event_uuid", "event_name", "created_at", *ADDED]:
            self.refused(f'{{"{name}":1,"{name}":1}}', "field_doubled")
            escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
            self.refused(f'{{"{name}":1,"a":{{}},"{escaped}":1}}', "field_doubled")
        for other in [
            '"a":1,"a":1', '"event_uuid\\ud800":1', '"Event_uuid":1',
            '"a":{"event_uuid":1,"event_uuid":2}',
        ]:  # fmt: skip
            self.delivered(f"{{{other},{UUID},{NAME},{TIME}}}")

    def test_fields_are_checked_in_turn_and_each_in_one_order(self):
        for data, reason in [
            ('{"event_name":null}', "event_uuid_missing"),
            ('{"event_uuid":null}', "event_uuid_wrong_type"),
            ('{"event_uuid":""}', "event_uuid_empty"), ('{"event_uuid":"u"}', "event_name_missing"),
            (event(uuid="1"), "event_uuid_wrong_type"),
            (event(uuid='"\\udc00\\ud800"'), "event_uuid_wrong_type"),
            (event(uuid='"\\t\\u0085\u3000"'), "event_uuid_empty"),
            (event(uuid='"\\u001c"'), "event_uuid_control_character"),
            (event(uuid='"' + " " * 300 + '"'), "event_uuid_empty"),
            (event(uuid='"' + "\\n" * 256 + 'a"'), "event_uuid_too_long"),
            (event(uuid='"a\\u001f"'), "event_uuid_control_character"),
            (event(uuid='"' + "é" * 129 + '"'), "event_uuid_too_long"),
            (event(uuid='"\\n"', name="1"), "event_uuid_empty"),
            (event(name='"' + "a" * 257 + '"'), "event_name_too_long"),
            (event(name='""'), "event_name_empty"), (event(name='" "'), "event_type_empty"),
            (event(name='"a\\n"'), "event_name_control_character"),
            (event(name="[]"), "event_name_wrong_type"),
            (f"{{{UUID},{NAME}}}", "created_at_missing"),
            (event(time="null"), "created_at_wrong_type"),
            (event(time="true"), "created_at_wrong_type"),
            (event(time='"\\ud800"'), "created_at_wrong_type"),
            (event(time='""'), "created_at_empty"), (event(time='" "'), "created_at_unreadable"),
            (event(time='"' + "1" * 257 + '"'), "created_at_too_long"),
            (event(time='"1\\n"'), "created_at_control_character"),
            (event(time="-1", name='":"'), "created_at_out_of_range"),
            (event(time='"x"', name='":"'), "created_at_unreadable"),
            (event(name='":a"'), "event_type_empty"),
            (event(name='"\\u00a0:a"'), "event_type_empty"),
        ]:  # fmt: skip
            self.refused(data, reason)

    def test_text_is_taken_to_its_limits(self):
        for uuid in [
            '"' + "é" * 128 + '"', '"' + "\\u0061" * 256 + '"', '"\u200b"', '"\u180e"', '"\\u007f"',
            '"\\ud83e\\udd80"',
        ]:  # fmt: skip
            self.delivered(event(uuid=uuid))

    def test_white_space_is_unicodes(self):
        self.assertEqual(len(WHITE_SPACE), 25)
        for character in "\u001c\u200b\u180e\ufeff\u2060":
            self.assertNotIn(character, WHITE_SPACE)


class Time(Case):
    def test_numbers_are_read_exactly_and_cut(self):
        for number, instant in [
            ("0", 0), ("-0", 0), ("-0.0", 0), ("0e999999999999999999999", 0), ("1e-999999999", 0),
            ("-1e-999999999", 0),
            ("-0.0000000009", 0), ("-0.000000001", -1), ("1712511721.022075", 1712511721022075000),
            ("0.9999999999", 999999999), ("1e0", 10**9), ("10e-1", 10**9), ("0.1E+1", 10**9),
            ("0.000000001", 1), ("1e-9", 1),
            ("99999999999", 99999999999 * 10**9), ("99999999999.9999999999", 99999999999999999999),
            ("100000000000", 10**17), ("1e11", 10**17), ("100000000000.0000019", 10**17 + 1),
            ("99999999999999", 99999999999999 * 10**6),
            ("99999999999999.99999999", 99999999999999999999), ("100000000000000", 10**17),
            ("1e14", 10**17), ("1e14", 10**17),
            ("100000000000000.0019", 10**17 + 1), ("99999999999999999", 99999999999999999000),
            ("100000000000000000", 10**17),
            ("100000000000000000.9", 10**17), ("253402300799999999999.9", INSTANT_END - 1),
            ("253402300800000000000", INSTANT_END),
            ("1" + "0" * 20, 10**20), ("0." + "0" * 5000 + "1e5001", 10**9),
            ("1" + "0" * 5000 + "e-5000", 10**9),
        ]:  # fmt: skip
            with self.subTest(number=number[:60]):
                self.assertEqual(read_number(number), instant)

    def test_numbers_agree_with_pythons_decimal(self):
        random = Random(7)
        for _ in range(3000):
            number = generate.border_number(random).strip('"')
            with self.subTest(number=number), localcontext() as context:
                context.prec = 200
                value = Decimal(number)
                unit = next((p for p in (11, 14, 17) if abs(value) < 10**p), 20)
                exact = int(value.scaleb(20 - unit))
                self.assertEqual(clamp(read_number(number)), clamp(exact))

    def test_times_are_read(self):
        for time, written in [
            ('"1712511721.022075"', "2024-04-07T17:42:01.022075Z"),
            ('"-0"', "1970-01-01T00:00:00.000000Z"),
            ('"1712511721022"', "2024-04-07T17:42:01.022000Z"),
            ("1712511721022075", "2024-04-07T17:42:01.022075Z"),
            ("1712511721022075999", "2024-04-07T17:42:01.022075Z"),
            ('"2024-04-07 17:42:01"', "2024-04-07T17:42:01.000000Z"),
            ('"2024-04-07t17:42:01.123456789z"', "2024-04-07T17:42:01.123456Z"),
            ("0", "1970-01-01T00:00:00.000000Z"),
            ('"2024-02-29T23:59:59-00:01"', "2024-03-01T00:00:59.000000Z"),
            ('"1970-01-01T00:00:00-00:00"', "1970-01-01T00:00:00.000000Z"),
            ('"1969-12-31T23:59:59.9-00:01"', "1970-01-01T00:00:59.900000Z"),
            ('"10000"', "1970-01-01T02:46:40.000000Z"),
            ('"9999-12-31T23:59:59.999999999"', "9999-12-31T23:59:59.999999Z"),
            ("253402300799999999999", "9999-12-31T23:59:59.999999Z"),
            ('"2024-04-07T17:42:01+05:45"', "2024-04-07T11:57:01.000000Z"),
            ('"\\u0031"', "1970-01-01T00:00:01.000000Z"),
            ("99999999999", "5138-11-16T09:46:39.000000Z"),
            ("100000000000", "1973-03-03T09:46:40.000000Z"),
            ("1" + "0" * 300 + "e-300", "1970-01-01T00:00:01.000000Z"),
            ('"2000-02-29T00:00:00Z"', "2000-02-29T00:00:00.000000Z"),
        ]:  # fmt: skip
            with self.subTest(time=time):
                added = json.loads(self.delivered(event(time=time)).data)
                self.assertEqual(added["created_datetime"], written)

    def test_times_that_are_none_are_unreadable(self):
        for text in [
            "x", "1e9", "+1", "01", "1.", ".5", " 1", "1 ", "--1", "１", "2024-04-07",
            "2024-04-07T24:00:00", "2024-04-07T00:00:60",
            "2024-04-07T00:60:00", "2023-02-29T00:00:00", "1900-02-29T00:00:00",
            "2024-04-31T00:00:00", "2024-00-01T00:00:00",
            "2024-04-07T00:00:00.", "2024-04-07T00:00:00.1234567890", "2024-04-07T00:00:00+24:00",
            "2024-04-07T00:00:00+00:60",
            "2024-04-07T00:00:00+0200", "2024-04-07T00:00:00 Z", "2024-04-07  00:00:00",
            "2024-04-07T00:00", "10000-01-01T00:00:00",
            "2024-04-07T00:00:00Z ", "２０２４-04-07T00:00:00", "0000-02-30T00:00:00",
            "2024-04-07\u00a000:00:00",
        ]:  # fmt: skip
            self.refused(event(time=json.dumps(text)), "created_at_unreadable")

    def test_the_instant_lies_in_1970_to_9999(self):
        for time in [
            "-1", "-0.000000001", "-1e-9", "-1e999999999", "1e999999999", "1e21",
            "253402300800000000000", '"-1"',
            '"1969-12-31T23:59:59.999999999"', '"1970-01-01T00:00:00+00:01"',
            '"9999-12-31T23:59:59-00:01"',
            '"0000-02-29T00:00:00"', '"0000-12-31T23:59:59-23:59"', '"' + "9" * 256 + '"', "-1e14",
            "9" * 5000,
        ]:  # fmt: skip
            self.refused(event(time=time), "created_at_out_of_range")


class Partitions(Case):
    def test_values_are_encoded(self):
        for name, keys in [
            ("account:created", ("account", "created")), ("login", ("login", "unknown")),
            ("login:", ("login", "unknown")),
            ("login: :x", ("login", "unknown")), (" a b :\u00a0c", ("a%20b", "c")),
            ("..:.", ("%2E%2E", "%2E")), (".a:a.", (".a", "a.")),
            ("../x:%2F", ("..%2Fx", "%252F")), ("é:🦀", ("%C3%A9", "%F0%9F%A6%80")),
            ("a~_-.:B9", ("a~_-.", "B9")),
            ("a=b:c:d", ("a%3Db", "c")), ('"\\', ("%22%5C", "unknown")),
            ("\u200b:\u007f", ("%E2%80%8B", "%7F")), (" .. ", ("%2E%2E", "unknown")),
        ]:  # fmt: skip
            with self.subTest(name=name):
                verdict = self.delivered(event(name=json.dumps(name)))
                self.assertEqual((verdict.keys["event_type"], verdict.keys["event_subtype"]), keys)

    def test_time_keys_have_their_widths(self):
        keys = self.delivered(event(time='"2024-04-07T05:00:00"')).keys
        times = [keys[key] for key in ("year", "month", "day", "hour")]
        self.assertEqual(times, ["2024", "04", "07", "05"])

    def test_192_encoded_bytes_are_the_most(self):
        for value in ["a" * 192, "é" * 32, "." * 64, "🦀" * 16, "/" * 64, "年" * 21 + "abc"]:
            for name, longer in [(value, f"{value}."), (f"a:{value}", f"a:{value}.")]:
                self.delivered(event(name=json.dumps(name)))
                self.refused(event(name=json.dumps(longer)), "partition_value_too_long")

    def test_years_and_types_are_those_of_the_settings(self):
        for name, time, reason in [
            ("account:created", "1577836799.999999999", "event_year_out_of_range"),
            ("x", "1577836799", "event_year_out_of_range"),
            ("x" * 193, "0", "partition_value_too_long"),
            ("x", "1577836800", "event_type_not_listed"),
            ("account", "1577836800", "event_type_not_listed"),
            ("account:updated", "1577836800", "event_type_not_listed"),
            ("Login", "1577836800", "event_type_not_listed"),
            ("account:created", "1798761600", "event_year_out_of_range"),
            ("account: ", "1577836800", "event_type_not_listed"),
        ]:  # fmt: skip
            self.refused(event(name=json.dumps(name), time=time), reason, NARROW)
        for name in ["account:created", " account : deleted :x", "login", "login:x", "login:"]:
            self.delivered(event(name=json.dumps(name), time="1577836800"), NARROW)
            self.delivered(event(name=json.dumps(name), time="1798761599.9999999999"), NARROW)

    def test_a_type_listed_alone_too_takes_any_subtype(self):
        for listed in ["login,login:ok", "login:ok,login"]:
            self.delivered(event(name='"login:x"'), Settings(types=parse_types(listed)))


class Lines(Case):
    def check(self, given: str, expected: str) -> None:
        with self.subTest(given=given):
            self.assertEqual(self.delivered(given).data.decode(), expected)

    def test_members_are_added_at_the_end_and_nothing_else_moves(self):
        three = f"{UUID},{NAME},{TIME}"
        for given, expected in [
            (f"{{{three}}}", f"{{{three},{END}"),
            (f" \t\r\n{{{three}}}\r\n", f"{{{three},{END}"),
            (f"{{ {three} }}", f"{{ {three} ,{END}"),
            (f'{{\r\n  {UUID},\r\n  {NAME},\n\t{TIME}\r\n}}\r\n', f"{{  {UUID},  {NAME},\t{TIME},{END}"),
            (f'{{{three},"a" : [ 1,\n"\\n", {{ }} ] }}', f'{{{three},"a" : [ 1,"\\n", {{ }} ] ,{END}'),
            (f'{{{three},"n":1.10E+0,"s":"\\ud800\\/\\u0041"}}', f'{{{three},"n":1.10E+0,"s":"\\ud800\\/\\u0041",{END}'),
            (f'{{{three},"s":"}}\\",\\\\","t":"\u2028"}}', f'{{{three},"s":"}}\\",\\\\","t":"\u2028",{END}'),
        ]:  # fmt: skip
            self.check(given, expected)

    def test_members_of_the_added_names_go_with_their_segment(self):
        three = f"{UUID},{NAME},{TIME}"
        for given in [
            f'{{"event_type":1,{three}}}', f'{{{three},"event_type":{{"a":[1,2]}}}}',
            f'{{{three},"event_subtype" : "," }}',
            f'{{{UUID}, "created_datetime":null ,{NAME},{TIME}}}',
            f'{{\n"event\\u005ftype" :"}}",{three},"event_subtype":[[],{{}}],"created_datetime":2\n}}',
        ]:  # fmt: skip
            self.check(given, f"{{{three},{END}")
        for given, kept in [
            (f'{{ "event_type":1 , {three} }}', f" {three} "),
            (f'{{ {three} , "event_type":1 }}', f" {three} "),
            (f'{{ {UUID} , "event_type":1  ,  {NAME},{TIME}}}', f" {UUID} ,  {NAME},{TIME}"),
            (f'{{{three},"a":{{"event_type":1, "event_subtype":2}}}}', f'{three},"a":{{"event_type":1, "event_subtype":2}}'),
        ]:
            self.check(given, f"{{{kept},{END}")

    def test_added_texts_have_the_fewest_escapes(self):
        name = '"\\u00e9\\"\\u002f\\u007f: \\\\\\ud83e\\udd80 \\u2028x:z"'
        line = self.delivered(event(name=name)).data.decode()
        self.assertIn(',"event_type":"é\\"/\u007f","event_subtype":"\\\\🦀 \u2028x",', line)

    def test_identities_are_the_untrimmed_texts_and_nanoseconds(self):
        for data, identity, identity_uuid in [
            (event(), '["u","account:created",1712511721022075000]', '["u"]'),
            (event(' " \\u0041\\/\\"\\\\" ', '" a : b "', "1.0000000019"), '[" A/\\"\\\\"," a : b ",1000000001]', '[" A/\\"\\\\"]'),
            (event(time="253402300799999999999"), '["u","account:created",253402300799999999999]', '["u"]'),
            (event(time='"-0.0"'), '["u","account:created",0]', '["u"]'),
        ]:  # fmt: skip
            verdict = self.delivered(data)
            self.assertEqual((verdict.identity, verdict.identity_uuid), (identity, identity_uuid))


class Generated(Case):
    def test_each_maker_of_a_refusal_is_refused_for_that_reason(self):
        random = Random(3)
        for reason, maker in generate.REFUSED.items():
            for _ in range(400):
                self.refused(maker(random), reason, NARROW)

    def test_every_refusal_and_delivery_occurs(self):
        narrow_only = {"event_year_out_of_range", "event_type_not_listed"}
        every = set(generate.REFUSED)
        for settings, expected in [(ANY, every - narrow_only), (NARROW, every)]:
            verdicts = [verdict for _, verdict in generate.cases(1, 4000, settings)]
            reasons = {verdict.reason for verdict in verdicts if isinstance(verdict, Refused)}
            self.assertEqual(reasons, expected)
            self.assertGreater(sum(isinstance(verdict, Delivered) for verdict in verdicts), 500)

    def test_the_same_seed_gives_the_same_cases(self):
        self.assertEqual(list(generate.cases(5, 300, ANY)), list(generate.cases(5, 300, ANY)))
        self.assertNotEqual(list(generate.cases(5, 300, ANY)), list(generate.cases(6, 300, ANY)))

    def test_pythons_parser_agrees_on_what_is_json(self):
        syntax = ("not_json", "many_values")
        for data, verdict in generate.cases(11, 6000, ANY):
            reason = verdict.reason if isinstance(verdict, Refused) else ""
            if reason not in ("data_missing", "not_utf8", "too_deep"):
                with self.subTest(data=data[:200]):
                    self.assertEqual(pairs(data) is NO_JSON, reason in syntax)

    def test_a_delivered_line_is_the_event_and_what_was_added(self):
        for data, verdict in generate.cases(12, 6000, ANY):
            if isinstance(verdict, Delivered):
                with self.subTest(data=data[:200]):
                    self.check_delivered(data, verdict)

    def check_delivered(self, data: bytes, verdict: Delivered) -> None:
        before, after = pairs(data), pairs(verdict.data)
        self.assertEqual(after[:-3], [pair for pair in before if pair[0] not in ADDED])
        self.assertEqual([name for name, _ in after[-3:]], list(ADDED))
        self.assertEqual(verdict.data.find(b"\n"), len(verdict.data) - 1)
        self.assertNotIn(b"\r", verdict.data)
        event_type, event_subtype, written = (value for _, value in after[-3:])
        keys = verdict.keys
        self.assertEqual(unquote(keys["event_type"]), event_type)
        self.assertEqual(unquote(keys["event_subtype"]), event_subtype)
        day = "-".join(keys[key] for key in ("year", "month", "day"))
        self.assertEqual(f"{day}T{keys['hour']}", written[:13])
        fields = dict(before)
        uuid, name, instant = json.loads(verdict.identity)
        self.assertEqual([uuid, name], [fields["event_uuid"], fields["event_name"]])
        self.assertEqual(json.loads(verdict.identity_uuid), [uuid])
        self.assertTrue(0 <= instant < INSTANT_END)


def clamp(instant: int) -> int:
    """All that lies outside is one to the rules."""
    return max(-1, min(instant, INSTANT_END))


class Number(str):
    """A number as it is spelled, apart from text."""


NO_JSON = object()


def pairs(data: bytes) -> object:
    """What Python's own parser makes of it, made strict; NO_JSON where it is not one value."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        return json.loads(
            data.decode(),
            object_pairs_hook=list,
            parse_int=Number,
            parse_float=Number,
            parse_constant=refuse,
        )
    except ValueError:
        return NO_JSON


if __name__ == "__main__":
    unittest.main()
