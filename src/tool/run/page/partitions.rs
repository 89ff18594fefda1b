//! How large the partitions became. Many small files are what makes a lake slow.

use std::fmt::{self, Display};

use super::{
    figures::{Count, Counted, Measure, Text, Unit, ratio},
    histogram::Histogram,
};
use crate::local::firehose::{
    picture::{
        Picture,
        sizes::{PARTITIONS_MAX, Partition, Sizes},
        spread::Spread,
    },
    summary::Summary,
};

pub(super) struct Partitions<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
}

impl Display for Partitions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<section aria-labelledby=\"partitions\"><h2 id=\"partitions\">Partition sizes</h2>",
        )?;
        let sizes = &self.picture.sizes;
        if sizes.files.numbers == 0 {
            return f.write_str("<p class=\"empty\">No file was written.</p></section>");
        }
        self.caption(f)?;
        write!(
            f,
            "<div class=\"pair\"><div><h3>Partitions by size</h3><figure>{}</figure></div>\
             <div><h3>Files by size</h3><figure>{}</figure></div></div>",
            histogram(sizes.partitions(), "partition"),
            histogram(sizes.files.clone(), "file"),
        )?;
        largest(sizes, f)?;
        beyond(sizes.beyond, f)?;
        f.write_str("</section>")
    }
}

impl Partitions<'_> {
    fn caption(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = &self.picture.sizes.files;
        write!(
            f,
            "<p class=\"caption\">{} in {} of {}; half of the files have {} or less.</p>",
            Measure(files.sum, Unit::Bytes),
            Counted(files.numbers, "file"),
            Counted(self.summary.partitions.len() as u64, "partition"),
            Measure(files.percentile(50), Unit::Bytes),
        )
    }
}

fn histogram(spread: Spread, name: &'static str) -> Histogram {
    Histogram {
        spread,
        name,
        unit: Unit::Bytes,
        class: "size",
    }
}

fn largest(sizes: &Sizes, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(
        "<h3>The largest</h3><table class=\"largest\"><thead><tr>\
         <th scope=\"col\">Folder in the lake</th><th scope=\"col\" class=\"number\">Size</th>\
         <th scope=\"col\" class=\"bars\"></th><th scope=\"col\" class=\"number\">Files</th>\
         </tr></thead><tbody>",
    )?;
    let largest = sizes.largest();
    let most = largest.first().map_or(0, |(_, partition)| partition.bytes);
    for (folder, Partition { bytes, files }) in largest {
        let width = 100.0 * ratio(bytes, most);
        write!(
            f,
            "<tr><th scope=\"row\"><code>{}</code></th><td class=\"number\">{}</td>\
             <td class=\"bars\"><i class=\"size\" style=\"width:{width:.2}%\"></i></td>\
             <td class=\"number\">{}</td></tr>",
            Breakable(folder),
            Measure(bytes, Unit::Bytes),
            Count(files),
        )?;
    }
    f.write_str("</tbody></table>")
}

fn beyond(beyond: Partition, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if beyond.files == 0 {
        return Ok(());
    }
    let known = Counted(PARTITIONS_MAX as u64, "partition");
    let (files, bytes) = (
        Counted(beyond.files, "file"),
        Measure(beyond.bytes, Unit::Bytes),
    );
    write!(
        f,
        "<p class=\"remark\">Only the first {known} are told apart: {files} with {bytes} lie in \
         others.</p>"
    )
}

/// A path that may go on in a new line after each folder.
struct Breakable<'a>(&'a str);

impl Display for Breakable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut folders = self.0.split_inclusive('/');
        folders.try_for_each(|folder| write!(f, "{}<wbr>", Text(folder)))
    }
}
