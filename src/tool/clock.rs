//! Where the tool reads the clock.

use std::time::SystemTime;

#[expect(clippy::disallowed_methods, reason = "nowhere else is it read")]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}
