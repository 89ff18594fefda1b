//! What a plan takes for granted, in words, and what it leaves out.

use super::{
    float::{float, float_count},
    function::FunctionSizing,
    limits::ACTIVE_PARTITIONS_QUOTA,
    load::InflowSource,
    options::{FileFormat, Given, Wishes},
    prices::Prices,
    words::number,
};

pub(super) const NOT_COUNTED: [&str; 10] = [
    "CloudWatch's logs, metrics and alarms",
    "the claim table's storage",
    "Athena's queries and Glue",
    "Intelligent-Tiering after lake_archive_days",
    "reading from S3",
    "customer keys (KMS)",
    "data transfer",
    "a Kinesis stream on demand, longer retention and enhanced fan-out",
    "what is tried again",
    "taxes",
];

pub(super) fn of(asked: &Given, prices: &Prices, function: Option<&FunctionSizing>) -> Vec<String> {
    let Given {
        load,
        sample,
        wishes,
        ..
    } = asked;
    let region = wishes.region(prices);
    let mut all = vec![
        format!(
            "prices: {} ({}); a month of 30 days, a GB of 1,073,741,824 bytes",
            prices.named(region),
            prices.source
        ),
        format!(
            "quotas are AWS's defaults ({region}; {} active partitions a stream): look up what the \
             account has",
            number(ACTIVE_PARTITIONS_QUOTA)
        ),
        format!(
            "the peak is {} times the mean; shards, write units and concurrency are for the peak, \
             cost is for the mean",
            number(load.peak_factor)
        ),
        "Firehose bills each record in steps of 5 KB, one read from Kinesis too, and conversion to \
         Parquet by the same"
            .to_owned(),
        "a duplicate costs two write units (its insert fails, then it is looked at), as if no copies \
         met in one batch"
            .to_owned(),
        "live events go to the partitions of their own day and hour; files are as many as partitions \
         need, Firehose may write more where it works side by side"
            .to_owned(),
        format!(
            "S3 holds {} days of events{}, and {} days of error objects",
            wishes.retention_days,
            if wishes.keeps_originals() {
                format!(", {} days of originals", Wishes::ORIGINALS_DAYS)
            } else {
                String::new()
            },
            Wishes::ERRORS_DAYS
        ),
    ];
    all.extend(function.map(|function| of_time(function, wishes)));
    all.push(of_files(asked));
    all.extend(of_sample(asked));
    if load.source == InflowSource::Kinesis {
        all.push(
            "Kinesis shards are billed as provisioned ones; the stream that Terraform makes is on \
             demand, so name one of these shards with kinesis_stream_arn"
                .to_owned(),
        );
    }
    if sample.is_none() {
        all.push(format!(
            "what is billed in steps is billed as if all events were of one length, a batch has room for \
             the smallest there can be or --smallest-bytes; each of {} partitions gets as many events",
            number(load.partitions.count())
        ));
    }
    all
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

fn of_files(asked: &Given) -> String {
    let compression = number(asked.load.compression);
    let reason = match (&asked.sample, asked.wishes.format) {
        (Some(_), FileFormat::Json) => "as gzip makes the sample's, or as --compression says",
        (_, FileFormat::Parquet) => "a guess for Parquet: measure, then say --compression",
        (None, FileFormat::Json) => "a guess: measure with --sample, or say --compression",
    };
    format!("files are {compression} times smaller than their lines ({reason})")
}

fn of_sample(asked: &Given) -> Vec<String> {
    let Some(sample) = &asked.sample else {
        return Vec::new();
    };
    let mut all = vec![format!(
        "the sample's {} records stand for all: none makes an answer larger for its bytes, and a copy \
         whose first is outside of them was not seen. With their days they are of {} partitions: sent \
         at once, so many would be active",
        number(float_count(sample.records)),
        number(float(sample.partitions_with_time))
    )];
    if sample.too_long > 0 {
        all.push(format!(
            "{} lines of the sample are longer than Firehose takes (1,000 KiB), and are left out",
            sample.too_long
        ));
    }
    all
}
