//! `nozzle log get`, `search` and `tail`: items of a log on this machine, or of its table in DynamoDB, as
//! JSON Lines.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    iter::from_fn,
    path::PathBuf,
    process::ExitCode,
    rc::Rc,
    time::UNIX_EPOCH,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;
use tokio::runtime::Builder;

use super::{folder::LogFolder, options::LOG};
use crate::{
    functions::event_log::{
        entry::search_keys,
        item::{EVENT_ID, KEY_BYTES_MAX, TIMESTAMP, TTL, text},
        table::embedded::Span,
    },
    tool::{
        aws::{Aws, AwsLog},
        clock::now,
        item::plain,
        numbers::whole,
        terminal::{print_lines, tell},
        times::{read_time, utc},
    },
};

/// As Terraform names it.
const INDEX: &str = "search";

/// Look one event up by its id
#[derive(Debug, Args)]
pub(super) struct Get {
    /// What `eventId` is
    #[arg(value_parser = key)]
    id: String,

    #[command(flatten)]
    place: LogPlace,
}

/// Look events up by their search key, in order of their arrival
#[derive(Debug, Args)]
pub(super) struct Search {
    /// What is searched for, whole: a part of it finds nothing
    #[arg(value_parser = key)]
    key: String,

    /// Only what arrived then or later: 2026-11-20 or 2026-11-20T23:00:00Z
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    since: Option<String>,

    /// Only what arrived before then
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    until: Option<String>,

    /// Over how many keys each search key is spread, as the function is told [default: as the log
    /// in the folder has it; of a table 1]
    #[arg(long = "search-buckets", value_name = "NUMBER", value_parser = whole(1_u64..=1000))]
    buckets: Option<u64>,

    /// The table's index
    #[arg(long, value_name = "NAME", default_value = INDEX)]
    index: String,

    #[command(flatten)]
    place: LogPlace,
}

/// The events that arrived last
///
/// The last to arrive is the last line. Lines that were taken in at once have one arrival, to the
/// millisecond, and are in the order of their ids: of their records as they came, of their own
/// (--event-id) as texts are sorted.
#[derive(Debug, Args)]
pub(super) struct Tail {
    /// How many
    #[arg(short, long, value_name = "NUMBER", default_value = "10")]
    number: usize,

    #[command(flatten)]
    place: LogPlace,
}

#[derive(Debug, Args)]
struct LogPlace {
    /// The folder that the log is in
    #[arg(long, value_name = "DIR", default_value = LOG)]
    log: PathBuf,

    /// A table in DynamoDB, in place of a folder
    #[arg(long, value_name = "NAME", conflicts_with = "log")]
    table: Option<String>,

    /// JSON Lines, as without it
    #[arg(long)]
    json: bool,
}

/// A log to look things up in.
enum Log {
    Here(Box<LogFolder>),
    OnAws(AwsLog),
}

type Items<'a> = Box<dyn Iterator<Item = Result<Value>> + 'a>;

impl LogPlace {
    fn open(&self) -> Result<Log> {
        match &self.table {
            None => LogFolder::find(&self.log).map(|log| Log::Here(Box::new(log))),
            Some(table) => {
                let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
                Ok(Log::OnAws(Aws::connect(runtime)?.log(table)))
            }
        }
    }

    fn name(&self) -> String {
        match &self.table {
            None => format!("`{}`", self.log.display()),
            Some(table) => format!("the table {table}"),
        }
    }
}

