//! A redrive's tables and summary, for a person or for a program.

use std::{collections::BTreeMap, path::Path};

use anstyle::Style;
use anyhow::Result;
use indicatif::{DecimalBytes, HumanCount};
use serde_json::{Value, json};

use super::{
    export::Exported,
    selection::{Cause, REFUSED_AGAIN},
    tally::{Mode, RecordGroup, RecordOutcome, RedriveTally},
};
use crate::{
    functions::firehose_transform::event::EventFields,
    local::{firehose::error_object::read::NotErrorObject, shell::quoted},
    tool::{
        plain::Plain,
        redriven::{Run, State},
        table::{Cell, Column, Table},
        terminal::{DIM, GREEN, PLAIN, RED, YELLOW, print, print_json},
        times::utc,
    },
};

pub(super) struct RedriveReport<'a> {
    pub(super) tally: &'a RedriveTally,
    /// Earlier ones of this source.
    pub(super) runs: Vec<&'a Run>,
    pub(super) mode: Mode,
    pub(super) is_complete: bool,
    pub(super) exported: Option<Exported>,
    pub(super) command: GivenCommand<'a>,
    /// Under which names events have uuid, name and time, as they are judged.
    pub(super) event_fields: &'a EventFields,
}

/// As it was given, as far as the next one is the same.
pub(super) struct GivenCommand<'a> {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) table: Option<&'a str>,
}

impl GivenCommand<'_> {
    /// For events, into the same lake.
    fn run(&self) -> String {
        let source = quoted(&self.source);
        match self.target.strip_prefix("lake:") {
            None | Some("lake") => format!("nozzle run {source}"),
            Some(lake) => format!("nozzle run {source} --lake {}", quoted(lake)),
        }
    }

    fn with_source(&self, source: &Path) -> String {
        let [source, target] =
            [&source.display().to_string(), &self.target].map(|word| quoted(word));
        let table = self
            .table
            .map(|table| format!(" --table {}", quoted(table)));
        let table = table.unwrap_or_default();
        format!("nozzle redrive {source} --to {target}{table} --execute")
    }
}

/// How many earlier redrives are shown.
const RUNS_SHOWN: usize = 5;
/// How many codes and reasons are named.
const WORDS_SHOWN: usize = 12;

