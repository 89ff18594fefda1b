//! A window of a lake: what becomes durable at once, files and claims together. What is delivered goes
//! to its partition, what failed to the error prefix, each record counted once.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use super::{
    answer::{Answer, Delivered, Failure, Fate},
    attempts::{ATTEMPTS_MAX, Settled},
    batch::{Batch, Mark, Piece, Place},
    commit::{Closed, Committer},
    error_object::{ErrorObject, OutputType},
    invocation::{FunctionError, Told},
    lake::{Lake, Layout, PutError},
    picture::course::Tally,
    progress::Unfinished,
    summary::{RECORD_TOO_LARGE, Summary},
};
use crate::{
    dedup::embedded::EmbeddedStore,
    disk::FileError,
    functions::firehose_transform::{
        event::Refusal,
        transform::{Rules, transform},
    },
    local::{
        clock::epoch_milliseconds,
        field_names::FieldNames,
        input::{Source, Sources},
        journal::{Journal, JournalError, Left, writer},
        open_file::Length,
    },
};

/// Where windows go.
#[derive(Clone)]
pub struct Site<'a> {
    pub store: &'a EmbeddedStore,
    /// The store's folder.
    pub claims: &'a Path,
    /// [Prepared](crate::local::files::prepare).
    pub lake: &'a Path,
    pub layout: Layout,
    /// By which what failed is told apart.
    pub rules: &'a Rules,
    pub clock: fn() -> SystemTime,
}

/// The window that is open, and the ones after it.
pub struct Window<'a> {
    committer: Committer<'a>,
    lake: Lake,
    rules: &'a Rules,
    clock: fn() -> SystemTime,
    started: Instant,
    /// Where records come from.
    pub sources: Sources,
    /// Goes on from an interrupted run's.
    pub progress: Unfinished,
    /// How many records are done with, for who looks on.
    pub done: Arc<AtomicU64>,
    long: Option<LongRecord>,
}

/// Why no window can be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// A record that is too long, while its pieces come in.
pub struct LongRecord {
    /// Of the error objects before it.
    length: Length,
    bytes: u64,
}

impl<'a> Window<'a> {
    /// Finishes what the last run left half-done; what it left to go on with is for the caller.
    pub fn open(site: Site<'a>) -> Result<(Self, Left<Unfinished>), OpenError> {
        let journal = Journal::new(site.store, site.claims, site.lake);
        let left = journal.recover()?;
        let lake = Lake::open(site.lake, &writer(site.claims, site.lake), site.layout)?;
        lake.sweep()?;
        let mark = Mark {
            arrival_milliseconds: left.arrival_milliseconds,
            ..Mark::default()
        };
        let window = Self {
            committer: Committer {
                journal,
                lake: site.lake.to_owned(),
            },
            lake,
            rules: site.rules,
            clock: site.clock,
            started: Instant::now(),
            sources: Sources::default(),
            progress: Unfinished {
                mark,
                ..Unfinished::default()
            },
            done: Arc::default(),
            long: None,
        };
        Ok((window, left))
    }

