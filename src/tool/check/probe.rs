//! The probes: what each expects of a function, why, and what Firehose would do where it fails.

use clap::ValueEnum;

/// What a function is asked to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Probe {
    One,
    Several,
    OwnRecords,
    Delivered,
    EmptyBatch,
    LineEnd,
    PartitionKeys,
    DirectPut,
    Kinesis,
    Msk,
    AwsSample,
    RecordIds,
    EmptyData,
    MissingData,
    BadBase64,
    NotJson,
    NotUtf8,
    DeepNesting,
    WrongFields,
    HostileText,
    Unicode,
    Copies,
    Retry,
    LaterCopy,
    Concurrency,
    Thousands,
    LargeRecord,
    TooLarge,
}

/// What a probe rests on: where that fails, there is nothing to be learned from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    Probe(Probe),
}

/// A probe in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) expects: &'static str,
    pub(super) why: &'static str,
    /// What Firehose would do.
    pub(super) otherwise: &'static str,
}

/// What a probe has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed(String),
    /// Nothing is lost, but it costs.
    Warning(String),
    Failed(String),
    Skipped(String),
}

/// What was found on the way to a verdict.
#[derive(Debug, Default)]
pub(super) struct Findings {
    failed: Vec<String>,
    warned: Vec<String>,
    untold: Vec<String>,
    noted: Vec<String>,
}

impl Probe {
    pub(super) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    pub(super) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(super) fn needs(self) -> Needs {
        match self {
            Self::One | Self::EmptyBatch => Needs::Nothing,
            Self::Several => Needs::Probe(Self::One),
            Self::OwnRecords => Needs::Probe(Self::Several),
            Self::Delivered => Needs::Probe(Self::OwnRecords),
            _ => Needs::Probe(Self::Delivered),
        }
    }

    pub(super) fn words(self) -> Words {
        let [expects, why, otherwise] = match self {
            Self::One => [
                "a batch of one sound record is answered: its recordId, a result, its data",
                "this is the contract at its smallest; every other probe rests on it",
                WHOLE_BATCH,
            ],
            Self::Several => [
                "a batch of several records is answered: each recordId once, with its own data",
                "an answer is told whose it is by its recordId alone; the order may be another",
                "a record that is left out or doubled is failed at once, untried; one with \
                 another's data is in the lake twice, and the other is gone",
            ],
            Self::Delivered => [
                "the sample's events are delivered (Ok)",
                "a function that accepts nothing cannot be told from a broken one",
                "what is ProcessingFailed goes to the error prefix, what is Dropped is gone",
            ],
            Self::EmptyBatch => [
                "a batch without records is answered with `{\"records\": []}`",
                "a batch has as many records as there happen to be; emulators and tests send none",
                "a failed invocation is tried 4 times and rings alarms, though nothing was wrong",
            ],
            Self::LineEnd => [
                "delivered data ends with exactly one line end",
                "Firehose joins records without anything between them",
                "events run together on one line, or leave empty lines, in the files it writes \
                 (not where it adds the delimiter itself, or converts to Parquet)",
            ],
            Self::PartitionKeys => [
                "partition keys are the same names for every record, their values texts, not empty",
                "the prefix names the keys, and each name needs its value",
                "the record goes to partitioning-failed under the error prefix",
            ],
            Self::DirectPut => [
                "records put straight into the stream are delivered",
                "a stream with Direct PUT as its source sends recordId, time and data alone",
                SHAPE,
            ],
            Self::Kinesis => [
                "records from a Kinesis stream are delivered",
                "they come with kinesisRecordMetadata, the batch with sourceKinesisStreamArn",
                SHAPE,
            ],
            Self::Msk => [
                "records from MSK are delivered, their data under the name kafkaRecordValue",
                "a stream with MSK as its source has kafkaRecordValue in place of data, both ways",
                SHAPE,
            ],
            Self::AwsSample => [
                "AWS's own sample events are read, with their empty subsequenceNumber",
                "Lambda's console and SAM send them; Firehose itself sends numbers",
                "nothing: only tests with AWS's samples fail",
            ],
            Self::RecordIds => [
                "any recordId comes back exactly: long, with quotes, escapes or signs of any script",
                "an id is opaque, and is all by which an answer is told whose it is",
                "the records are failed at once, untried: Lambda.MissingRecordId",
            ],
            Self::OwnRecords => [
                "an answer has the records of its own batch and no others",
                "what stays from an earlier batch is passed over, but grows with each",
                "one day the answer is too large, and then every batch fails",
            ],
            _ => return self.words_on_content(),
        };
        Words {
            expects,
            why,
            otherwise,
        }
    }

