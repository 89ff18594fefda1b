//! How SQL is laid out.

/// Each two columns further right.
pub(super) fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// One a line, indented.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    indented(&items.into_iter().collect::<Vec<_>>().join(",\n"))
}

/// Conditions that all have to hold, one a line.
pub(super) fn all_of(conditions: impl IntoIterator<Item = String>) -> String {
    conditions.into_iter().collect::<Vec<_>>().join("\n  AND ")
}
