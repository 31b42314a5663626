//! The encodings of a cell.

use std::fmt;

use serde_json::{Value, json};

use super::{Cell, GENES, Operation, order};
use crate::json::Field;
use crate::text::{Cursor, tuple};
use crate::{ParseError, json};

/// NASLib's operations by their numbers.
const NASLIB_OPS: [Operation; 5] = [
    Operation::SkipConnect,
    Operation::None,
    Operation::NorConv3x3,
    Operation::NorConv1x1,
    Operation::AvgPool3x3,
];

/// NASLib's edges, those from one node together, as places in [`Cell::EDGES`].
const NASLIB_EDGES: [usize; 6] = [0, 1, 3, 2, 4, 5];

/// Reads a cell in any encoding.
pub(super) fn parse(text: &str) -> Result<Cell, ParseError> {
    if json::is_object(text) {
        return from_json(&json::read(text)?);
    }
    let mut cursor = Cursor::new(text);
    let cell = match cursor.peek() {
        Some('|') => string(&mut cursor)?,
        Some('(' | '[') => naslib(&mut cursor)?,
        Some('0'..='9') => {
            let index = cursor.number("an index", 0..=order::COUNT - 1)?;
            (&GENES.at(order::rank(index))).into()
        }
        _ => {
            let expected =
                "`|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, six numbers `(...)`, an index or a JSON object";
            return Err(cursor.error(expected));
        }
    };
    cursor.end()?;
    Ok(cell)
}

/// `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`.
fn string(c: &mut Cursor<'_>) -> Result<Cell, ParseError> {
    let mut cell = Cell([Operation::None; 6]);
    for (edge, &(source, target)) in cell.0.iter_mut().zip(&Cell::EDGES) {
        if source == 0 {
            if target > 1 {
                c.expect("+")?;
            }
            c.expect("|")?;
        }
        *edge = Operation::ALL[c.name("an operation", &Operation::NAMES)?];
        c.expect("~")?;
        c.expect(&source.to_string())?;
        c.expect("|")?;
    }
    Ok(cell)
}

fn naslib(c: &mut Cursor<'_>) -> Result<Cell, ParseError> {
    let close = c.open("six operations")?;
    let numbers = c.items::<_, 6>(close, |c, _| c.number("an operation", 0..=4))?;
    let mut cell = Cell([Operation::None; 6]);
    for (edge, number) in NASLIB_EDGES.into_iter().zip(numbers) {
        cell.0[edge] = NASLIB_OPS[number];
    }
    Ok(cell)
}

/// Writes the benchmark's string.
pub(super) fn write_string(f: &mut fmt::Formatter<'_>, cell: &Cell) -> fmt::Result {
    for (op, &(source, target)) in cell.0.iter().zip(&Cell::EDGES) {
        let before = match (source, target) {
            (0, 1) => "|",
            (0, _) => "+|",
            _ => "",
        };
        write!(f, "{before}{}~{source}|", op.name())?;
    }
    Ok(())
}

/// Writes NASLib's tuple.
pub(super) fn print_naslib(cell: &Cell) -> String {
    let number = |op| NASLIB_OPS.iter().position(|&o| o == op).expect("all five are there");
    tuple(NASLIB_EDGES.into_iter().map(|edge| number(cell.0[edge])))
}

/// The cell as an object.
pub(super) fn to_json(cell: &Cell) -> Value {
    let node = |target| -> Vec<&str> { (0..target).map(|source| cell.op(source, target).name()).collect() };
    json!({ "nodes": [node(1), node(2), node(3)] })
}

/// Reads the object.
pub(super) fn from_json(value: &Value) -> Result<Cell, ParseError> {
    let nodes = Field::object(value, &["nodes"])?.get("nodes")?.array::<3>("nodes")?;
    let op = |field: &Field<'_>| Ok(Operation::ALL[field.name("an operation", &Operation::NAMES)?]);
    let [one] = nodes[0].array("operation")?;
    let [two, three] = nodes[1].array("operations")?;
    let [four, five, six] = nodes[2].array("operations")?;
    Ok(Cell([op(&one)?, op(&two)?, op(&three)?, op(&four)?, op(&five)?, op(&six)?]))
}