impl RedriveReport<'_> {
    pub(super) fn print_human(&self, shows_places: bool) -> Result<()> {
        if let Some(sentence) = self.other_lines() {
            return print(sentence + "\n");
        }
        if self.tally.rows.is_empty() && self.tally.records > 0 {
            print(self.none_asked_for())?;
            return self.print_end();
        }
        self.rows().print()?;
        let outcomes = self.outcomes();
        if !outcomes.is_empty() {
            print("\n")?;
            outcomes.print()?;
        }
        self.print_lines(shows_places)?;
        if shows_places {
            self.print_places()?;
        } else {
            self.print_why()?;
        }
        self.print_runs()?;
        self.print_end()
    }

    /// What a source is that holds no record at all, and what to do.
    fn other_lines(&self) -> Option<String> {
        let mut others = [
            NotErrorObject::Event,
            NotErrorObject::Delivered,
            NotErrorObject::Archived,
            NotErrorObject::Pretty,
        ]
        .into_iter();
        let other = others.find(|why| self.tally.has_lines(*why))?;
        let sentence = match other {
            NotErrorObject::Event => format!(
                "These are events, no error objects, and a redrive sends none of them. Into a lake \
                 they go with:\n  {}",
                self.command.run()
            ),
            NotErrorObject::Archived => {
                "These are archived events: there is nothing to redrive. What was not accepted lies in \
                 the folder dead-letters."
                    .to_owned()
            }
            NotErrorObject::Pretty => format!(
                "This is JSON over several lines, but each line must be one record: \
                 `jq -c . {}` makes lines of it.",
                quoted(&self.command.source)
            ),
            _ => "These are delivered events: there is nothing to redrive. A lake's error objects \
                  lie in its folder errors."
                .to_owned(),
        };
        (self.tally.records == 0).then_some(sentence)
    }

    /// What there is in place of what the options ask for.
    fn none_asked_for(&self) -> String {
        let [codes, reasons] = self.tally.left_out.each_ref().map(|words| {
            let shown = words.iter().take(WORDS_SHOWN);
            shown
                .map(|word| Plain(word).to_string())
                .collect::<Vec<_>>()
                .join(", ")
        });
        let records = HumanCount(self.tally.records);
        format!(
            "no record of {records} is what the options ask for\n  codes    {codes}\n  reasons  {reasons}\n"
        )
    }

    /// The summary as one object. Names are for ever.
    pub(super) fn print_json(&self) -> Result<()> {
        print_json(&self.json())
    }

    fn json(&self) -> Value {
        let tally = self.tally;
        let count = |wanted: RecordOutcome| tally.of(|outcome| outcome == wanted);
        let unknown = tally.outcomes.iter();
        let unknown = unknown.filter_map(|(outcome, row)| match outcome {
            RecordOutcome::Unknown(why) => Some((why.as_str(), row)),
            _ => None,
        });
        let lines = tally.not_error_objects.iter();
        let positions = lines.clone().map(|(why, lines)| (why, &lines.positions));
        json!({
            "dry_run": self.mode == Mode::DryRun,
            "complete": self.is_complete,
            "left": tally.is_left(),
            "open": tally.open(self.mode),
            "objects": tally.objects,
            "records": tally.records,
            // In a dry run: what would be.
            "sent": count(RecordOutcome::Sent) + count(RecordOutcome::RefusedAgain),
            "sent_before": count(RecordOutcome::SentBefore) + count(RecordOutcome::RefusedBefore),
            // Of both: into a lake, as new error objects.
            "refused_again": tally.of(RecordOutcome::is_refused_again),
            "held_back": tally.of(RecordOutcome::is_held_back),
            // Of those held back: by another redrive.
            "sent_earlier": count(RecordOutcome::SentEarlier),
            "mended": count(RecordOutcome::Mended),
            "unknown": tally.counts().unknown,
            "refused": count(RecordOutcome::Refused),
            "too_large": count(RecordOutcome::TooLarge),
            "too_often": count(RecordOutcome::TooOften),
            "copies": count(RecordOutcome::Copy),
            "failed": count(RecordOutcome::Failed),
            "beyond_limit": count(RecordOutcome::BeyondLimit),
            "excluded": count(RecordOutcome::Excluded),
            "released": tally.released,
            "redriven_before": tally.redriven.iter().sum::<u64>(),
            "not_error_objects": lines.map(|(_, lines)| lines.lines).sum::<u64>(),
            "not_error_object_lines": positions.collect::<BTreeMap<_, _>>(),
            "unreadable": tally.unreadable,
            "failure": tally.failure,
            "unknown_because": unknown.collect::<BTreeMap<_, _>>(),
            "codes": tally.codes,
            "reasons": tally.reasons,
            "exported": self.exported().map(|exported| exported.file.display().to_string()),
        })
    }

    /// A line a reason and what becomes of its records.
    fn rows(&self) -> Table {
        let mut table = Table::new([
            Column::left("reason"),
            Column::right("records"),
            Column::left("arrived (UTC)"),
            Column::left(match self.mode {
                Mode::DryRun => "would be",
                Mode::Executed => "outcome",
            }),
        ]);
        let mut last = None;
        for ((cause, outcome), row) in &self.tally.rows {
            let is_same = last.replace(cause) == Some(cause);
            let (label, style) = label(*outcome);
            table.row([
                if is_same {
                    Cell::from("")
                } else {
                    Plain(&cause.in_short()).to_string().into()
                },
                Cell::styled(style, HumanCount(row.records).to_string()),
                arrived(row).into(),
                Cell::styled(style, label),
            ]);
        }
        table
    }

    /// What the words mean, and what can be done.
    fn outcomes(&self) -> Table {
        let mut table = Table::new([Column::left(""), Column::right(""), Column::prose("")]);
        for (outcome, row) in &self.tally.outcomes {
            let count = HumanCount(row.records).to_string();
            if let Some(remark) = self.remark(*outcome) {
                let (label, _) = label(*outcome);
                table.row([label.into(), count.into(), Cell::styled(DIM, remark)]);
            }
        }
        table
    }

    fn remark(&self, outcome: RecordOutcome) -> Option<String> {
        let remark = match outcome {
            RecordOutcome::Sent | RecordOutcome::Excluded if self.mode == Mode::Executed => {
                return None;
            }
            RecordOutcome::Sent if self.tally.sent_earlier > 0 => {
                let earlier = HumanCount(self.tally.sent_earlier);
                return Some(format!("{earlier} of them a redrive has sent already"));
            }
            RecordOutcome::Sent => return None,
            RecordOutcome::RefusedAgain => "the lake has a new error object for each",
            RecordOutcome::SentEarlier => {
                let begun = self.tally.sent_last?;
                let begun = minute(begun);
                let again = match self.command.target.strip_prefix("lake:") {
                    Some(_) => "",
                    None => "; --again sends them too",
                };
                return Some(format!("by a redrive, the last begun {begun} UTC{again}"));
            }
            RecordOutcome::SentBefore => "by this redrive, before it was interrupted",
            RecordOutcome::RefusedBefore => {
                "by this redrive, before it was interrupted; the lake has a new error object for each"
            }
            RecordOutcome::Copy => "the same record once more; one is enough",
            RecordOutcome::HeldBack => {
                "another record has their event's claim and was delivered, or is sent here"
            }
            RecordOutcome::Mended => "were sent mended; what is mended once more goes with --again",
            RecordOutcome::Unknown(why) => {
                return Some(format!("{}; --assume-undelivered sends them", why.as_str()));
            }
            RecordOutcome::Refused => self.how_to_mend(),
            RecordOutcome::TooLarge => "no stream takes more than 1,000 KiB",
            RecordOutcome::TooOften => "sent three times already: find out why, or --again",
            RecordOutcome::Failed => {
                let why = self.tally.failure.as_deref();
                why.unwrap_or("not taken; give the same command again")
            }
            RecordOutcome::BeyondLimit => "the same command goes on with them",
            RecordOutcome::Excluded => "not what the options ask for",
        };
        Some(remark.to_owned())
    }

    /// By rules of this function, as dead letters' are not.
    fn refuses_events(&self) -> bool {
        self.tally.rows.keys().any(|(cause, outcome)| {
            cause.reason != REFUSED_AGAIN
                && (*outcome == RecordOutcome::Refused || outcome.is_refused_again())
        })
    }

    /// A dead letter is mended where its event comes from: it has no line to be edited.
    fn how_to_mend(&self) -> &'static str {
        let mut refused = self.tally.rows.keys();
        let is_object = |(cause, outcome): &(Cause, RecordOutcome)| {
            *outcome == RecordOutcome::Refused && cause.reason != REFUSED_AGAIN
        };
        let has_letters = self.tally.reasons.contains_key(REFUSED_AGAIN);
        match (refused.any(is_object), has_letters) {
            (true, false) => "--export DIR writes them for repair, --all sends them",
            (true, true) => "--export DIR writes error objects for repair, --all sends all of them",
            (false, _) => "their functions would refuse them again; --all sends them",
        }
    }

    /// What to type about the first that would be refused; of a queue nothing can be read again.
    fn print_why(&self) -> Result<()> {
        let refused = RecordOutcome::Refused;
        let mut rows = self.tally.rows.iter();
        match rows.find(|((_, outcome), _)| *outcome == refused) {
            Some((_, row)) if !self.command.source.starts_with("sqs:") => print(format!(
                "\nwhy  nozzle explain {}\n     --places shows the first of each reason\n",
                quoted(&row.example)
            )),
            _ => Ok(()),
        }
    }

    /// Where the first of each reason stands, under its whole name: whole on a line, to be copied.
    fn print_places(&self) -> Result<()> {
        print("\nthe first of each reason\n")?;
        let mut last = None;
        for ((cause, _), row) in &self.tally.rows {
            if last.replace(cause) != Some(cause) {
                let cause = cause.to_string();
                print(format!("{}\n  {}\n", Plain(&cause), Plain(&row.example)))?;
            }
        }
        Ok(())
    }

    fn print_lines(&self, shows_places: bool) -> Result<()> {
        for (why, lines) in &self.tally.not_error_objects {
            let count = HumanCount(lines.lines);
            let hint = if shows_places {
                ""
            } else {
                "; --places says where"
            };
            print("\n")?;
            say([format!(
                "lines that are no error object: {count} ({why}){hint}"
            )])?;
            if !shows_places {
                continue;
            }
            for position in &lines.positions {
                print(format!("  {}\n", Plain(position)))?;
            }
            let more = lines.lines - lines.positions.len() as u64;
            if more > 0 {
                print(format!("  and {more} more; --export DIR names them all\n"))?;
            }
        }
        let mut sentences = self.tally.unreadable.iter();
        sentences.try_for_each(|sentence| print(format!("{RED}{}{RED:#}\n", Plain(sentence))))
    }

    fn print_runs(&self) -> Result<()> {
        let [once, twice, more] = self.tally.redriven;
        if once + twice + more > 0 {
            let [once, twice, more] = [once, twice, more].map(HumanCount);
            print(format!(
                "\nredriven before  {once} once, {twice} twice, {more} three times or more\n"
            ))?;
        }
        let sent = |run: &&&Run| run.counts.sent > 0 || run.state != State::Complete;
        let mut table = Table::of_values(0);
        if self.runs.iter().any(|run| sent(&run)) {
            print("\nearlier redrives\n")?;
        }
        for run in self.runs.iter().rev().filter(sent).take(RUNS_SHOWN) {
            let state = match run.state {
                State::Running => "not ended",
                State::Interrupted => "interrupted",
                State::Complete => "complete",
            };
            let sent = HumanCount(run.counts.sent);
            let line = format!("{} sent {sent} to {} ({state})", run.by, run.target);
            let started = format!("  {}", minute(run.started_milliseconds));
            table.row([Cell::styled(DIM, started), Cell::styled(DIM, line)]);
        }
        table.print()
    }

    /// What it comes to, and what to do next.
    fn print_end(&self) -> Result<()> {
        print("\n")?;
        if self.refuses_events() {
            say([format!("refusals are by the fields {}", self.event_fields)])?;
        }
        say([self.open_in_words(), self.sent_in_words()])?;
        if self.tally.letters_not_exported > 0 {
            say([format!(
                "dead letters are not exported: {}; they are mended where their events come from, and \
                 --all sends them as they are",
                HumanCount(self.tally.letters_not_exported)
            )])?;
        }
        let Some(Exported { records, file }) = self.exported() else {
            return Ok(());
        };
        let next = self.command.with_source(file);
        let (records, file) = (HumanCount(*records), file.display());
        print(format!(
            "to be mended in {file}: {records}; then, with the same settings:\n  {next}\n"
        ))
    }

    /// Where there is something to mend.
    fn exported(&self) -> Option<&Exported> {
        let exported = self.exported.as_ref();
        exported.filter(|exported| exported.records > 0)
    }

    /// What was refused again stands for itself in its new error object.
    fn open_in_words(&self) -> String {
        let tally = self.tally;
        let (open, records) = (HumanCount(tally.open(self.mode)), HumanCount(tally.asked()));
        let open = if self.is_complete {
            format!("still open: {open} of {records} records")
        } else {
            format!("not all was read; still open of what was: {open} of {records} records")
        };
        let open = match tally.of(RecordOutcome::is_refused_again) {
            0 => format!("{open} are neither delivered nor sent"),
            refused => format!(
                "{open} are not delivered, {} of them sent and refused again",
                HumanCount(refused)
            ),
        };
        match tally.of(|outcome| outcome == RecordOutcome::Excluded) {
            0 => open,
            excluded => format!(
                "{open}; the options leave out {} more",
                HumanCount(excluded)
            ),
        }
    }

    /// An export writes, though not into what there was.
    fn unchanged(&self) -> &'static str {
        match self.exported() {
            Some(_) => "this was a dry run: nothing was sent",
            None => "this was a dry run: nothing was changed",
        }
    }

    /// What is no longer open, and sent all the same.
    fn once_more(&self) -> String {
        match self.tally.sent_earlier {
            0 => String::new(),
            earlier => format!(", {} of them once more", HumanCount(earlier)),
        }
    }

    fn sent_in_words(&self) -> String {
        let sent = [RecordOutcome::Sent, RecordOutcome::RefusedAgain];
        let sent = sent.map(|outcome| self.tally.outcomes.get(&outcome));
        let sent = sent.into_iter().flatten();
        let (records, bytes) = sent.fold((0, 0), |(records, bytes), row| {
            (records + row.records, bytes + row.bytes)
        });
        let (sent, bytes) = (HumanCount(records), DecimalBytes(bytes));
        let released = match self.tally.released {
            0 => String::new(),
            released => format!(
                ", {} claims of their own given back first",
                HumanCount(released)
            ),
        };
        match (self.mode, records) {
            (Mode::DryRun, 0) => format!("{}, and --execute would send nothing", self.unchanged()),
            (Mode::DryRun, _) => format!(
                "{}; --execute sends {sent} ({bytes}{released}){}",
                self.unchanged(),
                self.once_more()
            ),
            (Mode::Executed, 0) => "nothing was sent".to_owned(),
            (Mode::Executed, _) => format!("{sent} were sent ({bytes}{released})"),
        }
    }
}

