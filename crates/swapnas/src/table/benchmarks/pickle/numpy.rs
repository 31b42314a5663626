use super::values::Value;

/// What the numbers of NumPy are stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dtype {
    kind: Kind,
    /// Bytes of a number.
    size: usize,
    /// Whether the first of them counts most.
    pub(super) is_big: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Bool,
}

impl Dtype {
    /// By a name such as `f8`; nothing for what are no numbers.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (is_big, name) = match name.strip_prefix('>') {
            Some(name) => (true, name),
            None => (false, name.trim_start_matches(['<', '|', '='])),
        };
        let (kind, size) = match name {
            "f2" | "f4" | "f8" => (Kind::Float, &name[1..]),
            "i1" | "i2" | "i4" | "i8" => (Kind::Signed, &name[1..]),
            "u1" | "u2" | "u4" | "u8" => (Kind::Unsigned, &name[1..]),
            "b1" => (Kind::Bool, "1"),
            _ => return None,
        };
        Some(Dtype { kind, size: size.parse().ok()?, is_big })
    }

    /// The numbers in bytes, as far as they are whole.
    pub(super) fn numbers(self, bytes: &[u8]) -> impl Iterator<Item = Number> {
        bytes.chunks_exact(self.size).map(move |bytes| self.number(bytes))
    }

    fn number(self, bytes: &[u8]) -> Number {
        let mut all = [0; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        if self.is_big {
            all[..bytes.len()].reverse();
        }
        let bits = u64::from_le_bytes(all);
        match (self.kind, self.size) {
            (Kind::Float, 2) => Number::Float(half(bits as u16)),
            (Kind::Float, 4) => Number::Float(f32::from_bits(bits as u32).into()),
            (Kind::Float, _) => Number::Float(f64::from_bits(bits)),
            (Kind::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                Number::Integer((bits << unused) as i64 >> unused)
            }
            (Kind::Unsigned, _) => i64::try_from(bits).map_or(Number::Float(bits as f64), Number::Integer),
            (Kind::Bool, _) => Number::Integer(i64::from(bits != 0)),
        }
    }
}

/// A number of NumPy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    pub(super) fn number(self) -> f64 {
        match self {
            Number::Integer(number) => number as f64,
            Number::Float(number) => number,
        }
    }

    pub(super) fn value(self) -> Value {
        match self {
            Number::Integer(number) => Value::Integer(number),
            Number::Float(number) => Value::Float(number),
        }
    }
}

/// A number of half precision: a sign, five bits of exponent and ten of fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}
