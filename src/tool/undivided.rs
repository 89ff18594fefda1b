//! Names that have another sign where type and subtype are divided.

use crate::local::firehose::name_forms::NameForms;

/// What becomes of them, and what can be done: in a lake that is there keys are not changed.
const REMARK: &str = "no event_name has a colon, by which type and subtype are divided, and most have \
                      `.`, `/`, `-` or `_` instead: each whole name is an event_type, and event_subtype \
                      is `unknown` in every path. A new lake can leave that key out: --partition-keys \
                      event_type,year,month,day";

pub(super) fn remark(forms: NameForms) -> Option<&'static str> {
    forms.are_undivided().then_some(REMARK)
}
