//! Pickles of Python, as far as they are data.
//!
//! A pickle is a program for a small machine with a stack, which can call any function that Python can import. Here
//! nothing is called: a dozen names that stand for data (ordered dictionaries, sets, numbers and arrays of NumPy) become
//! what they stand for, and any other object is [`Value::Opaque`], a thing of which nothing is known. There is no crate
//! that reads NumPy's numbers and ordered dictionaries of a pickle.
//!
//! Values refer to each other by their places in one list, so that neither nesting nor what refers to itself can exhaust
//! the stack, and there are no more of them than [`MOST_VALUES`].

mod machine;
mod numpy;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::Cell;

use machine::Machine;
use numpy::Dtype;

/// The most values of a pickle, four times as many as HW-NAS-Bench has.
const MOST_VALUES: usize = 1 << 22;

/// How many values may be looked at besides four for each that there is.
const FREE_STEPS: usize = 1 << 20;

/// The place of a value.
type Id = u32;

#[derive(Clone, Debug)]
enum Value<'b> {
    None,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'b, str>),
    Bytes(Cow<'b, [u8]>),
    /// A list, a tuple or a set.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Class(Class),
    Dtype(Dtype),
    /// An array of NumPy: what its numbers are, and the bytes of them.
    Array(Option<(Dtype, Id)>),
    /// Any other object.
    Opaque,
}

/// What a name of Python stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    OrderedDict,
    DefaultDict,
    /// A list, tuple or set.
    Collection,
    /// A text as bytes, as second protocols write these.
    Encode,
    Dtype,
    Scalar,
    /// An array without its numbers.
    Reconstruct,
    Other,
}

impl Class {
    fn of(module: &str, name: &str) -> Self {
        let builtins = matches!(module, "builtins" | "__builtin__");
        let multiarray = matches!(module, "numpy.core.multiarray" | "numpy._core.multiarray");
        match name {
            "OrderedDict" if module == "collections" => Class::OrderedDict,
            "defaultdict" if module == "collections" => Class::DefaultDict,
            "set" | "frozenset" | "list" | "tuple" if builtins => Class::Collection,
            "encode" if module == "_codecs" => Class::Encode,
            "dtype" if module == "numpy" => Class::Dtype,
            "scalar" if multiarray => Class::Scalar,
            "_reconstruct" if multiarray => Class::Reconstruct,
            _ => Class::Other,
        }
    }
}

/// Why a pickle is not read, and behind which byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause} (at byte {at})")]
pub(super) struct PickleError {
    cause: Cause,
    at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Cause {
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
pub(super) struct Pickle<'b> {
    values: Vec<Value<'b>>,
    root: Id,
    /// How many values may still be looked at: a small file could have contents that are long when they are walked
    /// through, since any of them can be in many places.
    steps: Cell<usize>,
}

impl<'b> Pickle<'b> {
    /// Reads a pickle; what is behind it is left alone.
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self, PickleError> {
        let mut machine = Machine::new(bytes);
        let root = machine.run().map_err(|cause| PickleError { cause, at: machine.at() })?;
        let values = machine.into_values();
        let steps = Cell::new(FREE_STEPS + 4 * values.len());
        Ok(Pickle { values, root, steps })
    }

    /// What it holds.
    pub(super) fn root(&self) -> Item<'_, 'b> {
        Item { pickle: self, id: self.root }
    }

    /// Whether so much was looked at that the rest was not. What was found then is worth nothing.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Whether one more value may be looked at.
    fn step(&self) -> bool {
        self.steps.set(self.steps.get().saturating_sub(1));
        !self.is_exhausted()
    }
}

/// A value of a pickle.
#[derive(Clone, Copy)]
pub(super) struct Item<'p, 'b> {
    pickle: &'p Pickle<'b>,
    id: Id,
}

impl<'p, 'b> Item<'p, 'b> {
    fn value(self) -> &'p Value<'b> {
        &self.pickle.values[self.id as usize]
    }

    fn at(self, id: Id) -> Self {
        Item { id, ..self }
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
            Value::Class(_) | Value::Opaque => "an object",
        }
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
    pub(super) fn items(self) -> impl Iterator<Item = Self> + use<'p, 'b> {
        let ids = match self.value() {
            Value::List(ids) => &ids[..],
            _ => &[],
        };
        ids.iter().take_while(move |_| self.pickle.step()).map(move |&id| self.at(id))
    }

    /// The keys and values of a dictionary, in its order; none of anything else.
    pub(super) fn entries(self) -> impl Iterator<Item = (Self, Self)> + use<'p, 'b> {
        let entries = match self.value() {
            Value::Dict(entries) => &entries[..],
            _ => &[],
        };
        let entries = entries.iter().take_while(move |_| self.pickle.step());
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
                    let numbers = dtype.numbers(bytes).take_while(|_| self.pickle.step());
                    numbers.map(|number| Some(number.number())).collect()
                }
                _ => Vec::new(),
            },
            _ => self.number().into_iter().map(Some).collect(),
        }
    }
}