/// Sentences, a line each where they fit.
fn say(sentences: impl IntoIterator<Item = String>) -> Result<()> {
    let mut table = Table::new([Column::prose("")]);
    for sentence in sentences {
        table.row([sentence.into()]);
    }
    table.print()
}

/// A word for it, and its colour.
fn label(outcome: RecordOutcome) -> (&'static str, Style) {
    match outcome {
        RecordOutcome::Sent => ("sent", GREEN),
        RecordOutcome::RefusedAgain | RecordOutcome::RefusedBefore => ("sent, refused", YELLOW),
        RecordOutcome::SentBefore | RecordOutcome::SentEarlier => ("sent before", GREEN),
        RecordOutcome::Copy => ("a copy", PLAIN),
        RecordOutcome::HeldBack => ("held back", PLAIN),
        RecordOutcome::Mended => ("sent mended", GREEN),
        RecordOutcome::Unknown(_) => ("unknown", YELLOW),
        RecordOutcome::Refused => ("refused again", YELLOW),
        RecordOutcome::TooLarge => ("too large", YELLOW),
        RecordOutcome::TooOften => ("sent too often", YELLOW),
        RecordOutcome::Failed => ("not taken", RED),
        RecordOutcome::BeyondLimit => ("beyond --limit", PLAIN),
        RecordOutcome::Excluded => ("left out", PLAIN),
    }
}

/// From the first to the last minute, as short as that can be said.
fn arrived(row: &RecordGroup) -> String {
    let (Some(first), Some(last)) = (row.first, row.last) else {
        return "not known".to_owned();
    };
    let [first, last] = [minute(first), minute(last)];
    let (first_day, last_day) = (day(&first), day(&last));
    match last.strip_prefix(first_day) {
        Some(_) if first == last => first,
        Some(time) => format!("{first}-{}", time.trim_start()),
        None => format!("{first_day} to {last_day}"),
    }
}

fn day(minute: &str) -> &str {
    minute.split(' ').next().unwrap_or(minute)
}

fn minute(milliseconds: i64) -> String {
    utc(milliseconds).format("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_said_as_short_as_it_can_be() {
        #[track_caller]
        fn check(first: Option<i64>, last: Option<i64>, expected: &str) {
            let row = RecordGroup {
                first,
                last,
                ..RecordGroup::default()
            };
            assert_eq!(arrived(&row), expected);
        }
        check(None, None, "not known");
        check(Some(0), Some(59_999), "1970-01-01 00:00");
        check(Some(0), Some(3_660_000), "1970-01-01 00:00-01:01");
        check(Some(0), Some(86_400_000), "1970-01-01 to 1970-01-02");
    }
}
