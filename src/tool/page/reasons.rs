//! Why records were refused, the most frequent reason first.

use indicatif::HumanCount;
use maud::{Markup, html};

use super::figures::Percent;
use crate::tool::plain::Plain;

pub(in crate::tool) struct Reason<'a> {
    pub(in crate::tool) name: &'a str,
    pub(in crate::tool) records: u64,
    /// What stands beside the number.
    pub(in crate::tool) beside: Markup,
}

pub(in crate::tool) fn table(mut reasons: Vec<Reason<'_>>, beside: &str) -> Markup {
    reasons.sort_by(|one, other| {
        let by_records = other.records.cmp(&one.records);
        by_records.then(one.name.cmp(other.name))
    });
    let most = reasons.first().map_or(0, |reason| reason.records);
    html! {
        table.reasons {
            thead {
                tr {
                    th scope="col" { "Reason" }
                    th.number scope="col" { "Records" }
                    th.bars scope="col" {}
                    th scope="col" { (beside) }
                }
            }
            tbody {
                @for Reason { name, records, beside } in reasons {
                    tr {
                        th scope="row" { code { (Plain(name)) } }
                        td.number { (HumanCount(records)) }
                        td.bars { i.failed style={ "width:" (Percent(records, most)) } {} }
                        td.places { (beside) }
                    }
                }
            }
        }
    }
}
