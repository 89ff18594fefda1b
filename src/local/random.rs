//! Random numbers for names that must not meet: `SipHash` under a key that the standard library
//! takes from the operating system.

use std::hash::{BuildHasher, RandomState};

/// Never gives the same number twice, nor one that another process gives.
#[derive(Debug, Clone, Default)]
pub struct Random {
    key: RandomState,
    given: u64,
}

impl Random {
    pub fn number(&mut self) -> u64 {
        self.given += 1;
        self.key.hash_one(self.given)
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.number(), self.number());
        let version = 0x4000 | (high & 0x0fff);
        let variant = 0x8000 | (low >> 48 & 0x3fff);
        format!(
            "{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            low & 0xffff_ffff_ffff,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_its_variant() {
        let mut random = Random::default();
        for _ in 0..100 {
            let uuid = random.uuid();
            let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            assert_eq!(uuid.as_bytes()[14], b'4', "{uuid}");
            assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        }
        assert_ne!(random.uuid(), random.uuid());
        assert_ne!(Random::default().uuid(), Random::default().uuid());
    }
}