    #[must_use]
    pub fn committer(&self) -> Committer<'a> {
        self.committer.clone()
    }

    /// The names that every delivered record has values for.
    #[must_use]
    pub fn partition_keys(&self) -> &[String] {
        self.lake.partition_keys()
    }

    /// Whether it has so many files that it should end.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.lake.is_full()
    }

    /// Removes what no window will have.
    pub fn sweep(&self) -> Result<(), FileError> {
        self.lake.sweep()
    }

    /// Brings a batch to its end. Says which of its records became error objects.
    pub fn put(&mut self, settled: Settled) -> Result<Vec<usize>, FileError> {
        let Settled {
            batch,
            answer,
            took,
        } = settled;
        let before = self.progress.summary.tally();
        self.add_records(batch.len() as u64);
        let failed = match answer {
            Ok((answer, told)) => self.put_answer(&batch, &answer, told)?,
            Err(error) => {
                self.fail_batch(&batch, &error)?;
                (0..batch.len()).collect()
            }
        };
        self.progress.mark = batch.after;
        self.add_to_course(before, took);
        Ok(failed)
    }

    /// A record that is too long becomes an error object, piece by piece.
    pub fn put_piece(&mut self, piece: &Piece) -> Result<(), FileError> {
        let mut line = String::with_capacity(piece.bytes.len() / 3 * 4 + 512);
        if piece.is_first {
            ErrorObject::begin(&mut line);
        }
        ErrorObject::push(&mut line, &piece.bytes);
        let ended = self.after(piece.arrival_milliseconds);
        let file = self
            .lake
            .errors(OutputType::ProcessingFailed, piece.arrival_milliseconds)?;
        let long = self.long.get_or_insert_with(|| LongRecord {
            length: file.length(),
            bytes: 0,
        });
        long.bytes += piece.bytes.len() as u64;
        if piece.after.is_some() {
            ErrorObject::too_large(long.bytes, piece.arrival_milliseconds, ended).end(&mut line);
        }
        file.push(line.as_bytes())?;
        if let Some(mark) = piece.after {
            self.long = None;
            self.progress.mark = mark;
            self.add_records(1);
            self.summary().error_objects += 1;
            self.add_refused(RECORD_TOO_LARGE, piece.place);
            if let Some(picture) = &mut self.progress.picture {
                picture.course.add_too_large();
            }
        }
        Ok(())
    }

    /// Completes the window's files, and opens the next one. Nothing of it is durable before it is
    /// committed.
    pub fn close(&mut self) -> Result<Closed, FileError> {
        if let Some(long) = self.long.take() {
            let arrival = self.progress.mark.arrival_milliseconds;
            let file = self.lake.errors(OutputType::ProcessingFailed, arrival)?;
            file.cut_back(long.length)?;
        }
        let written = self.lake.end_window()?;
        let bytes_in = self.progress.mark.position.bytes;
        let seconds = self.started.elapsed().as_secs_f64();
        self.started = Instant::now();
        let summary = self.summary();
        summary.add_window(&written);
        summary.bytes_in = bytes_in;
        summary.seconds += seconds;
        if let Some(picture) = &mut self.progress.picture {
            picture.sizes.add_window(&written);
        }
        Ok(Closed {
            renames: written.renames,
            arrival_milliseconds: self.progress.mark.arrival_milliseconds,
            unfinished: Some(self.progress.clone()),
        })
    }

    fn add_records(&mut self, records: u64) {
        let summary = self.summary();
        summary.records += records;
        let all = summary.records;
        self.done.store(all, Ordering::Relaxed);
    }

    fn summary(&mut self) -> &mut Summary {
        &mut self.progress.summary
    }

    fn put_answer(
        &mut self,
        batch: &Batch,
        answer: &Answer,
        told: Told,
    ) -> Result<Vec<usize>, FileError> {
        let ended = self.after(batch.arrival_milliseconds);
        let (mut failed, mut failed_without_reason) = (Vec::new(), 0);
        for (index, ((bytes, place), fate)) in batch.records().zip(&answer.fates).enumerate() {
            let failure = match fate {
                Fate::Delivered(delivered) => self.put_delivered(batch, answer, delivered)?,
                Fate::Dropped => {
                    self.summary().duplicates += 1;
                    None
                }
                Fate::Failed(failure) => Some(*failure),
            };
            let Some(failure) = failure else { continue };
            failed.push(index);
            self.put_error(
                failure.output_type(),
                &failure.object(batch.arrival_milliseconds, ended),
                bytes,
            )?;
            match failure {
                Failure::ProcessingFailed => match transform(bytes, self.rules) {
                    Err(refusal) => {
                        self.add_refused(refusal.as_str(), place);
                        if let Refusal::Missing(_) = refusal {
                            let lacking = &mut self.summary().lacking;
                            lacking.get_or_insert_with(|| FieldNames::of(bytes));
                        }
                    }
                    Ok(_) => failed_without_reason += 1,
                },
                Failure::Partitioning => self.summary().failed_partitioning += 1,
                _ => self.summary().failed_answer += 1,
            }
        }
        let overflow = told.overflow.unwrap_or(u64::MAX).min(failed_without_reason);
        let summary = self.summary();
        summary.overflow += overflow;
        summary.failed_differing += failed_without_reason - overflow;
        summary.duplicates_differing += told.duplicates_differing;
        Ok(failed)
    }

    /// What failed about it after all, if anything.
    fn put_delivered(
        &mut self,
        batch: &Batch,
        answer: &Answer,
        delivered: &Delivered,
    ) -> Result<Option<Failure>, FileError> {
        let (group, line) = (answer.group(delivered), answer.data(delivered));
        match self.lake.deliver(group, batch.arrival_milliseconds, line) {
            Ok(()) => {
                self.progress.summary.delivered += 1;
                if let Some(picture) = &mut self.progress.picture {
                    picture.timeline.add(line);
                }
                Ok(None)
            }
            Err(PutError::Outside(_)) => Ok(Some(Failure::Partitioning)),
            Err(PutError::File(error)) => Err(error),
        }
    }

    fn fail_batch(&mut self, batch: &Batch, error: &FunctionError) -> Result<(), FileError> {
        let ended = self.after(batch.arrival_milliseconds);
        let object = ErrorObject {
            code: "Lambda.FunctionError",
            message: format!("The function failed: {error}"),
            attempts_made: ATTEMPTS_MAX,
            arrival_milliseconds: batch.arrival_milliseconds,
            attempt_ended_milliseconds: ended,
        };
        for (bytes, _) in batch.records() {
            self.put_error(OutputType::ProcessingFailed, &object, bytes)?;
        }
        let summary = self.summary();
        summary.failed_function += batch.len() as u64;
        summary.function_error = Some(error.to_string());
        Ok(())
    }

    fn put_error(
        &mut self,
        output_type: OutputType,
        object: &ErrorObject,
        record: &[u8],
    ) -> Result<(), FileError> {
        let mut line = String::with_capacity(record.len() / 3 * 4 + 512);
        object.write(&mut line, record);
        let file = self.lake.errors(output_type, object.arrival_milliseconds)?;
        file.push(line.as_bytes())?;
        self.progress.summary.error_objects += 1;
        Ok(())
    }

    /// The time now, and never before a record arrived: the clock may have been put back.
    fn after(&self, arrival_milliseconds: i64) -> i64 {
        epoch_milliseconds((self.clock)()).max(arrival_milliseconds)
    }

    fn add_refused(&mut self, reason: &str, place: Place) {
        let source = || self.sources.get(place.source);
        let name = || source().as_ref().map(Source::name).unwrap_or_default();
        let example = || format!("{}:{}", name(), place.line);
        self.progress.summary.add_refused(reason, example);
        if let Some(picture) = &mut self.progress.picture {
            picture.add_refused(reason, example);
        }
    }

    fn add_to_course(&mut self, before: Tally, took: Duration) {
        let tally = self.progress.summary.tally().since(before);
        // White space makes batches that no function sees.
        if let Some(picture) = &mut self.progress.picture
            && tally.records() > 0
        {
            picture.course.add_batch(tally, took);
        }
    }
}