impl Get {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let item = match self.place.open()? {
            Log::Here(folder) => folder.table.get(&self.id)?,
            Log::OnAws(table) => table.get(&self.id)?,
        };
        let found = print(Box::new(item.map(Ok).into_iter()))?;
        if found == 0 {
            tell(&format!("no event in {} has this id", self.place.name()));
            return Ok(ExitCode::FAILURE);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Search {
    pub(super) fn run(&self) -> Result<ExitCode> {
        self.understand()?;
        let log = self.place.open()?;
        let buckets = self.buckets(&log)?;
        let span = Span {
            since: self.since.clone(),
            until: self.until.clone(),
        };
        let found = search_keys(&self.key, buckets).map(|key| -> Items<'_> {
            match &log {
                Log::Here(folder) => {
                    Box::new(folder.table.search(&key, &span).map(|item| Ok(item?)))
                }
                Log::OnAws(table) => table.search(&self.index, &key, &span),
            }
        });
        if print(Box::new(merge(found.collect())?))? == 0 {
            let name = self.place.name();
            let then = match (&self.since, &self.until) {
                (None, None) => "",
                _ => " then",
            };
            tell(&format!("no event in {name} has this search key{then}"));
            return Ok(ExitCode::FAILURE);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// An end that is not behind the beginning leaves nothing.
    pub(super) fn understand(&self) -> Result<()> {
        let span = self.since.as_ref().zip(self.until.as_ref());
        if let Some((since, until)) = span.filter(|(since, until)| since >= until) {
            bail!("--since {since} is not before --until {until}; nothing arrived between them");
        }
        Ok(())
    }

    fn buckets(&self, log: &Log) -> Result<u64> {
        match (self.buckets, log) {
            (Some(buckets), _) => Ok(buckets),
            (None, Log::OnAws(_)) => Ok(1),
            (None, Log::Here(folder)) => folder.note()?.search_buckets.with_context(|| {
                let name = self.place.name();
                format!("no event in {name} has a search key: give --search-key POINTER when events are put in")
            }),
        }
    }
}

impl Tail {
    pub(super) fn run(&self) -> Result<ExitCode> {
        match self.place.open()? {
            Log::Here(folder) => {
                let latest = folder.table.latest().map(|item| Ok(item?));
                let mut latest = alive(Box::new(latest))
                    .take(self.number)
                    .collect::<Result<Vec<_>>>()?;
                latest.reverse();
                print(Box::new(latest.into_iter().map(Ok)))?;
            }
            Log::OnAws(table) => {
                tell("a table is in no order of arrival, so all of it is read");
                let latest = last(alive(table.scan()), self.number)?;
                print(Box::new(latest.into_iter().map(Ok)))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(items: Items<'_>) -> Result<usize> {
    print_lines(alive(items).map(|item| Ok(plain(&item?))))
}

/// What has expired is as good as gone; DynamoDB removes it late, and on this machine nobody does.
fn alive(items: Items<'_>) -> Items<'_> {
    let now = now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let is_alive = move |item: &Value| {
        let ttl = item
            .get(TTL)
            .and_then(|ttl| ttl.get("N")?.as_str()?.parse().ok());
        ttl.is_none_or(|ttl: u64| ttl > now.as_secs())
    };
    Box::new(items.filter(move |item| item.as_ref().map_or(true, is_alive)))
}

/// An item that is told apart from others by its arrival, then by its id.
struct Ordered {
    key: [String; 2],
    from: usize,
    item: Value,
}

impl Ordered {
    fn of(item: Value, from: usize) -> Self {
        let part = |name| text(&item, name).unwrap_or_default().to_owned();
        Self {
            key: [part(TIMESTAMP), part(EVENT_ID)],
            from,
            item,
        }
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Of several in order one in order, which holds one item of each.
fn merge(mut sources: Vec<Items<'_>>) -> Result<impl Iterator<Item = Result<Value>>> {
    let mut heads = BinaryHeap::new();
    for (from, source) in sources.iter_mut().enumerate() {
        if let Some(item) = source.next() {
            heads.push(Reverse(Ordered::of(item?, from)));
        }
    }
    Ok(from_fn(move || {
        let Reverse(first) = heads.pop()?;
        let next = sources.get_mut(first.from).and_then(Iterator::next);
        match next.transpose() {
            Ok(next) => heads.extend(next.map(|item| Reverse(Ordered::of(item, first.from)))),
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(first.item))
    }))
}

/// So many of those that arrived last, in order.
fn last(items: Items<'_>, number: usize) -> Result<Vec<Value>> {
    let mut latest = BTreeSet::new();
    for item in items {
        latest.insert(Ordered::of(item?, 0));
        if latest.len() > number {
            latest.pop_first();
        }
    }
    Ok(latest.into_iter().map(|ordered| ordered.item).collect())
}

/// As items have it. A date is its first moment.
fn timestamp(text: &str) -> Result<String> {
    let time = utc(read_time(text)?);
    Ok(time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// What an item can have as its id or search key.
fn key(text: &str) -> Result<String> {
    ensure!(
        (1..=KEY_BYTES_MAX).contains(&text.len()),
        "it has {} bytes; a key has 1 to {KEY_BYTES_MAX}",
        text.len()
    );
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use serde_json::json;

    use super::*;

    fn items<'a>(ids: &'a [(&'a str, &'a str)]) -> Items<'a> {
        let item = |(time, id): &(&str, &str)| {
            Ok(json!({ "timestamp": { "S": time }, "eventId": { "S": id } }))
        };
        Box::new(ids.iter().map(item))
    }

    fn ids(items: impl IntoIterator<Item = Value>) -> Vec<String> {
        let id = |item: Value| text(&item, EVENT_ID).unwrap().to_owned();
        items.into_iter().map(id).collect()
    }

    #[test]
    fn buckets_are_one_in_order() {
        let sources = vec![
            items(&[("1", "a"), ("3", "b"), ("3", "d")]),
            items(&[]),
            items(&[("2", "e"), ("3", "c")]),
        ];
        let merged: Result<Vec<_>> = merge(sources).unwrap().collect();
        assert_eq!(ids(merged.unwrap()), ["a", "e", "b", "c", "d"]);
        let broken: Items<'_> = Box::new([Err(anyhow!("away"))].into_iter());
        assert!(merge(vec![broken]).is_err());
    }

    #[test]
    fn what_has_expired_is_gone() {
        let item = |id: &str, ttl: u64| {
            Ok(json!({ "eventId": { "S": id }, "ttl": { "N": ttl.to_string() } }))
        };
        let given = vec![
            item("gone", 1),
            item("there", u64::MAX),
            Ok(json!({ "eventId": { "S": "for ever" } })),
        ];
        let alive: Result<Vec<_>> = alive(Box::new(given.into_iter())).collect();
        assert_eq!(ids(alive.unwrap()), ["there", "for ever"]);
    }

    #[test]
    fn the_last_of_all_are_kept_in_order() {
        let all = [("3", "c"), ("1", "a"), ("4", "d"), ("2", "b")];
        assert_eq!(ids(last(items(&all), 2).unwrap()), ["c", "d"]);
        assert_eq!(ids(last(items(&all), 9).unwrap()), ["a", "b", "c", "d"]);
        assert!(ids(last(items(&all), 0).unwrap()).is_empty());
    }

    #[test]
    fn a_time_is_written_as_items_have_it() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(timestamp(text).unwrap(), expected);
        }
        check("2026-11-20", "2026-11-20T00:00:00.000Z");
        check("2026-11-20T23:00:00Z", "2026-11-20T23:00:00.000Z");
        check("2026-11-20T23:00:00.1234+01:00", "2026-11-20T22:00:00.123Z");
        // The last two are numbers, and no moments of 1970.
        for text in ["yesterday", "2026", "20261120"] {
            let error = timestamp(text).unwrap_err().to_string();
            assert!(
                error.ends_with("is no time; write 2026-11-20 or 2026-11-20T23:00:00Z"),
                "{error}"
            );
        }
    }
}
