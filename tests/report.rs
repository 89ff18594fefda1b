//! The pages of `nozzle run --report` and `nozzle process --report`: what they say, and what a browser
//! makes of them.

#![cfg(feature = "tool")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use serde_json::Value;
use support::{
    browser::{Browser, View},
    folder::files,
    place::{Place, stderr},
};

impl Place {
    fn command(&self, arguments: &[&str]) -> Command {
        self.nozzle("run", arguments)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs to the end with a report.
    #[track_caller]
    fn report(&self, arguments: &[&str]) -> Reported {
        let all = [arguments, &["--report", "page.html", "--summary", "json"]].concat();
        let output = self.run(&all);
        assert!(output.status.success(), "{}", stderr(&output));
        self.reported(&output)
    }

    /// The same of what is counted.
    #[track_caller]
    fn counted(&self, arguments: &[&str]) -> Reported {
        let all = [arguments, &["--report", "page.html", "--summary", "json"]].concat();
        let output = self.nozzle("process", &all).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        self.reported(&output)
    }

    fn reported(&self, output: &Output) -> Reported {
        Reported {
            summary: serde_json::from_slice(&output.stdout).unwrap(),
            html: fs::read_to_string(self.path("page.html")).unwrap(),
        }
    }

    #[track_caller]
    fn check_refused(&self, arguments: &[&str], expected: &str) {
        let output = self.run(arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!self.path("lake").exists(), "{arguments:?} left a lake");
    }
}

/// The summary and the page of one run.
struct Reported {
    summary: Value,
    html: String,
}

impl Reported {
    /// The text of a headline number.
    fn tile(&self, name: &str) -> &str {
        between(&self.html, &format!("<dd data-name=\"{name}\">"), "</dd>")
    }

    /// Whether a section says so, without tags.
    #[track_caller]
    fn check_says(&self, section: &str, expected: &str) {
        let said = text(self.section(section));
        assert!(said.contains(expected), "{said:.600}");
    }

    #[track_caller]
    fn check_notice(&self, expected: &str) {
        let said = text(between(&self.html, "<p class=\"notice\">", "<dl"));
        assert!(said.contains(expected), "{said}");
    }

    /// What columns say to who points at them.
    fn titles(&self, section: &str) -> Vec<String> {
        titles(self.section(section))
    }

    fn section(&self, name: &str) -> &str {
        let start = format!("<section aria-labelledby=\"{name}\">");
        between(&self.html, &start, "</section>")
    }

    fn count(&self, name: &str) -> u64 {
        self.summary[name].as_u64().unwrap()
    }

    /// The rows of a table's body: the texts of their cells.
    fn rows(&self, section: &str, class: &str) -> Vec<Vec<String>> {
        let table = between(
            self.section(section),
            &format!("<table class=\"{class}\">"),
            "</table>",
        );
        let body = between(table, "<tbody>", "</tbody>");
        let rows = body.split("<tr>").skip(1);
        rows.map(cells).collect()
    }

    fn check_shows_the_summary(&self) {
        for name in ["records", "delivered", "duplicates", "overflow"] {
            assert_eq!(number(self.tile(name)), self.count(name), "{name}");
        }
        let refused = self.summary["refused"].as_object().unwrap();
        let sum: u64 = refused.values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(number(self.tile("refused")), sum);
        if sum > 0 {
            let rows = self.rows("refusals", "reasons");
            assert_eq!(rows.len(), refused.len());
            for row in rows {
                assert_eq!(
                    number(&row[1]),
                    refused[&row[0]].as_u64().unwrap(),
                    "{row:?}"
                );
                let first = self.summary["refused_examples"][&row[0]].as_str().unwrap();
                assert!(row[3].starts_with(first), "{row:?}");
            }
        }
    }
}

#[track_caller]
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
}

/// The texts of a row's cells.
fn cells(row: &str) -> Vec<String> {
    let cells = row.split("</th>").flat_map(|rest| rest.split("</td>"));
    cells.map(text).collect()
}

