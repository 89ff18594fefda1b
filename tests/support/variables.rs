//! Variables as a table has them, in place of the environment.

pub(crate) fn lookup<'v>(values: &'v [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'v {
    move |name| {
        let value = values.iter().find(|(other, _)| *other == name);
        value.map(|(_, value)| (*value).to_owned())
    }
}
