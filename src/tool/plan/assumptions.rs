//! What a plan takes for granted, in words, and what it leaves out.

use super::{
    billing::ClaimCapacity,
    float::{float, float_count},
    function::FunctionSizing,
    intake::KinesisCapacity,
    limits::ACTIVE_PARTITIONS_QUOTA,
    load::InflowSource,
    options::{FileFormat, Given, Wishes},
    prices::Prices,
    words::number,
};

pub(super) const NOT_COUNTED: [&str; 10] = [
    "CloudWatch for the functions on Kinesis",
    "the claim table's storage",
    "Athena's queries and Glue",
    "Intelligent-Tiering after lake_archive_days",
    "reading from S3",
    "customer keys (KMS)",
    "data transfer",
    "Kinesis's longer retention and enhanced fan-out",
    "what is tried again",
    "taxes",
];

pub(super) fn of(given: &Given, prices: &Prices, function: Option<&FunctionSizing>) -> Vec<String> {
    let mut all = Vec::from(always(given, prices));
    all.extend(ALWAYS.map(str::to_owned));
    all.push(of_storage(&given.wishes));
    all.extend(function.map(|function| of_time(function, &given.wishes)));
    all.push(of_files(given));
    all.extend(of_sample(given));
    if given.load.source == InflowSource::Kinesis {
        all.push(of_stream(given.wishes.kinesis_capacity).to_owned());
    }
    if given.wishes.claim_capacity == ClaimCapacity::Auto {
        all.push(OF_UNITS.to_owned());
    }
    all
}

const ALWAYS: [&str; 3] = [
    "Firehose bills each record in steps of 5 KB, one read from Kinesis too, and conversion to \
     Parquet by the same",
    "a duplicate costs two write units (its insert fails, then it is looked at), as if no copies \
     met in one batch",
    "live events go to the partitions of their own day and hour; files are as many as partitions \
     need, Firehose may write more where it works side by side",
];
const OF_UNITS: &str = "the claim table's units follow the load, 70 % of them used; what comes in bursts above them \
     waits";

fn of_stream(capacity: KinesisCapacity) -> &'static str {
    match capacity {
        KinesisCapacity::OnDemand => {
            "the Kinesis stream is on demand, as Terraform makes it: billed by the hour, and in steps \
             of 1 KB in, and out for each that reads it"
        }
        KinesisCapacity::Provisioned => {
            "the Kinesis stream has provisioned shards: it is one of yours, which kinesis_stream_arn \
             names"
        }
    }
}

fn always(given: &Given, prices: &Prices) -> [String; 3] {
    let region = given.wishes.region(prices);
    let (named, source) = (prices.named(region), &prices.source);
    let partitions = number(ACTIVE_PARTITIONS_QUOTA);
    let peak = number(given.load.peak_factor);
    [
        format!("prices: {named} ({source}); a month of 30 days, a GB of 1,073,741,824 bytes"),
        format!(
            "quotas are AWS's defaults ({region}; {partitions} active partitions a stream): look up \
             what the account has"
        ),
        format!(
            "the peak is {peak} times the mean; shards, write units and concurrency are for the \
             peak, cost is for the mean"
        ),
    ]
}

fn of_storage(wishes: &Wishes) -> String {
    let (events, errors) = (wishes.retention_days, Wishes::ERRORS_DAYS);
    let originals = if wishes.keeps_originals() {
        format!(", {} days of originals", Wishes::ORIGINALS_DAYS)
    } else {
        String::new()
    };
    format!("S3 holds {events} days of events{originals}, and {errors} days of error objects")
}

fn of_time(function: &FunctionSizing, wishes: &Wishes) -> String {
    let source = if wishes.microseconds_per_event.is_some() {
        "as given"
    } else {
        "three times what benches/RESULTS.md has over TLS"
    };
    format!(
        "an event takes {} us of a whole processor ({source}), a request of 25 claims {} ms",
        number(function.microseconds_per_event),
        number(wishes.claim_milliseconds)
    )
}

fn of_files(given: &Given) -> String {
    let compression = number(given.load.compression);
    let reason = match (&given.sample, given.wishes.format) {
        (Some(_), FileFormat::Json) => "as gzip makes the sample's, or as --compression says",
        (_, FileFormat::Parquet) => "a guess for Parquet: measure, then say --compression",
        (None, FileFormat::Json) => "a guess: measure with --sample, or say --compression",
    };
    format!("files are {compression} times smaller than their lines ({reason})")
}

fn of_sample(given: &Given) -> Vec<String> {
    let Some(sample) = &given.sample else {
        let partitions = number(given.load.partitions.count());
        return vec![format!(
            "what is billed in steps is billed as if all events were of one length, a batch has room \
             for the smallest there can be or --smallest-bytes; each of {partitions} partitions gets \
             as many events"
        )];
    };
    let records = number(float_count(sample.records));
    let partitions = number(float(sample.partitions_with_time));
    let mut all = vec![format!(
        "the sample's {records} records stand for all: none makes an answer larger for its bytes, \
         and a copy whose first is outside of them was not seen. With their days they are of \
         {partitions} partitions: sent at once, so many would be active"
    )];
    if sample.too_long > 0 {
        all.push(format!(
            "{} lines of the sample are longer than Firehose takes (1,000 KiB), and are left out",
            sample.too_long
        ));
    }
    all
}