/// Without tags and entities.
fn text(html: &str) -> String {
    let pieces = html.split('<');
    let texts = pieces.map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    let text: String = texts.collect();
    let plain = text.replace("&lt;", "<").replace("&gt;", ">");
    plain.replace("&amp;", "&").trim().to_owned()
}

fn titles(html: &str) -> Vec<String> {
    let titles = html.split("<title>").skip(1);
    titles
        .map(|title| text(title.split("</title>").next().unwrap()))
        .collect()
}

#[track_caller]
fn number(text: &str) -> u64 {
    text.replace(',', "")
        .parse()
        .unwrap_or_else(|_| panic!("{text:?} is no number"))
}

fn event(number: usize, name: &str, created_at: usize) -> String {
    let name = Value::from(name);
    format!(
        r#"{{"event_uuid":"e{number}","event_name":{name},"created_at":{created_at},"note":"{}"}}"#,
        "x".repeat(200)
    ) + "\n"
}

const START: usize = 1_770_000_000;
const YEAR_3000: usize = 32_503_680_000;

fn events(numbers: std::ops::Range<usize>) -> String {
    numbers
        .map(|number| {
            event(
                number,
                ["page:viewed", "order:paid", "login"][number % 3],
                START + number,
            )
        })
        .collect()
}

/// Types that would be something else than text, were they not written with care.
const HOSTILE: [&str; 7] = [
    "<script>document.title='owned'</script>",
    "\"><img src=x onerror=\"document.title='owned'\">",
    "'onmouseover='alert(1)",
    "</title></style></svg><h1>&amp;",
    "\u{202e}\u{2066}drawkcab\u{200b}",
    "{{style}}{{headline}}",
    "العربية-👩‍👩‍👧-日本語",
];

fn hostile() -> String {
    let long = ["w".repeat(190), format!("a{}", "Z̃̂".repeat(10))];
    let names: Vec<_> = HOSTILE
        .into_iter()
        .chain(long.iter().map(String::as_str))
        .collect();
    let many =
        (0..300).map(|number| event(number, &format!("kind{number}:x"), START + number * 3_600));
    let often = names.iter().enumerate().flat_map(|(position, name)| {
        (0..9).map(move |copy| event(1_000 + position * 10 + copy, name, START + copy * 86_400))
    });
    let far = [0, 1, YEAR_3000].map(|second| event(2_000 + second % 97, "far:away", second));
    let refused = "not json\n[]\n{}\n\"<b>\"\n".repeat(3);
    often
        .chain(many)
        .chain(far)
        .chain([events(0..50), events(0..50), refused])
        .collect()
}

fn sample() -> String {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/events.jsonl");
    sample.to_str().unwrap().to_owned()
}

#[test]
fn the_page_says_what_the_summary_says() {
    let place = Place::new();
    let reported = place.report(&[&sample(), "--on-differing-duplicate", "fail"]);
    reported.check_shows_the_summary();
    let sum = ["delivered", "duplicates", "error_objects", "records"];
    let balance = text(between(&reported.html, "<figcaption>", "</figcaption>"));
    let words = balance.split_whitespace().map(|word| word.replace(',', ""));
    let said: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
    assert_eq!(said, sum.map(|name| reported.count(name)));
    let differing = reported.count("failed_differing");
    reported.check_says(
        "refusals",
        &format!("{differing} were duplicates with other bytes"),
    );
    let partitions = reported.count("partitions");
    let files = reported.count("files");
    assert!(partitions > 1_000 && files > 1_000);
    let [files, partitions] =
        [files, partitions].map(|number| format!("{},{:03}", number / 1_000, number % 1_000));
    reported.check_says(
        "partitions",
        &format!(" in {files} files of {partitions} partitions"),
    );
    assert_eq!(reported.rows("partitions", "largest").len(), 12);
}

