//! Whether there is enough memory, asked before it is needed: running out of it would end the process.

use super::{Precision, ScoreError};

/// Bytes that need not be asked for.
const ALWAYS_THERE: usize = 1 << 30;

/// Asks the system for memory for so many numbers, and gives it back.
pub(super) fn check(what: &'static str, numbers: usize, precision: Precision) -> Result<(), ScoreError> {
    let bytes = numbers.saturating_mul(match precision {
        Precision::Single => size_of::<f32>(),
        Precision::Double => size_of::<f64>(),
    });
    if bytes > ALWAYS_THERE && Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
        return Err(ScoreError::Memory { what, gib: bytes as f64 / (1_u64 << 30) as f64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::Precision;

    #[test]
    fn no_machine_has_more_than_addresses() {
        assert!(check("the images", 1000, Precision::Double).is_ok());
        let error = check("the images", usize::MAX / 64, Precision::Single).unwrap_err().to_string();
        insta::assert_snapshot!(error, @"the images take 1073741824 GiB, which this machine does not have; lower --batch, --size, --channels or --cells");
    }
}
