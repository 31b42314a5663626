//! Pickles of Python, as far as they are data.
//!
//! A pickle is a program for a small machine with a stack, which can call any function that Python can import. Here
//! nothing is called: a dozen names that stand for data (ordered dictionaries, sets, numbers and arrays of NumPy) become
//! what they stand for, and any other object is [`Value::Opaque`], a thing of which nothing is known. There is no crate
//! that reads NumPy's numbers and ordered dictionaries of a pickle.
//!
//! Values refer to each other by their places in one list, so that neither nesting nor what refers to itself can exhaust
//! the stack, and there are no more of them than [`MOST_VALUES`].
//!
//! A file of all networks of a benchmark has hundreds of millions of values. So each network is handed over as soon as it
//! is whole, and its values are forgotten.

mod machine;
mod memo;
mod numpy;
mod source;
#[cfg(test)]
mod tests;
mod values;

use machine::Machine;
pub(super) use source::Source;
use values::{Id, Value, Values, is_lasting};

#[cfg(test)]
use values::LASTING;

/// The most values of a pickle at a time, four times as many as HW-NAS-Bench has.
const MOST_VALUES: usize = 1 << 22;

/// How many values may be looked at besides four for each that there is.
const FREE_STEPS: usize = 1 << 20;

/// Whether something was taken from a pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is something else than what is looked for.
    Not,
    /// It is not needed any more.
    Whole,
    /// Nor is anything behind it.
    Last,
}

/// What is asked about every dictionary when something was put into it.
pub(super) type HandOver<'m> = &'m mut dyn FnMut(Item<'_>) -> Taken;

/// Why a pickle is not read, and behind which byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause} (at byte {at})")]
pub(super) struct PickleError {
    cause: Cause,
    at: u64,
}

impl PickleError {
    /// How many megabytes are read at most, if there are more.
    pub(super) fn too_large(&self) -> Option<u64> {
        match self.cause {
            Cause::Large(megabytes) => Some(megabytes),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cause {
    #[error("it ends too early")]
    Short,
    #[error("the instruction {0:#04x} is none")]
    Instruction(u8),
    #[error("the instruction {0:#04x} is for older pickles than are read; write it with protocol 2 or later")]
    Old(u8),
    #[error("an instruction takes more from the stack than is there")]
    Stack,
    #[error("number {0} was never kept")]
    Memo(u64),
    #[error("it refers to the same contents again and again")]
    Repeated,
    #[error("its bytes cannot be read")]
    Read,
    #[error("it holds more than {0} MB")]
    Large(u64),
    #[error("a text is not valid UTF-8")]
    Text,
    #[error("a number cannot be read")]
    Number,
    #[error("an instruction finds something else than it works on")]
    Kind,
    #[error("it holds more than {MOST_VALUES} values")]
    Many,
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Values,
    root: Option<Id>,
}

impl Pickle {
    /// Reads a pickle; what is behind it is left alone. Every dictionary is offered to `hand_over` when something was put
    /// into it.
    pub(super) fn read(source: &mut Source<'_>, hand_over: HandOver<'_>) -> Result<Self, PickleError> {
        let mut machine = Machine::new(source, hand_over);
        let root = machine.run().map_err(|cause| PickleError { cause, at: machine.at() })?;
        Ok(Pickle { values: machine.into_values(), root })
    }

    /// What it holds, unless it was not read to its end.
    pub(super) fn root(&self) -> Option<Item<'_>> {
        self.root.map(|id| Item { values: &self.values, id })
    }

    /// Whether so much was looked at that the rest was not. What was found then is worth nothing.
    pub(super) fn check(&self, source: &Source<'_>) -> Result<(), PickleError> {
        match self.values.is_exhausted() {
            true => Err(PickleError { cause: Cause::Repeated, at: source.at() }),
            false => Ok(()),
        }
    }
}

/// A value of a pickle.
#[derive(Clone, Copy)]
pub(super) struct Item<'p> {
    values: &'p Values,
    id: Id,
}

impl<'p> Item<'p> {
    fn value(self) -> &'p Value {
        self.values.look(self.id)
    }

    fn at(self, id: Id) -> Self {
        Item { id, ..self }
    }

    /// Whether something of the pickle was looked at since this was last asked that went with an earlier network. What
    /// was found is not all there is then.
    pub(super) fn take_lost(self) -> bool {
        self.values.take_lost()
    }

    /// What kind of thing it is, in words.
    pub(super) fn kind(self) -> &'static str {
        match self.value() {
            Value::None => "nothing",
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) | Value::Bytes(_) => "a text",
            Value::List(_) => "a list",
            Value::Dict(_) => "a dictionary",
            Value::Array(_) | Value::Dtype(_) => "an array",
            Value::Class(_) | Value::Opaque | Value::Lost => "an object",
        }
    }

    /// Whether it is a dictionary.
    pub(super) fn is_dictionary(self) -> bool {
        matches!(self.value(), Value::Dict(_))
    }

    /// The text, if it is one.
    pub(super) fn text(self) -> Option<&'p str> {
        match self.value() {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one; true is one, as in Python.
    pub(super) fn number(self) -> Option<f64> {
        match self.value() {
            Value::Bool(is_true) => Some(f64::from(u8::from(*is_true))),
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub(super) fn integer(self) -> Option<i64> {
        match self.value() {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The values of a list, tuple or set; none of anything else.
    pub(super) fn items(self) -> impl Iterator<Item = Self> + use<'p> {
        let ids = match self.value() {
            Value::List(ids) => &ids[..],
            _ => &[],
        };
        ids.iter().take_while(move |_| self.values.step()).map(move |&id| self.at(id))
    }

    /// The keys and values of a dictionary, in its order; none of anything else.
    pub(super) fn entries(self) -> impl Iterator<Item = (Self, Self)> + use<'p> {
        let entries = match self.value() {
            Value::Dict(entries) => &entries[..],
            _ => &[],
        };
        let entries = entries.iter().take_while(move |_| self.values.step());
        entries.map(move |&(key, value)| (self.at(key), self.at(value)))
    }

    /// What a dictionary has last under that key.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.entries().filter(|(found, _)| found.text() == Some(key)).last().map(|(_, value)| value)
    }

    /// The numbers of a list or an array, or of a number by itself; nothing in place of what is none.
    pub(super) fn numbers(self) -> Vec<Option<f64>> {
        match self.value() {
            Value::List(_) => self.items().map(Item::number).collect(),
            Value::Array(Some((dtype, bytes))) => match self.at(*bytes).value() {
                Value::Bytes(bytes) => {
                    let numbers = dtype.numbers(bytes).take_while(|_| self.values.step());
                    numbers.map(|number| Some(number.number())).collect()
                }
                _ => Vec::new(),
            },
            _ => self.number().into_iter().map(Some).collect(),
        }
    }
}
