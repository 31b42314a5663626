//! Reading descriptions of architectures from JSON.

use std::ops::RangeInclusive;

use serde_json::Value;
use swapnas_graph::nearest;

use crate::error::{choice, quote, span};
use crate::{ParseError, Position};

/// Whether a text is meant to be a JSON object rather than one of the other encodings.
pub(crate) fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Many times as long as the longest description of an architecture with all the spaces that it could have.
const MAX_BYTES: usize = 100_000;

/// Reads the JSON of a text. Keys that are there twice are errors.
pub(crate) fn read(text: &str) -> Result<Value, ParseError> {
    let error = |line, column, expected: &str, found: String| ParseError {
        position: Position::Text { line, column },
        expected: expected.to_owned(),
        found,
        suggestions: Vec::new(),
    };
    if text.len() > MAX_BYTES {
        let found = format!("{} bytes", text.len());
        return Err(error(1, 1, &format!("a JSON object of at most {MAX_BYTES} bytes"), found));
    }
    swapnas_graph::read_json(text).map_err(|cause| {
        let said = cause.to_string();
        let found = said.rsplit_once(" at line ").map_or(&*said, |(found, _)| found);
        error(cause.line(), cause.column(), "a JSON object", found.to_owned())
    })
}

/// A value within a JSON object, with the path that leads to it.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Field<'a> {
    /// The object itself, which must have the `fields` and no others.
    pub(crate) fn object(value: &'a Value, fields: &[&'static str]) -> Result<Self, ParseError> {
        Field { value, path: String::new() }.fields(fields)
    }

    /// The value as an object, which must have the `fields` and no others.
    pub(crate) fn fields(self, fields: &[&'static str]) -> Result<Self, ParseError> {
        let map = self.value.as_object().ok_or_else(|| self.error("an object"))?;
        match map.keys().find(|key| !fields.contains(&key.as_str())) {
            None => Ok(self),
            Some(unknown) => Err(ParseError {
                found: quote(unknown),
                suggestions: nearest(unknown, fields.iter().copied()),
                ..self.error(format!("the fields {}", fields.join(", ")))
            }),
        }
    }

    /// A field of an object.
    pub(crate) fn get(&self, name: &str) -> Result<Field<'a>, ParseError> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        match self.value.get(name) {
            Some(value) => Ok(Field { value, path }),
            None => Err(ParseError {
                position: Position::Field(path),
                expected: "a value".to_owned(),
                found: "nothing".to_owned(),
                suggestions: Vec::new(),
            }),
        }
    }

    /// The elements of an array.
    pub(crate) fn items(&self, what: &str) -> Result<Vec<Field<'a>>, ParseError> {
        let items = self.value.as_array().ok_or_else(|| self.error(format!("an array of {what}")))?;
        let field = |(i, value)| Field { value, path: format!("{}[{i}]", self.path) };
        Ok(items.iter().enumerate().map(field).collect())
    }

    /// The elements of an array of `length`.
    pub(crate) fn list(&self, length: usize, what: &str) -> Result<Vec<Field<'a>>, ParseError> {
        let items = self.items(what)?;
        if items.len() == length {
            Ok(items)
        } else {
            Err(self.error(format!("an array of {length} {what}")))
        }
    }

    /// The elements of an array of `N`.
    pub(crate) fn array<const N: usize>(&self, what: &str) -> Result<[Field<'a>; N], ParseError> {
        let items = self.list(N, what)?;
        Ok(items.try_into().unwrap_or_else(|_| unreachable!("the list has N elements")))
    }

    /// A number within `range`.
    pub(crate) fn number(&self, what: &str, range: RangeInclusive<usize>) -> Result<usize, ParseError> {
        let number = self.value.as_u64().and_then(|n| usize::try_from(n).ok());
        match number {
            Some(n) if range.contains(&n) => Ok(n),
            _ => Err(self.error(span(what, &range))),
        }
    }

    /// A number among `numbers`.
    pub(crate) fn one_of(&self, what: &str, numbers: &[usize]) -> Result<usize, ParseError> {
        let number = self.value.as_u64().and_then(|n| usize::try_from(n).ok());
        number.filter(|n| numbers.contains(n)).ok_or_else(|| self.error(choice(what, numbers)))
    }

    /// A number among `numbers`, which may have decimals.
    pub(crate) fn real_of(&self, what: &str, numbers: &[f64]) -> Result<f64, ParseError> {
        self.value.as_f64().filter(|n| numbers.contains(n)).ok_or_else(|| self.error(choice(what, numbers)))
    }

    /// One of `names`, as its place among them.
    pub(crate) fn name(&self, what: &str, names: &[&'static str]) -> Result<usize, ParseError> {
        let text = self.value.as_str();
        text.and_then(|text| names.iter().position(|&n| n == text)).ok_or_else(|| ParseError {
            suggestions: text.map_or_else(Vec::new, |text| nearest(text, names.iter().copied())),
            ..self.error(choice(what, names))
        })
    }

    /// A text.
    pub(crate) fn text(&self, what: &str) -> Result<&'a str, ParseError> {
        self.value.as_str().ok_or_else(|| self.error(what))
    }

    /// Makes sure that it is this text.
    pub(crate) fn expect(&self, text: &'static str) -> Result<(), ParseError> {
        if self.value == text {
            return Ok(());
        }
        let suggestions = self.value.as_str().map_or_else(Vec::new, |found| nearest(found, [text]));
        Err(ParseError { suggestions, ..self.error(quote(text)) })
    }

    /// The error that the value is something else than `expected`.
    pub(crate) fn error(&self, expected: impl Into<String>) -> ParseError {
        let found = match self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(b) => format!("`{b}`"),
            Value::Number(n) => format!("`{n}`"),
            Value::String(s) => quote(s),
            Value::Array(items) => format!("an array of {}", items.len()),
            Value::Object(_) => "an object".to_owned(),
        };
        let position = Position::Field(self.path.clone());
        ParseError { position, expected: expected.into(), found, suggestions: Vec::new() }
    }
}
