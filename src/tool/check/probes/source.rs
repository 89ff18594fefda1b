//! Each source's form, and the ids that answers are told apart by.

use futures_util::FutureExt;

use super::basis::DELIVERED;
use crate::tool::check::{
    finding::{Findings, Grade, MISSED},
    judge::{judge, some},
    probe::Probe,
    prober::{NoReply, Prober},
    request::{BatchForm, ProbeBatch, StreamSource},
};

const SHAPE: &str = "delivers no batch from such a source: all goes to the error prefix";

pub(super) static DIRECT_PUT: Probe = Probe {
    name: "direct-put",
    expects: "records put straight into the stream are delivered",
    why: "a stream with Direct PUT as its source sends recordId, time and data alone",
    firehose: SHAPE,
    rests_on: Some(&DELIVERED),
    source: Some(StreamSource::DirectPut),
    put: |prober| Box::pin(source(prober, BatchForm::DirectPut)),
};

pub(super) static KINESIS: Probe = Probe {
    name: "kinesis",
    expects: "records from a Kinesis stream are delivered",
    why: "they come with kinesisRecordMetadata, the batch with sourceKinesisStreamArn",
    firehose: SHAPE,
    rests_on: Some(&DELIVERED),
    source: Some(StreamSource::Kinesis),
    put: |prober| Box::pin(source(prober, BatchForm::Kinesis)),
};

pub(super) static MSK: Probe = Probe {
    name: "msk",
    expects: "records from MSK are delivered, their data under the name kafkaRecordValue",
    why: "a stream with MSK as its source has kafkaRecordValue in place of data, both ways",
    firehose: SHAPE,
    rests_on: Some(&DELIVERED),
    source: Some(StreamSource::Msk),
    put: |prober| Box::pin(source(prober, BatchForm::Msk)),
};

pub(super) static AWS_SAMPLE: Probe = Probe {
    name: "aws-sample",
    expects: "AWS's own sample events are read, with their empty subsequenceNumber",
    why: "Lambda's console and SAM send them; Firehose itself sends numbers",
    firehose: "never sends this: only tests with AWS's samples fail",
    rests_on: Some(&DELIVERED),
    source: Some(StreamSource::Kinesis),
    put: |prober| Box::pin(async { form(prober, BatchForm::AwsSample).await.softened() }),
};

pub(super) static RECORD_IDS: Probe = Probe {
    name: "record-ids",
    expects: "any recordId comes back exactly: long, with quotes, escapes or signs of any script",
    why: "an id is opaque, and is all by which an answer is told whose it is",
    firehose: MISSED,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(record_ids(prober).map(Findings::from)),
};

async fn form(prober: &mut Prober, shape: BatchForm) -> Findings {
    let records = prober.sound_many(3);
    prober.put(&ProbeBatch::new(shape, records)).await
}

/// A function that was written for one source may never get another's.
async fn source(prober: &mut Prober, shape: BatchForm) -> Findings {
    let mut findings = form(prober, shape).await;
    if findings.grade() == Grade::Fail {
        let advice = "if none of your streams has this source, say which they have with --source";
        findings.add(Grade::Fail, advice, None);
    }
    findings
}

async fn record_ids(prober: &mut Prober) -> Result<Findings, NoReply> {
    let long = "4".repeat(1_000);
    // Numbers that are equal, texts that are in some order or form, names that objects have.
    let ids = [
        &*long,
        "1",
        "01",
        "1.0",
        "1e0",
        "a",
        "A",
        " a",
        "a/b",
        "\"quoted\"",
        "back\\slash",
        "line\nend",
        "\u{e9}",
        "e\u{301}",
        "\u{1f680}",
        "\u{2028}",
        "__proto__",
        "constructor",
        "null",
        "{}",
        "<&>",
        "%2F",
    ];
    let records = ids.into_iter().map(|id| {
        let mut record = prober.sound();
        id.clone_into(&mut record.id);
        record
    });
    let records = records.collect();
    let request = prober.request(records);
    let reply = prober.ask(&request).await?;
    let mut findings = judge(&request, &reply);
    if !reply.answer.unknown_ids.is_empty() && findings.grade() == Grade::Fail {
        let given = reply.answer.unknown_ids.iter();
        let given: Vec<_> = given.map(|id| format!("{id:?}")).collect();
        findings.fail(MISSED, format!("given back instead: {}", some(&given)));
    }
    Ok(findings)
}
