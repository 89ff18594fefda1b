//! Where an element of an array ends, whatever is in it.

/// Where in the nesting of JSON a byte stands.
#[derive(Debug, Default)]
pub(super) struct Scan {
    depth: u32,
    string: StringPart,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum StringPart {
    #[default]
    Outside,
    Inside,
    /// Behind a backslash.
    Escape,
}

impl Scan {
    pub(super) fn is_at_top(&self) -> bool {
        self.depth == 0 && self.string == StringPart::Outside
    }

    /// Passes an element of an array: its length, and the comma or bracket that ends it.
    pub(super) fn element(&mut self, bytes: &[u8]) -> Option<(usize, u8)> {
        let mut index = 0;
        loop {
            if self.string == StringPart::Inside {
                index += memchr::memchr2(b'"', b'\\', bytes.get(index..)?)?;
            }
            let byte = *bytes.get(index)?;
            if matches!(byte, b',' | b']') && self.is_at_top() {
                return Some((index, byte));
            }
            self.pass(byte);
            index += 1;
        }
    }

    #[inline]
    pub(super) fn pass(&mut self, byte: u8) {
        match (self.string, byte) {
            (StringPart::Inside, b'\\') => self.string = StringPart::Escape,
            (StringPart::Inside, b'"') => self.string = StringPart::Outside,
            (StringPart::Escape, _) | (StringPart::Outside, b'"') => {
                self.string = StringPart::Inside;
            }
            (StringPart::Outside, b'{' | b'[') => self.depth += 1,
            (StringPart::Outside, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
