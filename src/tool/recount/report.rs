//! What a recount has found, for a person or for a program.

use anyhow::Result;
use indicatif::HumanCount;
use serde_json::{Value, json};

use super::{
    archive::Unread,
    compare::{Deviation, Deviations, Fate},
};
use crate::tool::{
    counter_table::{subject_cells, subject_columns, subject_members},
    counts::CountTable,
    intake::members,
    table::{Column, Table},
    terminal::{Format, GREEN, RED, YELLOW, print, print_json},
};

const LABEL_WIDTH: usize = 12;
/// A person is shown so many of them.
const SHOWN_MAX: usize = 50;

const FATES: [Fate; 7] = [
    Fate::Differs,
    Fate::SetRight,
    Fate::Changed,
    Fate::Unsettled,
    Fate::UnderWay,
    Fate::Unread,
    Fate::NoArchive,
];

impl Fate {
    /// Names are for ever.
    fn as_str(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::SetRight => "set_right",
            Self::Changed => "changed",
            Self::Unsettled => "unsettled",
            Self::UnderWay => "under_way",
            Self::Unread => "unread",
            Self::NoArchive => "no_archive",
        }
    }

    fn in_words(self) -> String {
        self.as_str().replace('_', " ")
    }

    fn remark(self) -> &'static str {
        match self {
            Self::Differs => "are not what the archive says; --execute sets them right",
            Self::SetRight => "are now what the archive says",
            Self::Changed => "were changed by others meanwhile; look again later",
            Self::Unsettled => "are of windows that ended a short time ago (--settle)",
            Self::UnderWay => "have events that are archived and not counted yet; look again later",
            Self::Unread => "are of windows of which the archive cannot be read whole, and stay",
            Self::NoArchive => {
                "are of hours of which the archive has no object, or of days with such an hour, and stay"
            }
        }
    }
}

pub(super) fn print_deviations(
    deviations: &Deviations,
    unread: &Unread,
    format: Format,
) -> Result<()> {
    match format {
        Format::Json => print_json(&whole(deviations, unread)?),
        Format::Human => print_human(deviations, unread),
    }
}

fn print_human(deviations: &Deviations, unread: &Unread) -> Result<()> {
    counts(deviations, unread).print()?;
    if deviations.others.is_empty() {
        return Ok(());
    }
    print("\n")?;
    table(&deviations.others).print()?;
    match deviations.others.len().saturating_sub(SHOWN_MAX) {
        0 => Ok(()),
        more => print(format!(
            "and {} more; --json has all\n",
            HumanCount(more as u64)
        )),
    }
}

fn counts(deviations: &Deviations, unread: &Unread) -> Table {
    let mut counts = CountTable::new(LABEL_WIDTH);
    counts.add("agree", GREEN, deviations.agreeing, "");
    for fate in FATES {
        let style = match fate {
            Fate::Differs | Fate::Changed | Fate::Unread => RED,
            Fate::SetRight => GREEN,
            Fate::Unsettled | Fate::UnderWay | Fate::NoArchive => YELLOW,
        };
        let count = deviations.count(fate) as u64;
        if count > 0 {
            counts.add(&fate.in_words(), style, count, fate.remark());
        }
    }
    if unread.lines > 0 {
        let remark = "in the archive are no events, and are not counted here";
        counts.add("lines", RED, unread.lines, remark);
    }
    if !unread.objects.is_empty() {
        let remark = "of the archive cannot be read to their end";
        counts.add("objects", RED, unread.objects.len() as u64, remark);
    }
    counts.table()
}

fn table(deviations: &[Deviation]) -> Table {
    let more = [
        Column::right("counter"),
        Column::right("archive"),
        Column::left(""),
    ];
    let mut table = Table::new([&subject_columns()[..], &more].concat());
    for deviation in deviations.iter().take(SHOWN_MAX) {
        let counter = deviation
            .counter
            .map(|events| HumanCount(events).to_string());
        let more = [
            counter.unwrap_or_else(|| "none".to_owned()).into(),
            HumanCount(deviation.archive).to_string().into(),
            deviation.fate.in_words().into(),
        ];
        table.row([&subject_cells(&deviation.subject)[..], &more].concat());
    }
    table
}

/// Names are for ever.
fn whole(deviations: &Deviations, unread: &Unread) -> Result<Value> {
    let mut out = members(&json!({
        "agree": deviations.agreeing,
        "lines_unread": unread.lines,
        "objects_unread": unread.objects,
        "counters": deviations.others.iter().map(one).collect::<Value>(),
    }))?;
    for fate in FATES {
        out.insert(fate.as_str().to_owned(), deviations.count(fate).into());
    }
    Ok(out.into())
}

fn one(deviation: &Deviation) -> Value {
    let mut members = subject_members(&deviation.subject);
    members.insert("counter".to_owned(), deviation.counter.into());
    members.insert("archive".to_owned(), deviation.archive.into());
    members.insert("fate".to_owned(), deviation.fate.as_str().into());
    members.into()
}
