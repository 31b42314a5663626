//! Options in messages, which every front end spells in its own way.
//!
//! A message names an option by one of the constants here. By itself that is the name of the field that holds it, as in
//! `lower final_channels`. A front end makes its texts within [`spelled`], where options are what its users know them
//! as. So errors need not know who shows them, wherever they are wrapped, and nobody has to look for options in texts.
//!
//! ```
//! use std::fmt;
//!
//! use swapnas_graph::option::{BATCH, OptionName, SIZE, spelled};
//!
//! fn on_paper(option: OptionName, numbers: &[usize], f: &mut fmt::Formatter<'_>) -> fmt::Result {
//!     write!(f, "the {}{}", option.name(), if numbers.is_empty() { "" } else { " below" })
//! }
//!
//! let message = || format!("lower {BATCH}, as in {}", SIZE.of(&[3, 32, 32]));
//! assert_eq!(message(), "lower batch, as in size 3x32x32");
//! assert_eq!(spelled(on_paper, message), "lower the batch, as in the size below");
//! ```

use std::cell::Cell;
use std::fmt;

/// The name of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionName(&'static str);

/// An option with numbers that are joined by an `x`, or with one, as an example of what may be given.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a>(OptionName, &'a [usize]);

/// How a front end writes an option; if there are numbers, together with them.
pub type Spelling = fn(OptionName, &[usize], &mut fmt::Formatter<'_>) -> fmt::Result;

thread_local! {
    // A `Formatter` takes nothing along from an error to those that it tells of.
    static SPELLING: Cell<Spelling> = const { Cell::new(as_field) };
}

/// Does something, and lets options in texts that this thread makes meanwhile be spelled so.
pub fn spelled<T>(spelling: Spelling, work: impl FnOnce() -> T) -> T {
    struct Before(Spelling);
    impl Drop for Before {
        fn drop(&mut self) {
            SPELLING.set(self.0);
        }
    }
    let _before = Before(SPELLING.replace(spelling));
    work()
}

fn as_field(option: OptionName, numbers: &[usize], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&option.identifier())?;
    if numbers.is_empty() { Ok(()) } else { write!(f, " {}", joined(numbers)) }
}

/// Numbers of a size as users write them, `3x32x32`.
pub fn joined(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

impl OptionName {
    /// The name in lower case, with hyphens.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The name as an identifier: with underscores.
    pub fn identifier(self) -> String {
        self.0.replace('-', "_")
    }

    /// The option with numbers.
    pub const fn of(self, numbers: &[usize]) -> Given<'_> {
        Given(self, numbers)
    }
}

impl fmt::Display for OptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SPELLING.get()(*self, &[], f)
    }
}

impl fmt::Display for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SPELLING.get()(self.0, self.1, f)
    }
}

macro_rules! names {
    ($($constant:ident = $name:literal,)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $constant: OptionName = OptionName($name);
        )*

        impl OptionName {
            /// All options that messages name.
            pub const ALL: &[OptionName] = &[$($constant),*];
        }
    };
}

names! {
    ACCURACY_COLUMN = "accuracy-column",
    ALGORITHM = "algorithm",
    ARCH_COLUMN = "arch-column",
    BATCH = "batch",
    CELLS = "cells",
    CHANNELS = "channels",
    COLUMNS = "columns",
    CYCLES = "cycles",
    FINAL_CELLS = "final-cells",
    FINAL_CHANNELS = "final-channels",
    FORMAT = "format",
    INPUT = "input",
    INPUTS = "inputs",
    METRICS = "metrics",
    MUTATIONS = "mutations",
    OUT = "out",
    POPULATION = "population",
    PYTHON = "python",
    REPEATS = "repeats",
    RESUME = "resume",
    SAMPLE = "sample",
    SIZE = "size",
    SKIP_BAD = "skip-bad",
    SPACE = "space",
    TARGET_PARAMS = "target-params",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Fault {
        #[error("change {FINAL_CELLS}")]
        Cells,
        #[error("it cannot be: {0}")]
        Wrapped(#[source] Box<Fault>),
    }

    fn loud(option: OptionName, numbers: &[usize], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{numbers:?}", option.name().to_uppercase())
    }

    #[test]
    fn options_of_wrapped_errors_are_spelled_where_texts_are_made() {
        let error = Fault::Wrapped(Box::new(Fault::Cells));
        assert_eq!(error.to_string(), "it cannot be: change final_cells");
        let text = spelled(loud, || {
            let inside = spelled(as_field, || SIZE.of(&[128]).to_string());
            format!("{error}, {inside}, {}", SIZE.of(&[1, 2, 3]))
        });
        assert_eq!(text, "it cannot be: change FINAL-CELLS[], size 128, SIZE[1, 2, 3]");
        assert_eq!(error.to_string(), "it cannot be: change final_cells");
    }

    #[test]
    fn a_panic_leaves_no_spelling_behind() {
        assert!(std::panic::catch_unwind(|| spelled(loud, || panic!("as it must"))).is_err());
        assert_eq!(BATCH.to_string(), "batch");
    }
}
