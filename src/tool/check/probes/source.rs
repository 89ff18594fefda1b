//! Each source's form, and the ids that answers are told apart by.

use crate::{
    local::firehose::invocation::Invoke,
    tool::check::{
        judge::some,
        probe::Findings,
        prober::Prober,
        request::{Request, Shape},
    },
};

pub(super) async fn form(prober: &mut Prober<impl Invoke>, shape: Shape) -> Findings {
    let records = prober.sound_many(3);
    prober.put(&Request::new(shape, records)).await
}

pub(super) async fn record_ids(prober: &mut Prober<impl Invoke>) -> Findings {
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
    let (mut findings, reply) = prober.put_and_see(&request).await;
    if let Some(reply) = reply
        && !reply.answer.unknown_ids.is_empty()
        && findings.has_failed()
    {
        let given = reply.answer.unknown_ids.iter();
        let given: Vec<_> = given.map(|id| format!("{id:?}")).collect();
        findings.fail(format!("given back instead: {}", some(&given)));
    }
    findings
}