#[test]
fn events_are_drawn_by_type_and_every_one_is_counted() {
    let place = Place::new();
    let far = event(9_000, "late", YEAR_3000) + &event(9_001, "early", 1);
    place.write("in.jsonl", events(0..3_000) + &far);
    let reported = place.report(&["in.jsonl"]);
    let rows = reported.rows("events", "types");
    let types: Vec<_> = rows
        .iter()
        .map(|row| (row[0].as_str(), row[2].as_str()))
        .collect();
    let often = ["login", "order", "page"].map(|name| (name, "1,000"));
    assert_eq!(
        types,
        [&often[..], &[("early", "1"), ("late", "1")]].concat()
    );
    reported.check_says("events", "1 event not drawn: earlier, back to 1 Jan 1970.");
    reported.check_says("events", "1 event not drawn: later, up to 1 Jan 3000.");
    let rows = reported.rows("events", "data");
    let drawn: u64 = rows.iter().map(|row| number(&row[1])).sum();
    assert_eq!(drawn, 3_000);
}

#[test]
fn duplicates_and_refusals_are_seen_where_they_came() {
    let place = Place::new();
    let begin = events(0..10_000) + &events(6_000..8_000);
    place.write(
        "in.jsonl",
        &(begin + &"bad\n".repeat(2_000) + &events(10_000..12_000)),
    );
    let keys = ["--partition-keys", "event_type,year"];
    let reported = place.report(&[&["in.jsonl", "--batch-mb", "0.2"], &keys[..]].concat());
    reported.check_shows_the_summary();
    let explains = "nozzle explain FILE:LINE --partition-keys event_type,year<";
    assert!(reported.html.contains(explains));
    let duplicates = reported.titles("duplicates");
    assert!(
        duplicates.iter().any(|title| title.ends_with("100.0 %")),
        "{duplicates:?}"
    );
    assert!(duplicates.len() < 8, "{duplicates:?}");
    let refusals = reported.titles("refusals");
    assert!((1..8).contains(&refusals.len()), "{refusals:?}");
    let places = &reported.rows("refusals", "reasons")[0][3];
    assert_eq!(places, "in.jsonl:12001 :12002 :12003");
}

#[test]
fn every_batch_is_timed() {
    let place = Place::new();
    place.write("in.jsonl", events(0..5_000));
    let reported = place.report(&["in.jsonl", "--batch-mb", "0.2"]);
    let said = text(reported.section("batches"));
    let batches = number(between(&said, "took for ", " batches"));
    assert!((6..20).contains(&batches), "{batches}");
    let by_time = between(
        reported.section("batches"),
        "Batches by time",
        "Along the run",
    );
    let counted = titles(by_time).into_iter().map(|title| {
        let (_, count) = title.split_once('\n').unwrap();
        number(count.split(' ').next().unwrap())
    });
    assert_eq!(counted.sum::<u64>(), batches);
}

/// Of two experiments, over two days; a fifth of the users buys.
fn counted_events(variants: &[&str]) -> String {
    let event = |number: usize| {
        let variant = Value::from(variants[number % variants.len()]);
        format!(
            r#"{{"event_id":"e{number}","event_type":"{}","user_id":"u{}","experiment_id":"x{}","timestamp":{},"metadata":{{"variant":{variant}}}}}"#,
            ["view", "purchase"][usize::from(number.is_multiple_of(5))],
            number % 90,
            number / 300,
            START + number * 300,
        )
    };
    let lines: Vec<_> = (0..600).map(event).collect();
    lines.join("\n") + "\n"
}

