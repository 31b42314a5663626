//! The encodings of a cell.

use serde_json::{Value, json};

use super::{Cell, Flaw, MAX_EDGES, MAX_VERTICES, Operation};
use crate::json::Field;
use crate::text::{Cursor, tuple};
use crate::{ParseError, json};

/// NASLib's numbers of the vertices: input, output, then the operations in reverse order.
const NASLIB_INPUT: usize = 0;
const NASLIB_OUTPUT: usize = 1;
const NASLIB_OPS: [Operation; 3] =
    [Operation::MaxPool3x3, Operation::Conv1x1BnRelu, Operation::Conv3x3BnRelu];

/// What the JSON object calls input and output.
const INPUT: &str = "input";
const OUTPUT: &str = "output";

const NUMBERS: &str = "56 numbers, a matrix of 7x7 and 7 operations (or fewer of both)";

const TRIANGULAR: &str = "0: edges go from earlier to later vertices";

/// Reads a cell in any encoding.
pub(super) fn parse(text: &str) -> Result<Cell, ParseError> {
    if json::is_object(text) {
        return from_json(&json::read(text)?);
    }
    let mut cursor = Cursor::new(text);
    let cell = match cursor.peek() {
        Some('(' | '[') => naslib(&mut cursor)?,
        _ => return Err(cursor.error("56 numbers `(...)` or a JSON object")),
    };
    cursor.end()?;
    Ok(cell)
}

/// The matrix row by row, then the operations.
fn naslib(c: &mut Cursor<'_>) -> Result<Cell, ParseError> {
    let start = c.clone();
    let close = c.open("numbers")?;
    let mut places = Vec::new();
    while !c.eat(close) {
        if !places.is_empty() {
            c.expect(",")?;
            if c.eat(close) {
                break;
            }
        }
        let mut before = c.clone();
        if places.len() == MAX_VERTICES * (MAX_VERTICES + 1) {
            let found = format!("more than {}", places.len());
            return Err(ParseError { found, ..before.error(NUMBERS) });
        }
        places.push((before, c.number("a number", 0..=4)?));
    }
    let vertices = (2..=MAX_VERTICES).find(|v| v * (v + 1) == places.len()).ok_or_else(|| ParseError {
        found: format!("{} numbers", places.len()),
        ..start.clone().error(NUMBERS)
    })?;
    let (matrix, ops) = places.split_at_mut(vertices * vertices);

    let last = vertices - 1;
    let mut interior = Vec::with_capacity(vertices - 2);
    for (vertex, (place, number)) in ops.iter_mut().enumerate() {
        let expected = match vertex {
            0 if *number == NASLIB_INPUT => continue,
            0 => "0, the input",
            _ if vertex == last && *number == NASLIB_OUTPUT => continue,
            _ if vertex == last => "1, the output",
            _ if *number > NASLIB_OUTPUT => {
                interior.push(NASLIB_OPS[*number - 2]);
                continue;
            }
            _ => "an operation from 2 to 4",
        };
        return Err(place.error(expected));
    }
    let mut cell = Cell::without_edges(&interior);
    for (i, (place, number)) in matrix.iter_mut().enumerate() {
        let (source, target) = (i / vertices, i % vertices);
        match *number {
            0 => {}
            1 if source < target => cell.connect(source, target),
            1 => return Err(place.error(TRIANGULAR)),
            _ => return Err(place.error("0 or 1")),
        }
    }
    match cell.flaw() {
        None => Ok(cell),
        Some(flaw) => Err(flawed(flaw, start.clone().error(""))),
    }
}

/// The error, with what it says about the flaw.
fn flawed(flaw: Flaw, error: ParseError) -> ParseError {
    let (expected, found) = match flaw {
        Flaw::NoPath => ("a path from input to output".to_owned(), "none".to_owned()),
        Flaw::TooManyEdges(edges) => {
            (format!("at most {MAX_EDGES} edges on paths from input to output"), edges.to_string())
        }
    };
    ParseError { expected, found, ..error }
}

/// Writes NASLib's tuple.
pub(crate) fn print_naslib(cell: &Cell) -> String {
    let vertices = cell.vertices();
    let matrix = (0..vertices * vertices).map(|i| usize::from(cell.has_edge(i / vertices, i % vertices)));
    let number = |op: &Operation| 2 + NASLIB_OPS.iter().position(|o| o == op).expect("all three are there");
    let ops = cell.ops().iter().map(number);
    tuple(matrix.chain([NASLIB_INPUT]).chain(ops).chain([NASLIB_OUTPUT]))
}

/// The cell as an object.
pub(super) fn to_json(cell: &Cell) -> Value {
    let vertices = cell.vertices();
    let row =
        |source| -> Vec<u8> { (0..vertices).map(|target| cell.has_edge(source, target).into()).collect() };
    let matrix: Vec<Vec<u8>> = (0..vertices).map(row).collect();
    let names = cell.ops().iter().map(|op| op.name());
    let ops: Vec<&str> = [INPUT].into_iter().chain(names).chain([OUTPUT]).collect();
    json!({ "matrix": matrix, "ops": ops })
}

/// Reads the object.
pub(crate) fn from_json(value: &Value) -> Result<Cell, ParseError> {
    let object = Field::object(value, &["matrix", "ops"])?;
    let list = object.get("ops")?;
    let ops = list.items("operations")?;
    let [first, interior @ .., last] = &ops[..] else {
        return Err(list.error("an array of 2 to 7 operations"));
    };
    if ops.len() > MAX_VERTICES {
        return Err(list.error("an array of 2 to 7 operations"));
    }
    first.expect(INPUT)?;
    let op = |field: &Field<'_>| Ok(Operation::ALL[field.name("an operation", &Operation::NAMES)?]);
    let interior = interior.iter().map(op).collect::<Result<Vec<_>, _>>()?;
    last.expect(OUTPUT)?;

    let mut cell = Cell::without_edges(&interior);
    let matrix = object.get("matrix")?;
    for (source, row) in matrix.list(ops.len(), "rows")?.iter().enumerate() {
        for (target, field) in row.list(ops.len(), "numbers")?.iter().enumerate() {
            match field.number("a number", 0..=1)? {
                0 => {}
                _ if source < target => cell.connect(source, target),
                _ => return Err(field.error(TRIANGULAR)),
            }
        }
    }
    match cell.flaw() {
        None => Ok(cell),
        Some(flaw) => Err(flawed(flaw, matrix.error(""))),
    }
}
