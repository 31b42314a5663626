use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

/// Names something for the random numbers drawn for it and for the memory of what was computed.
///
/// Equal keys mean "the same thing", whatever network it occurs in, on every machine and in every
/// version: the hash is SipHash-1-3 with a zero key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

impl Key {
    /// The key of a value.
    pub fn of(value: impl Hash) -> Self {
        let mut hasher = SipHasher13::new();
        value.hash(&mut hasher);
        Key(hasher.finish())
    }

    /// The key of `value` within this one.
    #[must_use]
    pub fn with(self, value: impl Hash) -> Self {
        Key::of((self.0, value))
    }
}
