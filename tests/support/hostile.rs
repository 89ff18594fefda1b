//! Texts that are made to do harm.

/// Each is what somebody may have thought would get out of where it stands.
pub(crate) const HOSTILE: [&str; 9] = [
    "../../../etc/passwd",
    "s3://other/bucket",
    "'; DELETE FROM \"EventLogs\" --",
    "\"} , {\"PutRequest\": {",
    "a\u{0}b",
    "line\r\nbreak",
    "\u{202e}gnirts",
    "${jndi:ldap://x}",
    "__proto__",
];
