use std::borrow::Cow;
use std::collections::HashMap;

use super::numpy::Dtype;
use super::{Cause, Class, Id, MOST_VALUES, Value};

/// The machine that a pickle is a program for.
pub(super) struct Machine<'b> {
    bytes: &'b [u8],
    at: usize,
    values: Vec<Value<'b>>,
    stack: Vec<Id>,
    /// How high the stack was where marks were set.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// How many places of lists and bytes may still be copied.
    room: usize,
}

impl<'b> Machine<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Machine {
            bytes,
            at: 0,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            room: bytes.len().max(1 << 10),
        }
    }

    /// Behind which byte it is.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn into_values(self) -> Vec<Value<'b>> {
        self.values
    }

    /// Runs to the end, and returns what is on the stack then.
    pub(super) fn run(&mut self) -> Result<Id, Cause> {
        loop {
            let [instruction] = self.array()?;
            if instruction == b'.' {
                return self.pop();
            }
            self.step(instruction)?;
            // Each of these may grow by a value for a byte.
            let most = self.stack.len().max(self.marks.len()).max(self.memo.len());
            if most > MOST_VALUES {
                return Err(Cause::Many);
            }
        }
    }

    fn step(&mut self, instruction: u8) -> Result<(), Cause> {
        match instruction {
            // Which protocol it is, and how much to read ahead, is nothing to us.
            0x80 => self.array::<1>().map(drop),
            0x95 => self.array::<8>().map(drop),
            b'(' | b'0' | b'1' | b'2' => self.arrange(instruction),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' | b'K' | b'M' | b'I' | b'L' | b'G' | b'F' | 0x8a | 0x8b => self.number(instruction),
            b'X' | 0x8c | 0x8d | b'T' | b'U' | b'V' | b'B' | b'C' | 0x8e | 0x96 => self.text(instruction),
            b']' | b')' | 0x8f => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b'l' | b't' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(Value::List(items))
            }
            0x85..=0x87 => {
                let count = usize::from(instruction - 0x84);
                let from = self.stack.len().checked_sub(count).filter(|from| *from >= self.floor());
                let items = self.stack.split_off(from.ok_or(Cause::Stack)?);
                self.push(Value::List(items))
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Dict(pairs(&items)?))
            }
            b'a' | b'e' | 0x90 => {
                let items = if instruction == b'a' { vec![self.pop()?] } else { self.pop_to_mark()? };
                match self.top()? {
                    Value::List(list) => list.extend(items),
                    Value::Opaque => (),
                    _ => return Err(Cause::Kind),
                }
                Ok(())
            }
            b's' | b'u' => {
                let items = match instruction {
                    b's' => {
                        let value = self.pop()?;
                        vec![self.pop()?, value]
                    }
                    _ => self.pop_to_mark()?,
                };
                let added = pairs(&items)?;
                match self.top()? {
                    Value::Dict(entries) => entries.extend(added),
                    Value::Opaque => (),
                    _ => return Err(Cause::Kind),
                }
                Ok(())
            }
            b'q' | b'r' | b'p' | 0x94 | b'h' | b'j' | b'g' => self.remember(instruction),
            b'c' | 0x93 | 0x81 | 0x92 | b'R' | b'b' | b'o' | b'i' | b'Q' | b'P' | 0x82..=0x84 => {
                self.object(instruction)
            }
            0x98 => Ok(()),
            0x97 => self.push(Value::Opaque),
            b'S' => Err(Cause::Old(instruction)),
            _ => Err(Cause::Instruction(instruction)),
        }
    }

    /// Marks, and what moves values on the stack.
    fn arrange(&mut self, instruction: u8) -> Result<(), Cause> {
        match instruction {
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            _ => {
                let top = *self.stack.last().ok_or(Cause::Stack)?;
                self.stack.push(top);
            }
        }
        Ok(())
    }

    fn number(&mut self, instruction: u8) -> Result<(), Cause> {
        let value = match instruction {
            b'J' => Value::Integer(i32::from_le_bytes(self.array()?).into()),
            b'K' => Value::Integer(self.array::<1>()?[0].into()),
            b'M' => Value::Integer(u16::from_le_bytes(self.array()?).into()),
            b'G' => Value::Float(f64::from_be_bytes(self.array()?)),
            b'F' => Value::Float(self.line()?.parse().map_err(|_| Cause::Number)?),
            b'I' => match self.line()? {
                "00" => Value::Bool(false),
                "01" => Value::Bool(true),
                number => Value::Integer(number.parse().map_err(|_| Cause::Number)?),
            },
            b'L' => Value::Integer(self.line()?.trim_end_matches('L').parse().map_err(|_| Cause::Number)?),
            _ => {
                let length = match instruction {
                    0x8a => self.array::<1>()?[0].into(),
                    _ => u32::from_le_bytes(self.array()?).into(),
                };
                long(self.take(length)?)
            }
        };
        self.push(value)
    }

    fn text(&mut self, instruction: u8) -> Result<(), Cause> {
        if instruction == b'V' {
            let line = self.line()?;
            return match line.contains('\\') {
                true => Err(Cause::Old(instruction)),
                false => self.push(Value::Text(Cow::Borrowed(line))),
            };
        }
        let length = match instruction {
            0x8c | b'U' | b'C' => self.array::<1>()?[0].into(),
            b'X' | b'T' | b'B' => u32::from_le_bytes(self.array()?).into(),
            _ => u64::from_le_bytes(self.array()?),
        };
        let bytes = self.take(length)?;
        let value = match instruction {
            b'X' | 0x8c | 0x8d => {
                Value::Text(Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| Cause::Text)?))
            }
            // Texts of the second Python are bytes, which may be those of a number.
            b'T' | b'U' => match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(Cow::Borrowed(text)),
                Err(_) => Value::Bytes(Cow::Borrowed(bytes)),
            },
            _ => Value::Bytes(Cow::Borrowed(bytes)),
        };
        self.push(value)
    }

    /// Keeps the value on top under a number, or gets one that was kept.
    fn remember(&mut self, instruction: u8) -> Result<(), Cause> {
        let number = match instruction {
            0x94 => self.memo.len() as u64,
            b'q' | b'h' => self.array::<1>()?[0].into(),
            b'r' | b'j' => u32::from_le_bytes(self.array()?).into(),
            _ => self.line()?.parse().map_err(|_| Cause::Number)?,
        };
        if matches!(instruction, b'h' | b'j' | b'g') {
            let kept = *self.memo.get(&number).ok_or(Cause::Memo(number))?;
            self.stack.push(kept);
        } else {
            let top = *self.stack.last().ok_or(Cause::Stack)?;
            self.memo.insert(number, top);
        }
        Ok(())
    }

    /// What has to do with objects and functions, none of which is called.
    fn object(&mut self, instruction: u8) -> Result<(), Cause> {
        match instruction {
            b'c' => {
                let class = Class::of(self.line()?, self.line()?);
                self.push(Value::Class(class))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let class = match (&self.values[module as usize], &self.values[name as usize]) {
                    (Value::Text(module), Value::Text(name)) => Class::of(module, name),
                    _ => return Err(Cause::Kind),
                };
                self.push(Value::Class(class))
            }
            b'R' | 0x81 | 0x92 => {
                if instruction == 0x92 {
                    self.pop()?;
                }
                let (arguments, class) = (self.pop()?, self.pop()?);
                self.make(class, arguments)
            }
            b'b' => self.build(),
            b'o' | b'i' => {
                if instruction == b'i' {
                    self.line()?;
                    self.line()?;
                }
                self.pop_to_mark()?;
                self.push(Value::Opaque)
            }
            // What is stored elsewhere, as the numbers of tensors are.
            b'Q' => {
                self.pop()?;
                self.push(Value::Opaque)
            }
            b'P' => {
                self.line()?;
                self.push(Value::Opaque)
            }
            _ => {
                self.take(1 << u32::from(instruction - 0x82))?;
                self.push(Value::Opaque)
            }
        }
    }

    /// What a class makes of arguments.
    fn make(&mut self, class: Id, arguments: Id) -> Result<(), Cause> {
        let Value::List(arguments) = &self.values[arguments as usize] else { return Err(Cause::Kind) };
        let arguments: [Option<Id>; 2] = [arguments.first().copied(), arguments.get(1).copied()];
        let value = |place: usize| arguments[place].map(|id: Id| &self.values[id as usize]);
        let made = match &self.values[class as usize] {
            Value::Class(Class::OrderedDict) => self.dictionary(arguments[0])?,
            Value::Class(Class::DefaultDict) => Value::Dict(Vec::new()),
            Value::Class(Class::Collection) => match arguments[0] {
                // It is not copied, so that nothing grows.
                Some(items) => {
                    self.stack.push(items);
                    return Ok(());
                }
                None => Value::List(Vec::new()),
            },
            Value::Class(Class::Encode) => match value(0) {
                Some(Value::Text(text)) => {
                    let bytes: Option<Vec<u8>> =
                        text.chars().map(|letter| u8::try_from(letter).ok()).collect();
                    let bytes = bytes.ok_or(Cause::Kind)?;
                    self.room = self.room.checked_sub(bytes.len()).ok_or(Cause::Many)?;
                    Value::Bytes(Cow::Owned(bytes))
                }
                _ => return Err(Cause::Kind),
            },
            Value::Class(Class::Dtype) => match value(0) {
                Some(Value::Text(name)) => Dtype::of(name).map_or(Value::Opaque, Value::Dtype),
                _ => Value::Opaque,
            },
            Value::Class(Class::Scalar) => match (value(0), value(1)) {
                (Some(Value::Dtype(dtype)), Some(Value::Bytes(bytes))) => {
                    dtype.numbers(bytes).next().ok_or(Cause::Number)?.value()
                }
                // Of the second Python, if its bytes are a text by chance.
                (Some(Value::Dtype(dtype)), Some(Value::Text(text))) => {
                    dtype.numbers(text.as_bytes()).next().ok_or(Cause::Number)?.value()
                }
                _ => Value::Opaque,
            },
            Value::Class(Class::Reconstruct) => Value::Array(None),
            _ => Value::Opaque,
        };
        self.push(made)
    }

    /// A dictionary of a list of pairs, as the second Python writes ordered ones.
    fn dictionary(&mut self, of: Option<Id>) -> Result<Value<'b>, Cause> {
        let Some(of) = of else { return Ok(Value::Dict(Vec::new())) };
        let Value::List(pairs) = &self.values[of as usize] else { return Err(Cause::Kind) };
        self.room = self.room.checked_sub(pairs.len()).ok_or(Cause::Many)?;
        let pair = |id: &Id| match &self.values[*id as usize] {
            Value::List(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            _ => Err(Cause::Kind),
        };
        pairs.iter().map(pair).collect::<Result<_, _>>().map(Value::Dict)
    }

    /// Gives an object its state.
    fn build(&mut self) -> Result<(), Cause> {
        let state = self.pop()?;
        let part = |place: usize| match &self.values[state as usize] {
            Value::List(parts) => parts.get(place).copied(),
            _ => None,
        };
        let value = |id: Option<Id>| id.map(|id| &self.values[id as usize]);
        let is_big = matches!(value(part(1)), Some(Value::Text(order)) if order == ">");
        let array = match (value(part(2)), part(4)) {
            (Some(Value::Dtype(dtype)), Some(bytes)) => Some((*dtype, bytes)),
            _ => None,
        };
        match self.top()? {
            Value::Dtype(dtype) => dtype.is_big = is_big,
            Value::Array(contents) => *contents = array,
            _ => (),
        }
        Ok(())
    }

    fn push(&mut self, value: Value<'b>) -> Result<(), Cause> {
        if self.values.len() >= MOST_VALUES {
            return Err(Cause::Many);
        }
        self.stack.push(self.values.len() as Id);
        self.values.push(value);
        Ok(())
    }

    /// How much of the stack is before the last mark, which nothing but what goes by marks may take.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id, Cause> {
        if self.stack.len() <= self.floor() {
            return Err(Cause::Stack);
        }
        self.stack.pop().ok_or(Cause::Stack)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Cause> {
        let mark = self.marks.pop().ok_or(Cause::Stack)?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Result<&mut Value<'b>, Cause> {
        let top = *self.stack.last().ok_or(Cause::Stack)?;
        Ok(&mut self.values[top as usize])
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], Cause> {
        let rest = &self.bytes[self.at..];
        let length =
            usize::try_from(length).ok().filter(|length| *length <= rest.len()).ok_or(Cause::Short)?;
        self.at += length;
        Ok(&rest[..length])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Cause> {
        Ok(self.take(N as u64)?.try_into().expect("as many as were asked for"))
    }

    /// What is in front of the next line feed, behind which it goes on.
    fn line(&mut self) -> Result<&'b str, Cause> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or(Cause::Short)?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map(|line| line.trim_end_matches('\r')).map_err(|_| Cause::Text)
    }
}

/// Keys and values by turns.
fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, Cause> {
    let pairs = items.chunks_exact(2);
    if pairs.remainder().is_empty() {
        Ok(pairs.map(|pair| (pair[0], pair[1])).collect())
    } else {
        Err(Cause::Stack)
    }
}

/// A whole number of any length, the first byte of which counts least. Of more than eight bytes it is none of a
/// benchmark's.
fn long<'b>(bytes: &[u8]) -> Value<'b> {
    let mut all = [0; 8];
    match bytes.last() {
        None => Value::Integer(0),
        Some(last) if bytes.len() <= 8 => {
            if last >> 7 == 1 {
                all = [0xff; 8];
            }
            all[..bytes.len()].copy_from_slice(bytes);
            Value::Integer(i64::from_le_bytes(all))
        }
        Some(_) => Value::Opaque,
    }
}