#[test]
fn what_was_counted_is_drawn_by_variant_with_users_refusals_and_duplicates() {
    let place = Place::new();
    let events = counted_events(&["A", "B", "B"]);
    let copies: String = events.split_inclusive('\n').take(30).collect();
    place.write("in.jsonl", events + &copies + "no json\n{}\n{}\n");
    let reported = place.counted(&["in.jsonl", "--drop-copies", "--conversion", "purchase"]);
    for (tile, name) in [
        ("records", "records"),
        ("archived", "archived"),
        ("dead letters", "dead_letters"),
    ] {
        assert_eq!(number(reported.tile(tile)), reported.count(name), "{tile}");
    }
    let rows = reported.rows("events", "types");
    let variants = rows.iter().map(|row| (row[0].as_str(), row[2].as_str()));
    assert_eq!(variants.collect::<Vec<_>>(), [("A", "100"), ("B", "200")]);
    reported.check_says("events", "Experiment x0");
    reported.check_says("events", "Experiment x1");
    let drawn: u64 = reported
        .rows("events", "data")
        .iter()
        .map(|row| number(&row[1]))
        .sum();
    assert_eq!(drawn, 300);
    let users = reported.rows("users", "users");
    assert_eq!(users.len(), 4);
    assert_eq!(
        (users[0][0].as_str(), users[0][1].as_str()),
        ("x0, A", "30")
    );
    assert!(users[0][3].contains('%'), "{users:?}");
    let refusals = reported.rows("refusals", "reasons");
    let refusals = refusals
        .iter()
        .map(|row| (row[0].as_str(), row[1].as_str()));
    let expected = [("event_id_missing", "2"), ("not_json", "1")];
    assert_eq!(refusals.collect::<Vec<_>>(), expected);
    reported.check_says("duplicates", "30 events");
}

#[test]
fn an_empty_run_has_a_page_too() {
    let place = Place::new();
    place.write("in.jsonl", "\n");
    let reported = place.report(&["in.jsonl"]);
    assert_eq!(
        text(between(&reported.html, "<h1>", "</h1>")),
        "There was no record"
    );
    for (section, said) in [
        ("events", "No event was delivered"),
        ("refusals", "No record was refused"),
        ("duplicates", "No event came twice"),
        ("partitions", "No file was written"),
        ("batches", "The function got no batch"),
    ] {
        reported.check_says(section, said);
    }
}