    fn words_on_content(self) -> Words {
        let [expects, why, otherwise] = match self {
            Self::EmptyData => [
                "a record without bytes is answered, and harms no other",
                "an empty payload comes as `\"data\": \"\"`",
                ONE_BAD,
            ],
            Self::MissingData => [
                "a record whose data is null or left out is answered, and harms no other",
                "what is wrong with one record is that record's failure, not the batch's",
                ONE_BAD,
            ],
            Self::BadBase64 => [
                "a record whose data is not base64 is answered, and harms no other",
                "what is wrong with one record is that record's failure, not the batch's",
                ONE_BAD,
            ],
            Self::NotJson => [
                "a record that is not a JSON object is answered, and harms no other",
                "any producer can put any bytes into a stream",
                ONE_BAD,
            ],
            Self::NotUtf8 => [
                "a record that is not UTF-8 is answered, and harms no other",
                "any producer can put any bytes into a stream",
                ONE_BAD,
            ],
            Self::DeepNesting => [
                "a record nested 20,000 levels deep is answered, and harms no other",
                "readers that call themselves for each level run out of stack",
                ONE_BAD,
            ],
            Self::WrongFields => [
                "an event whose fields are missing or of another type is answered, and harms no other",
                "producers change, and one of them is always first",
                ONE_BAD,
            ],
            Self::HostileText => [
                "paths, controls and very long texts in an event leave no partition key unsafe",
                "partition keys become the names of objects: `../`, `/` and controls lead elsewhere",
                "events are written into other partitions' folders, where queries count them, or \
                 go to partitioning-failed",
            ],
            Self::Unicode => [
                "text in any script is delivered as it came",
                "bytes read as Latin-1 and written as UTF-8 come out as other text",
                "nothing: what is in the lake is wrong for ever",
            ],
            _ => return self.words_on_batches(),
        };
        Words {
            expects,
            why,
            otherwise,
        }
    }

    fn words_on_batches(self) -> Words {
        let [expects, why, otherwise] = match self {
            Self::Copies => [
                "of copies of an event within a batch at least one is delivered or failed",
                "producers send again what they think was lost",
                DROPPED,
            ],
            Self::Retry => [
                "the same batch again, as a new invocation, delivers what it delivered before",
                "Firehose sends a batch again if its answer comes too late or not at all; \
                 `seen before` is then no reason to drop: nobody else has delivered it",
                DROPPED,
            ],
            Self::LaterCopy => [
                "a later copy of an event, in a record of its own, is answered; Ok and Dropped \
                 are both fine",
                "that is how deduplication shows",
                "Ok: the lake has the event twice; Dropped: once",
            ],
            Self::Concurrency => [
                "batches at the same time are answered each for itself, and of copies that race \
                 at least one is delivered",
                "Firehose invokes a function for each shard or partition side by side",
                "records are failed as missing, have another's data, or are gone",
            ],
            Self::Thousands => [
                "a batch of thousands of records is answered in time",
                "Firehose's buffer holds 0.2 to 3 MB, which is thousands of small events",
                WHOLE_BATCH,
            ],
            Self::LargeRecord => [
                "a record of 1,000 KiB, the largest there is, is answered",
                "Firehose takes records of this size",
                ONE_BAD,
            ],
            _ => [
                "the largest batch Firehose sends has an answer of at most 6,291,556 bytes; what \
                 does not fit is ProcessingFailed",
                "an answer is larger than its request where metadata and fields are added, and \
                 Lambda takes not a byte more",
                "the answer is a function error: after 4 attempts the whole batch goes to the \
                 error prefix, and so does every batch like it",
            ],
        };
        Words {
            expects,
            why,
            otherwise,
        }
    }
}

const WHOLE_BATCH: &str =
    "the batch is tried 4 times, then all of its records go to the error prefix";
const SHAPE: &str = "no batch from such a source is delivered: all goes to the error prefix. If no \
                     stream of yours has it, say which it has with --source";
const ONE_BAD: &str = "where the function fails, the whole batch is tried 4 times, then goes to the \
                       error prefix: one record takes thousands with it. Where it says Dropped, \
                       the record is gone and leaves no trace";
const DROPPED: &str = "what is Dropped is gone, and nothing tells";

impl Verdict {
    pub(super) fn said(&self) -> &str {
        match self {
            Self::Passed(said) | Self::Warning(said) | Self::Failed(said) | Self::Skipped(said) => {
                said
            }
        }
    }
}

impl Findings {
    pub(super) fn fail(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.failed.contains(&sentence) {
            self.failed.push(sentence);
        }
    }

    pub(super) fn warn(&mut self, sentence: impl Into<String>) {
        self.warned.push(sentence.into());
    }

    /// Where nothing else is found, nothing was shown.
    pub(super) fn cannot_tell(&mut self, why: &str) {
        self.untold.push(format!("cannot be told: {why}"));
    }

    pub(super) fn note(&mut self, sentence: impl Into<String>) {
        self.noted.push(sentence.into());
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(super) fn join(&mut self, other: Self) {
        other
            .failed
            .into_iter()
            .for_each(|sentence| self.fail(sentence));
        self.warned.extend(other.warned);
        self.untold.extend(other.untold);
        self.noted.extend(other.noted);
    }

    /// What is a failure elsewhere is only to be known here.
    pub(super) fn softened(mut self) -> Self {
        self.warned.append(&mut self.failed);
        self
    }

    pub(super) fn verdict(self) -> Verdict {
        if self.has_failed() {
            Verdict::Failed(self.failed.join("; "))
        } else if !self.warned.is_empty() {
            Verdict::Warning(self.warned.join("; "))
        } else if !self.untold.is_empty() {
            Verdict::Skipped(self.untold.join("; "))
        } else {
            Verdict::Passed(self.noted.join("; "))
        }
    }
}
