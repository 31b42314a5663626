//! Whether there is enough memory, asked before it is needed: running out of it would end the process.

use std::hint::black_box;

use sysinfo::System;

/// Less memory than something takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} take {:.1} GiB of memory, but the system gives no more than {:.1} GiB",
    (tenths(*needed, f64::ceil)), (tenths(*available, f64::floor))
)]
pub struct MemoryError {
    /// What it is for.
    pub what: &'static str,
    /// Bytes that it takes.
    pub needed: usize,
    /// Bytes that the system gives.
    pub available: usize,
}

/// GiB, rounded to tenths in the direction that keeps a difference.
fn tenths(bytes: usize, round: fn(f64) -> f64) -> f64 {
    round(bytes as f64 / (1_u64 << 30) as f64 * 10.0) / 10.0
}

/// Bytes that must be left for everything else, and that any machine has.
const MARGIN: usize = 64 << 20;

/// Asks the system for so many bytes, and some to spare, and gives them back. Systems promise more memory than
/// they have, so what is free is looked at as well, in the container if there is one.
///
/// # Errors
/// If there are not as many.
pub fn check_memory(what: &'static str, needed: usize) -> Result<(), MemoryError> {
    if needed == 0 || (needed <= MARGIN && gives(needed)) {
        return Ok(());
    }
    let free = free();
    if needed.saturating_add(MARGIN) <= free && gives(needed) {
        return Ok(());
    }
    let (mut available, mut refused) = (0, needed.min(free));
    while refused - available > MARGIN {
        let middle = available + (refused - available) / 2;
        if gives(middle) {
            available = middle;
        } else {
            refused = middle;
        }
    }
    Err(MemoryError { what, needed, available })
}

/// As many times so many bytes as the system gives, `most` times or less but at least once.
///
/// # Errors
/// If there are not as many for once.
pub(crate) fn fitting(what: &'static str, needed: usize, most: usize) -> Result<usize, MemoryError> {
    match check_memory(what, needed.saturating_mul(most)) {
        Ok(()) => Ok(most),
        Err(MemoryError { available, .. }) => {
            check_memory(what, needed)?;
            Ok((available / needed).clamp(1, most))
        }
    }
}

/// Bytes that are free or can be freed, as far as the system tells.
fn free() -> usize {
    let mut system = System::new();
    system.refresh_memory();
    if system.total_memory() == 0 {
        return usize::MAX; // It tells nothing.
    }
    let of_machine = system.available_memory().saturating_add(system.free_swap());
    // What files occupy of a container's memory can be freed.
    let of_container = system.cgroup_limits().map(|limits| limits.total_memory.saturating_sub(limits.rss));
    let known = [Some(of_machine), of_container].into_iter().flatten().filter(|bytes| *bytes > 0);
    known.min().map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// Whether the system gives so many bytes and the margin.
fn gives(bytes: usize) -> bool {
    let mut memory = Vec::<u8>::new();
    let given = memory.try_reserve_exact(bytes.saturating_add(MARGIN)).is_ok();
    // Memory that nobody looks at need not be asked for in earnest.
    black_box(&memory);
    given
}

#[cfg(test)]
mod tests {
    use super::{MARGIN, MemoryError, check_memory, fitting};

    #[test]
    fn no_machine_has_more_than_addresses() {
        assert_eq!(check_memory("the images", 4 * MARGIN), Ok(()));
        let needed = usize::MAX / 16;
        let MemoryError { what, needed: told, available } = check_memory("the images", needed).unwrap_err();
        assert_eq!((what, told), ("the images", needed));
        assert!((4 * MARGIN..needed).contains(&available), "{available}");
    }

    #[test]
    fn as_many_as_fit_are_told() {
        assert_eq!(fitting("the images", MARGIN, 3), Ok(3));
        assert_eq!(fitting("the images", 0, usize::MAX), Ok(usize::MAX));
        let some = fitting("the images", 2 * MARGIN, usize::MAX / MARGIN / 4).unwrap();
        assert!((1..1 << 20).contains(&some), "{some}");
        assert!(fitting("the images", usize::MAX / 16, 2).is_err());
    }

    #[test]
    fn what_is_missing_can_be_seen() {
        let error = MemoryError { what: "the images", needed: (3 << 30) + 1, available: (3 << 30) - 1 };
        insta::assert_snapshot!(error, @"the images take 3.1 GiB of memory, but the system gives no more than 2.9 GiB");
    }
}
