//! What is said of an input as a whole, beside what becomes of its lines.

use super::terminal::tell;
use crate::local::{input::Source, shell::quoted};

/// The rules of the functions leave no line for it.
pub(super) fn tell_of_byte_order_mark(source: &Source) {
    let file = match source {
        Source::File(path) => format!(" {}", quoted(&path.display().to_string())),
        Source::StandardInput => String::new(),
    };
    tell(&format!(
        "`{}` begins with a byte order mark, which makes its first line not_utf8: `tail -c \
         +4{file} > out.jsonl` takes it off",
        source.name()
    ));
}

/// That an input has ended may be all there is to say of it.
pub(super) fn tell_of_nothing() {
    tell("the input is empty: there is no line in it, or none but of white space");
}
