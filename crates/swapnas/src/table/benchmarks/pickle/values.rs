use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use super::numpy::Dtype;
use super::{Cause, FREE_STEPS, MOST_VALUES};

/// The place of a value.
pub(super) type Id = u32;

/// The part of a place that says that the value stays when a network goes.
pub(super) const LASTING: Id = 1 << 31;

/// Whether the value of that place stays when a network goes.
pub(super) fn is_lasting(id: Id) -> bool {
    id & LASTING != 0
}

/// The most bytes that values may have besides, in texts and in places of lists and dictionaries.
const MOST_BYTES: usize = 256 << 20;

#[derive(Clone, Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Rc<str>),
    Bytes(Box<[u8]>),
    /// A list, a tuple or a set.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Class(Class),
    Dtype(Dtype),
    /// An array of NumPy: what its numbers are, and the bytes of them.
    Array(Option<(Dtype, Id)>),
    /// Any other object.
    Opaque,
    /// What went with an earlier network.
    Lost,
}

impl Value {
    /// How many bytes it has besides its place.
    fn size(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(items) => size_of_val(&items[..]),
            Value::Dict(entries) => size_of_val(&entries[..]),
            _ => 0,
        }
    }
}

/// What a name of Python stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
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
    pub(super) fn of(module: &str, name: &str) -> Self {
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

/// The values of a pickle, which refer to each other by their places.
///
/// Texts and what is known by a name stay, and equal texts are there once. All other values go with the network that they
/// are part of.
#[derive(Debug)]
pub(super) struct Values {
    lasting: Vec<Value>,
    texts: HashMap<Rc<str>, Id>,
    passing: Vec<Value>,
    /// How many bytes values have besides.
    size: usize,
    /// Whether something was looked at that is lost.
    has_lost: Cell<bool>,
    /// How many values may still be looked at: a small file could have contents that are long when they are walked
    /// through, since any of them can be in many places.
    steps: Cell<usize>,
}

impl Default for Values {
    fn default() -> Self {
        Values {
            lasting: Vec::new(),
            texts: HashMap::new(),
            passing: Vec::new(),
            size: 0,
            has_lost: Cell::new(false),
            steps: Cell::new(FREE_STEPS),
        }
    }
}

impl Values {
    pub(super) fn get(&self, id: Id) -> &Value {
        let found = match is_lasting(id) {
            true => self.lasting.get((id ^ LASTING) as usize),
            false => self.passing.get(id as usize),
        };
        found.unwrap_or(&Value::Lost)
    }

    pub(super) fn push(&mut self, value: Value) -> Result<Id, Cause> {
        self.grow(value.size())?;
        if self.lasting.len() + self.passing.len() >= MOST_VALUES {
            return Err(Cause::Many);
        }
        self.steps.set(self.steps.get().saturating_add(STEPS));
        let (list, kind) = match value {
            Value::Text(_) | Value::Class(_) | Value::Dtype(_) => (&mut self.lasting, LASTING),
            _ => (&mut self.passing, 0),
        };
        list.push(value);
        Ok((list.len() - 1) as Id | kind)
    }

    pub(super) fn text(&mut self, text: &str) -> Result<Id, Cause> {
        if let Some(id) = self.texts.get(text) {
            self.steps.set(self.steps.get().saturating_add(STEPS));
            return Ok(*id);
        }
        let text: Rc<str> = text.into();
        let id = self.push(Value::Text(text.clone()))?;
        self.texts.insert(text, id);
        Ok(id)
    }

    /// Says which numbers a type has, or an array.
    pub(super) fn change(&mut self, id: Id) -> Option<&mut Value> {
        match is_lasting(id) {
            true => self.lasting.get_mut((id ^ LASTING) as usize),
            false => self.passing.get_mut(id as usize),
        }
    }

    /// Adds to a list. What is added to something unknown is lost.
    pub(super) fn append(&mut self, id: Id, items: &[Id]) -> Result<(), Cause> {
        self.grow(size_of_val(items))?;
        match self.change(id) {
            Some(Value::List(list)) => list.extend(items),
            Some(Value::Opaque | Value::Lost) | None => self.size -= size_of_val(items),
            _ => return Err(Cause::Kind),
        }
        Ok(())
    }

    /// Adds to a dictionary. What is added to something unknown is lost.
    pub(super) fn insert(&mut self, id: Id, added: Vec<(Id, Id)>) -> Result<(), Cause> {
        self.grow(size_of_val(&added[..]))?;
        match self.change(id) {
            Some(Value::Dict(entries)) => entries.extend(added),
            Some(Value::Opaque | Value::Lost) | None => self.size -= size_of_val(&added[..]),
            _ => return Err(Cause::Kind),
        }
        Ok(())
    }

    /// Forgets a network and the values that came after it, which are its own.
    pub(super) fn forget(&mut self, network: Id) {
        let gone = self.passing.drain((network as usize).min(self.passing.len())..);
        self.size -= gone.map(|value| value.size()).sum::<usize>();
        self.passing.push(Value::Opaque);
    }

    /// What is looked at in a place.
    pub(super) fn look(&self, id: Id) -> &Value {
        let value = self.get(id);
        if matches!(value, Value::Lost) {
            self.has_lost.set(true);
        }
        value
    }

    /// Whether something was looked at since the last time that is lost.
    pub(super) fn take_lost(&self) -> bool {
        self.has_lost.take()
    }

    /// Whether so much was looked at that the rest was not. What was found then is worth nothing.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Whether one more value may be looked at.
    pub(super) fn step(&self) -> bool {
        self.steps.set(self.steps.get().saturating_sub(1));
        !self.is_exhausted()
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Cause> {
        self.size += bytes;
        if self.size > MOST_BYTES { Err(Cause::Many) } else { Ok(()) }
    }
}

/// How many values may be looked at for each that there is.
const STEPS: usize = 4;
