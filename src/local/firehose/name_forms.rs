//! How events' names are made: with a colon between type and subtype, or with another sign in places
//! like it, which makes the whole name a type.

use serde::{Deserialize, Serialize};

/// Stands where a name has no second part.
const NO_SUBTYPE: &str = "unknown";
/// Between the parts of a name where it is no colon, as a partition key has them.
const OTHER_SIGNS: [&str; 4] = [".", "%2F", "-", "_"];

/// Partitions by the form of their events' names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameForms {
    with_subtype: u64,
    /// Of one part, with another sign between what may be parts.
    joined: u64,
    /// Of one word.
    plain: u64,
}

impl NameForms {
    /// Takes in a partition by its keys; one whose keys are not the two says nothing.
    pub fn add<'v>(&mut self, keys: impl Iterator<Item = (&'v str, &'v str)>) {
        let (mut event_type, mut subtype) = (None, None);
        for (key, value) in keys {
            match key {
                "event_type" => event_type = Some(value),
                "event_subtype" => subtype = Some(value),
                _ => {}
            }
        }
        match event_type.zip(subtype) {
            None => {}
            Some((name, NO_SUBTYPE)) if is_joined(name) => self.joined += 1,
            Some((_, NO_SUBTYPE)) => self.plain += 1,
            Some(_) => self.with_subtype += 1,
        }
    }

    pub fn join(&mut self, other: Self) {
        self.with_subtype += other.with_subtype;
        self.joined += other.joined;
        self.plain += other.plain;
    }

    /// Whether no name has a colon, and most have another sign in places like it.
    #[must_use]
    pub fn are_undivided(self) -> bool {
        self.with_subtype == 0 && self.joined > self.plain
    }
}

fn is_joined(name: &str) -> bool {
    let halves = OTHER_SIGNS.iter().filter_map(|sign| name.split_once(sign));
    let mut halves = halves.map(|(before, after)| !before.is_empty() && !after.is_empty());
    halves.any(|are_words| are_words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_undivided_where_another_sign_stands_for_the_colon() {
        #[track_caller]
        fn check(names: &[(&str, &str)], expected: bool) {
            let mut forms = NameForms::default();
            for (event_type, subtype) in names {
                let keys = [("event_type", *event_type), ("event_subtype", *subtype)];
                forms.add(keys.into_iter().chain([("year", "2026")]));
            }
            assert_eq!(forms.are_undivided(), expected, "{names:?}");
        }
        for name in [
            "shop.order.created",
            "shop%2Forder",
            "page-view",
            "page_view",
        ] {
            check(
                &[(name, "unknown"), ("login", "unknown"), (name, "unknown")],
                true,
            );
            check(&[(name, "unknown"), ("account", "created")], false);
            check(&[(name, "unknown"), ("login", "unknown")], false);
        }
        check(&[], false);
        check(
            &[("login", "unknown"), (".", "unknown"), ("a-", "unknown")],
            false,
        );
        let mut forms = NameForms::default();
        forms.add([("event_type", "shop.order")].into_iter());
        assert!(!forms.are_undivided(), "nothing can be left out");
    }
}
