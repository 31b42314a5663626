//! The encodings of a genotype.

use std::fmt;

use serde_json::{Value, json};

use super::{Cell, Edge, Genotype, Operation};
use crate::json::Field;
use crate::text::Cursor;
use crate::{ParseError, PrintError, json};

/// Reads a genotype in any encoding.
pub(super) fn parse(text: &str) -> Result<Genotype, ParseError> {
    if json::is_object(text) {
        return from_json(&json::read(text)?);
    }
    let mut cursor = Cursor::new(text);
    let genotype = match cursor.peek() {
        Some('[' | '(') => naslib(&mut cursor)?,
        _ => genotype(&mut cursor)?,
    };
    cursor.end()?;
    Ok(genotype)
}

/// `Genotype(normal=[...], normal_concat=[...], reduce=[...], reduce_concat=[...])`.
fn genotype(c: &mut Cursor<'_>) -> Result<Genotype, ParseError> {
    if !c.eat("Genotype") {
        return Err(c.error("`Genotype(...)`, a NASLib list `[[(input, op), ...], [...]]` or a JSON object"));
    }
    c.expect("(")?;
    let normal = named_cell(c, "normal", "normal_concat")?;
    c.expect(",")?;
    let reduce = named_cell(c, "reduce", "reduce_concat")?;
    c.eat(",");
    c.expect(")")?;
    Ok(Genotype { normal, reduce })
}

fn named_cell(c: &mut Cursor<'_>, cell: &'static str, concat: &'static str) -> Result<Cell, ParseError> {
    c.keyword(cell)?;
    c.expect("=")?;
    let close = c.open("eight (operation, input) pairs")?;
    let edges = c.items(close, |c, k| {
        c.expect("(")?;
        let op = Operation::ALL[c.quoted_name("an operation", &Operation::NAMES)?];
        c.expect(",")?;
        let input = c.number("an input", 0..=Cell::last_input(k))?;
        c.expect(")")?;
        Ok(Edge { op, input })
    })?;
    c.expect(",")?;
    c.keyword(concat)?;
    c.expect("=")?;
    let concat = states(c)?;
    Ok(Cell::new(edges, &concat).expect("inputs and states are in range"))
}

/// A list of states to join, or `range(start, end)`.
fn states(c: &mut Cursor<'_>) -> Result<Vec<usize>, ParseError> {
    if c.eat("range") {
        c.expect("(")?;
        let start = c.number("a state", 0..=5)?;
        c.expect(",")?;
        let end = c.number("the end of a range of states", start + 1..=6)?;
        c.expect(")")?;
        return Ok((start..end).collect());
    }
    let close = c.open("a list of states")?;
    let mut states = vec![c.number("a state", 0..=5)?];
    while c.eat(",") && c.peek().is_some_and(|next| next.is_ascii_digit()) {
        if states.len() == Cell::MAX_CONCAT {
            return Err(c.error(format!("at most {} states", Cell::MAX_CONCAT)));
        }
        states.push(c.number("a state", 0..=5)?);
    }
    c.expect(close)?;
    Ok(states)
}

/// NASLib's compact form; it always joins all four nodes.
fn naslib(c: &mut Cursor<'_>) -> Result<Genotype, ParseError> {
    let close = c.open("two cells")?;
    let [normal, reduce] = c.items(close, |c, _| {
        let close = c.open("eight (input, operation) pairs")?;
        let edges = c.items(close, |c, k| {
            let close = c.open("a pair (input, operation)")?;
            let input = c.number("an input", 0..=Cell::last_input(k))?;
            c.expect(",")?;
            let op = Operation::ALL[c.number("an operation", 0..=6)?];
            c.expect(close)?;
            Ok(Edge { op, input })
        })?;
        Ok(Cell::new(edges, &[2, 3, 4, 5]).expect("inputs are in range"))
    })?;
    Ok(Genotype { normal, reduce })
}

/// Writes the Python repr.
pub(super) fn write_genotype(f: &mut fmt::Formatter<'_>, genotype: &Genotype) -> fmt::Result {
    f.write_str("Genotype(")?;
    write_cell(f, "normal", &genotype.normal)?;
    f.write_str(", ")?;
    write_cell(f, "reduce", &genotype.reduce)?;
    f.write_str(")")
}

fn write_cell(f: &mut fmt::Formatter<'_>, name: &str, cell: &Cell) -> fmt::Result {
    write!(f, "{name}=[")?;
    for (k, Edge { op, input }) in cell.edges().iter().enumerate() {
        let separator = if k == 0 { "" } else { ", " };
        write!(f, "{separator}('{}', {input})", op.name())?;
    }
    write!(f, "], {name}_concat={:?}", cell.concat())
}

/// Writes NASLib's compact form, which knows neither `none` nor other outputs than all four nodes.
pub(crate) fn print_naslib(genotype: &Genotype) -> Result<String, PrintError> {
    let cell = |cell: &Cell| {
        let lacks = |what: &str| PrintError::Inexpressible {
            encoding: "naslib",
            what: what.to_owned(),
            instead: "genotype",
        };
        if cell.concat() != [2, 3, 4, 5] {
            return Err(lacks("an output other than the four nodes in their order"));
        }
        let pair = |Edge { op, input }: &Edge| match op {
            Operation::None => Err(lacks("the operation `none`")),
            _ => Ok((*input, *op as usize)),
        };
        cell.edges().iter().map(pair).collect::<Result<Vec<_>, _>>()
    };
    Ok(format!("{:?}", [cell(&genotype.normal)?, cell(&genotype.reduce)?]))
}

/// The genotype as an object.
pub(super) fn to_json(genotype: &Genotype) -> Value {
    let edges = |cell: &Cell| cell.edges().map(|Edge { op, input }| json!([op.name(), input]));
    json!({
        "normal": edges(&genotype.normal),
        "normal_concat": genotype.normal.concat(),
        "reduce": edges(&genotype.reduce),
        "reduce_concat": genotype.reduce.concat(),
    })
}

/// Reads the object.
pub(crate) fn from_json(value: &Value) -> Result<Genotype, ParseError> {
    let object = Field::object(value, &["normal", "normal_concat", "reduce", "reduce_concat"])?;
    let cell = |edges: &str, concat: &str| {
        let mut cell = [Edge { op: Operation::None, input: 0 }; 8];
        let pairs = object.get(edges)?.array::<8>("[operation, input] pairs")?;
        for (k, (edge, pair)) in cell.iter_mut().zip(pairs).enumerate() {
            let [op, input] = pair.array("values, an operation and its input")?;
            edge.op = Operation::ALL[op.name("an operation", &Operation::NAMES)?];
            edge.input = input.number("an input", 0..=Cell::last_input(k))?;
        }
        let list = object.get(concat)?;
        let states = list.items("states")?;
        if !(1..=Cell::MAX_CONCAT).contains(&states.len()) {
            return Err(list.error(format!("an array of 1 to {} states", Cell::MAX_CONCAT)));
        }
        let states = states.iter().map(|s| s.number("a state", 0..=5)).collect::<Result<Vec<_>, _>>()?;
        Ok(Cell::new(cell, &states).expect("inputs and states are in range"))
    };
    let (normal, reduce) = (cell("normal", "normal_concat")?, cell("reduce", "reduce_concat")?);
    Ok(Genotype { normal, reduce })
}
