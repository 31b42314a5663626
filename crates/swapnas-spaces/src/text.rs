//! Reading descriptions of architectures from text.

use std::ops::RangeInclusive;

use swapnas_graph::nearest;

use crate::error::{choice, quote, span};
use crate::{ParseError, Position};

/// A place in a text, from which tokens are taken. White space before a token is skipped.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    /// The next character that is not white space.
    pub(crate) fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at = self.text.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    /// Takes `token` if it comes next.
    pub(crate) fn eat(&mut self, token: &str) -> bool {
        self.peek();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes `token`, which must come next.
    pub(crate) fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        if self.eat(token) { Ok(()) } else { Err(self.error(format!("`{token}`"))) }
    }

    /// Takes an opening bracket or parenthesis and returns the one that closes it.
    pub(crate) fn open(&mut self, what: &str) -> Result<&'static str, ParseError> {
        if self.eat("[") {
            Ok("]")
        } else if self.eat("(") {
            Ok(")")
        } else {
            Err(self.error(format!("{what} in brackets")))
        }
    }

    /// Takes `N` items of a Python list or tuple after its opening bracket, and the closing one.
    pub(crate) fn items<T, const N: usize>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self, usize) -> Result<T, ParseError>,
    ) -> Result<[T; N], ParseError> {
        let mut items = Vec::with_capacity(N);
        for i in 0..N {
            if i > 0 {
                self.expect(",")?;
            }
            items.push(item(self, i)?);
        }
        self.eat(",");
        self.expect(close)?;
        Ok(items.try_into().unwrap_or_else(|_| unreachable!("the loop took N items")))
    }

    /// Takes a decimal number within `range`.
    pub(crate) fn number(&mut self, what: &str, range: RangeInclusive<usize>) -> Result<usize, ParseError> {
        self.decimal(usize::MAX, |n| range.contains(&n), || span(what, &range))
    }

    /// Takes a single digit within `range`.
    pub(crate) fn digit(&mut self, what: &str, range: RangeInclusive<usize>) -> Result<usize, ParseError> {
        self.decimal(1, |n| range.contains(&n), || span(what, &range))
    }

    /// Takes a decimal number among `numbers`.
    pub(crate) fn one_of(&mut self, what: &str, numbers: &[usize]) -> Result<usize, ParseError> {
        self.decimal(usize::MAX, |n| numbers.contains(&n), || choice(what, numbers))
    }

    /// Takes a number among `numbers`, which may have a decimal point.
    pub(crate) fn real_of(&mut self, what: &str, numbers: &[f64]) -> Result<f64, ParseError> {
        self.peek();
        let digits = self.run(|c| c.is_ascii_digit() || c == '.');
        match digits.parse() {
            Ok(n) if numbers.contains(&n) => {
                self.at += digits.len();
                Ok(n)
            }
            _ if digits.is_empty() => Err(self.error(choice(what, numbers))),
            _ => Err(ParseError { found: quote(digits), ..self.error(choice(what, numbers)) }),
        }
    }

    /// Takes a number of at most so many digits, if it is allowed.
    fn decimal(
        &mut self,
        most: usize,
        allowed: impl Fn(usize) -> bool,
        expected: impl Fn() -> String,
    ) -> Result<usize, ParseError> {
        self.peek();
        let digits = self.run(|c| c.is_ascii_digit());
        let digits = &digits[..digits.len().min(most)];
        match digits.parse() {
            Ok(n) if allowed(n) => {
                self.at += digits.len();
                Ok(n)
            }
            _ if digits.is_empty() => Err(self.error(expected())),
            _ => Err(ParseError { found: quote(digits), ..self.error(expected()) }),
        }
    }

    /// Takes the word `keyword`, which must come next.
    pub(crate) fn keyword(&mut self, keyword: &'static str) -> Result<(), ParseError> {
        self.peek();
        let word = self.word();
        if word == keyword {
            self.at += word.len();
            return Ok(());
        }
        Err(ParseError { suggestions: nearest(word, [keyword]), ..self.error(format!("`{keyword}`")) })
    }

    /// Takes one of `names`, and returns its place among them.
    pub(crate) fn name(&mut self, what: &str, names: &[&'static str]) -> Result<usize, ParseError> {
        self.peek();
        let word = self.word();
        match names.iter().position(|&n| n == word) {
            Some(place) => {
                self.at += word.len();
                Ok(place)
            }
            None => Err(ParseError {
                suggestions: nearest(word, names.iter().copied()),
                ..self.error(choice(what, names))
            }),
        }
    }

    /// Takes one of `names` in single or double quotes.
    pub(crate) fn quoted_name(&mut self, what: &str, names: &[&'static str]) -> Result<usize, ParseError> {
        let quote = match self.peek() {
            Some('\'') => "'",
            Some('"') => "\"",
            _ => return Err(self.error(format!("{what} in quotes"))),
        };
        self.at += 1;
        let place = self.name(what, names)?;
        self.expect(quote)?;
        Ok(place)
    }

    /// Makes sure that nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), ParseError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("the end of the description")),
        }
    }

    /// The error that something else than `expected` comes next.
    pub(crate) fn error(&mut self, expected: impl Into<String>) -> ParseError {
        self.peek();
        let before = &self.text[..self.at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ParseError {
            position: Position::Text {
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
            },
            expected: expected.into(),
            found: self.found(),
            suggestions: Vec::new(),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn run(&self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())]
    }

    fn word(&self) -> &'a str {
        self.run(|c| c.is_alphanumeric() || c == '_' || c == '-')
    }

    /// The next word, or else the next character, for messages.
    fn found(&self) -> String {
        let word = self.word();
        match self.rest().chars().next() {
            None => "the end".to_owned(),
            Some(c) if word.is_empty() => quote(c.encode_utf8(&mut [0; 4])),
            Some(_) => quote(word),
        }
    }
}

/// Numbers as a Python tuple.
pub(crate) fn tuple(numbers: impl IntoIterator<Item = usize>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("({})", numbers.join(", "))
}
