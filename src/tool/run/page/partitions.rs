//! How large the partitions became. Many small files are what makes a lake slow.

use indicatif::HumanCount;
use maud::{Markup, html};

use super::histogram::Histogram;
use crate::{
    local::firehose::{
        picture::{
            Picture,
            sizes::{PARTITIONS_MAX, Partition},
            spread::Spread,
        },
        summary::Summary,
    },
    tool::{
        page::{
            chart::Plot,
            figures::{Amount, Measure, Percent, Unit, nothing},
        },
        plain::Plain,
    },
};

pub(super) struct PartitionSizes<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
}

impl PartitionSizes<'_> {
    pub(super) fn markup(&self) -> Markup {
        let sizes = &self.picture.sizes;
        let files = &sizes.files;
        if files.numbers == 0 {
            return nothing("No file was written.");
        }
        html! {
            p.caption {
                (Measure(files.sum, Unit::Bytes)) " in " (Amount(files.numbers, "file")) " of "
                (Amount(self.summary.partitions.len() as u64, "partition"))
                "; half of the files have " (Measure(files.percentile(50), Unit::Bytes)) " or less."
            }
            div.pair {
                div {
                    h3 { "Partitions by size" }
                    figure { (histogram(sizes.partitions(), "partition")) }
                }
                div { h3 { "Files by size" } figure { (histogram(files.clone(), "file")) } }
            }
            (largest(&sizes.largest()))
            @let Partition { bytes, files } = sizes.beyond;
            @if files > 0 {
                p.remark {
                    "Only the first " (Amount(PARTITIONS_MAX as u64, "partition"))
                    " are told apart: " (Amount(files, "file")) " with "
                    (Measure(bytes, Unit::Bytes)) " lie in others."
                }
            }
        }
    }
}

fn histogram(spread: Spread, name: &'static str) -> Plot {
    let histogram = Histogram {
        spread,
        name,
        unit: Unit::Bytes,
        class: "size",
    };
    histogram.plot()
}

fn largest(largest: &[(&str, Partition)]) -> Markup {
    let most = largest.first().map_or(0, |(_, partition)| partition.bytes);
    html! {
        h3 { "The largest" }
        table.largest {
            thead {
                tr {
                    th scope="col" { "Folder in the lake" }
                    th.number scope="col" { "Size" }
                    th.bars scope="col" {}
                    th.number scope="col" { "Files" }
                }
            }
            tbody {
                @for (folder, Partition { bytes, files }) in largest {
                    tr {
                        th scope="row" { code { (breakable(folder)) } }
                        td.number { (Measure(*bytes, Unit::Bytes)) }
                        td.bars { i.size style={ "width:" (Percent(*bytes, most)) } {} }
                        td.number { (HumanCount(*files)) }
                    }
                }
            }
        }
    }
}

/// A path that may go on in a new line after each folder.
fn breakable(path: &str) -> Markup {
    html! {
        @for folder in path.split_inclusive('/') { (Plain(folder)) wbr; }
    }
}
