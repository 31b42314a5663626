use std::fmt;

/// A finite number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Real(u64);

impl Real {
    /// The number; `None` if it is not finite.
    pub const fn new(number: f64) -> Option<Self> {
        // Both zeros are one.
        if number.is_finite() { Some(Real((number + 0.0).to_bits())) } else { None }
    }

    /// The number.
    pub const fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}