#[test]
fn a_failing_function_is_said_on_the_page() {
    let place = Place::new();
    place.write("in.jsonl", events(0..3));
    let arguments = [
        "in.jsonl",
        "--response-bytes-max",
        "10",
        "--summary",
        "json",
    ];
    let output = place.run(&[&arguments[..], &["--report", "page.html"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let reported = place.reported(&output);
    reported.check_notice("The function failed on 3 records");
    reported.check_says("refusals", "3 were in batches that the function failed on");
}

#[test]
fn where_no_page_can_be_is_said_before_any_work() {
    let place = Place::new();
    place.write("in.jsonl", events(0..3));
    fs::create_dir(place.path("folder")).unwrap();
    let check = |report: &str, expected: &str| {
        place.check_refused(&["in.jsonl", "--report", report], expected);
    };
    check("folder", "--report folder is a folder");
    check("nowhere/page.html", "the folder `nowhere` cannot be found");
    check("in.jsonl", "--report in.jsonl is also input");
    check("./folder/../in.jsonl", "is also input");
    check(
        "in.jsonl/page.html",
        "--report in.jsonl/page.html cannot be written",
    );
    check("/dev/null", "--report /dev/null is no file");
    assert_eq!(
        fs::read_to_string(place.path("in.jsonl")).unwrap(),
        events(0..3)
    );
}

#[test]
fn an_earlier_page_is_replaced_and_nothing_is_left_beside_it() {
    let place = Place::new();
    place.write("in.jsonl", events(0..3));
    place.write("page.html", "an earlier page");
    let output = place.run(&["in.jsonl", "--report", "page.html"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let page = fs::canonicalize(place.path("page.html")).unwrap();
    assert!(
        said.ends_with(&format!("report       {}\n", page.display())),
        "{said}"
    );
    assert!(
        fs::read_to_string(&page)
            .unwrap()
            .starts_with("<!DOCTYPE html>")
    );
    let entries = fs::read_dir(place.folder()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["in.jsonl", "lake", "page.html"]);
}

#[cfg(unix)]
#[test]
fn a_run_whose_page_cannot_be_written_is_not_finished_and_writes_it_later() {
    let place = Place::new();
    place.write("in.jsonl", events(0..30));
    fs::create_dir(place.path("pages")).unwrap();
    let arguments = ["-", "--report", "pages/page.html", "--summary", "json"];
    let mut child = place
        .command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(events(0..30).as_bytes()).unwrap();
    while !place.path("lake/.nozzle/open").is_dir() {
        thread::yield_now();
    }
    fs::remove_dir(place.path("pages")).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("page.html` cannot be written"),
        "{}",
        stderr(&output)
    );
    let first: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(first["delivered"], 30);

    let mut again = place.command(&["-", "--report", "page.html", "--summary", "json"]);
    let again = again
        .stdin(fs::File::open(place.path("in.jsonl")).unwrap())
        .output()
        .unwrap();
    let reported = place.reported(&again);
    assert_eq!(
        (reported.count("delivered"), reported.count("duplicates")),
        (30, 0)
    );
    assert_eq!(reported.rows("events", "types").len(), 3);
}

#[cfg(unix)]
mod interrupted {
    use super::*;

    /// Interrupts a run that has been given so much, once it has written something.
    fn interrupt(place: &Place, arguments: &[&str], text: &str) -> Output {
        let mut child = place
            .command(&[&["--summary", "json", "--batch-mb", "0.2"], arguments].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        while files(&place.path("lake/.nozzle/open")).is_empty() {
            thread::yield_now();
        }
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap();
        let pipe = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(pipe);
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        output
    }

    fn go_on(place: &Place, text: &str) -> Reported {
        place.write("whole", text);
        let arguments = [
            "--summary",
            "json",
            "--batch-mb",
            "0.2",
            "--report",
            "page.html",
        ];
        let mut command = place.command(&arguments);
        let output = command
            .stdin(fs::File::open(place.path("whole")).unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        place.reported(&output)
    }

    fn drawn(reported: &Reported) -> u64 {
        reported
            .rows("events", "types")
            .iter()
            .map(|row| number(&row[2]))
            .sum()
    }

    #[test]
    fn the_page_of_an_interrupted_run_says_so_and_the_next_one_shows_both_parts() {
        let place = Place::new();
        let whole = events(0..20_000);
        let output = interrupt(
            &place,
            &["--report", "page.html"],
            &whole[..whole.len() / 2],
        );
        let part = place.reported(&output);
        part.check_shows_the_summary();
        part.check_notice("The run is not at its end");
        assert_eq!(drawn(&part), part.count("delivered"));

        let reported = go_on(&place, &whole);
        reported.check_notice("The run was interrupted after");
        assert!(!text(&reported.html).contains("not at its end"));
        assert_eq!(reported.count("resumed_records"), part.count("records"));
        assert_eq!(
            (drawn(&reported), reported.count("delivered")),
            (20_000, 20_000)
        );
        let files = reported.count("files");
        reported.check_says("partitions", &format!(" in {files} file"));
    }

    #[test]
    fn a_page_asked_for_only_later_says_what_it_does_not_show() {
        let place = Place::new();
        let whole = events(0..20_000);
        interrupt(&place, &[], &whole[..whole.len() / 2]);
        let reported = go_on(&place, &whole);
        reported.check_shows_the_summary();
        let unseen = reported.count("resumed_records");
        assert_eq!(drawn(&reported), 20_000 - unseen);
        let said = between(
            &reported.html,
            "<b>The first ",
            " records came before a report was asked for",
        );
        assert_eq!(number(said), unseen);
    }
}

const VIEWS: [View; 4] = [
    View {
        width: 360,
        scheme: "light",
    },
    View {
        width: 360,
        scheme: "dark",
    },
    View {
        width: 1_280,
        scheme: "light",
    },
    View {
        width: 1_280,
        scheme: "dark",
    },
];

/// Everything that holds for each page however it is looked at.
fn check_in_browser(browser: &mut Browser, page: &Path) {
    let mut papers = Vec::new();
    for view in VIEWS {
        let heard = browser.open(page, view);
        assert_eq!(heard, Vec::<String>::new(), "{view:?}");
        let faint = browser.evaluate(include_str!("support/contrast.js"));
        assert_eq!(faint["faint"], Value::Array(Vec::new()), "{view:?}");
        assert!(faint["seen"].as_u64().unwrap() > 20, "{view:?}");
        let beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.evaluate(beyond), 0, "{view:?}: it is too wide");
        assert_eq!(browser.evaluate("innerWidth"), view.width);
        papers.push(browser.evaluate("getComputedStyle(document.body).backgroundColor"));
    }
    assert_eq!((&papers[0], &papers[1]), (&papers[2], &papers[3]));
    assert_ne!(papers[0], papers[1]);
}

#[test]
fn a_browser_shows_every_page_narrow_and_wide_light_and_dark() {
    let place = Place::new();
    place.write("hostile.jsonl", hostile());
    place.write("empty.jsonl", "");
    let page = place.path("page.html");
    let Some(mut browser) = Browser::start() else {
        return;
    };
    for (lake, input) in [
        ("sample", sample().as_str()),
        ("empty", "empty.jsonl"),
        ("hostile", "hostile.jsonl"),
    ] {
        place.report(&[input, "--lake", lake]);
        check_in_browser(&mut browser, &page);
    }
    place.write("counted.jsonl", counted_events(&HOSTILE) + "no json\n");
    for (folder, input) in [("counted", "counted.jsonl"), ("nothing", "empty.jsonl")] {
        place.counted(&[input, "--into", folder, "--conversion", "purchase"]);
        check_in_browser(&mut browser, &page);
    }
}

#[test]
fn hostile_text_is_shown_and_is_never_more_than_text() {
    let place = Place::new();
    place.write("hostile.jsonl", hostile());
    let reported = place.report(&["hostile.jsonl"]);
    reported.check_shows_the_summary();
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.open(&place.path("page.html"), VIEWS[0]);
    let counts = "['script', 'img', 'h1', 'style', '[onerror]', '[onmouseover]'].map(\
                  name => document.querySelectorAll(name).length)";
    let expected = serde_json::json!([0, 0, 1, 1, 0, 0]);
    assert_eq!(browser.evaluate(counts), expected);
    let title = browser.evaluate("document.title");
    assert!(
        title.as_str().unwrap().starts_with("Nozzle run into /"),
        "{title}"
    );
    let types = "[...document.querySelectorAll('.types bdi')].map(type => type.textContent)";
    let shown = browser.evaluate(types);
    let shown: Vec<_> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    for name in HOSTILE {
        let spelled = name
            .replace('\u{202e}', "⟨U+202E⟩")
            .replace('\u{2066}', "⟨U+2066⟩")
            .replace('\u{200b}', "⟨U+200B⟩");
        let event_type = spelled.split(':').next().unwrap();
        assert!(
            shown.contains(&event_type),
            "{event_type} is not in {shown:?}"
        );
    }
}

#[test]
fn the_page_lets_nothing_in_from_outside() {
    let place = Place::new();
    let reported = place.report(&[&sample()]);
    let policy = between(&reported.html, "Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    for outside in ["http:", "https:", "src=", "@import", "url(", "<script"] {
        assert!(!reported.html.contains(outside), "{outside}");
    }
    assert!(reported.html.len() < 1_000_000, "{}", reported.html.len());

    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.open(&place.path("page.html"), VIEWS[0]);
    let image = "document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/' })); \
                 new Promise(done => document.addEventListener('securitypolicyviolation', \
                 event => done(event.blockedURI)))";
    assert_eq!(browser.evaluate(image), "http://127.0.0.1:9/");
}
