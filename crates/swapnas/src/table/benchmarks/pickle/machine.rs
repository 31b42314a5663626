use super::memo::Memo;
use super::numpy::Dtype;
use super::source::Source;
use super::values::{Class, Id, Value, Values};
use super::{Cause, HandOver, Item, MOST_VALUES, Taken};

/// The machine that a pickle is a program for.
pub(super) struct Machine<'m, 'r> {
    source: &'m mut Source<'r>,
    values: Values,
    stack: Vec<Id>,
    /// How high the stack was where marks were set.
    marks: Vec<usize>,
    memo: Memo,
    /// How many places of lists and bytes were copied since a network was handed over.
    copied: u64,
    /// Whether dictionaries are filled at once. Before the second protocol, nobody knows when one is whole.
    is_whole: bool,
    hand_over: HandOver<'m>,
}

impl<'m, 'r> Machine<'m, 'r> {
    pub(super) fn new(source: &'m mut Source<'r>, hand_over: HandOver<'m>) -> Self {
        Machine {
            source,
            values: Values::default(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            copied: 0,
            is_whole: false,
            hand_over,
        }
    }

    /// Behind which byte it is.
    pub(super) fn at(&self) -> u64 {
        self.source.at()
    }

    pub(super) fn into_values(self) -> Values {
        self.values
    }

    /// Runs to the end, and returns what is on the stack then; nothing if no more was wanted before.
    pub(super) fn run(&mut self) -> Result<Option<Id>, Cause> {
        loop {
            let [instruction] = self.array()?;
            if instruction == b'.' {
                return self.pop().map(Some);
            }
            self.step(instruction)?;
            let is_filled = self.is_whole && matches!(instruction, b's' | b'u' | b'R');
            if is_filled && self.offer()? == Taken::Last {
                return Ok(None);
            }
            // Each of these may grow by a value for a byte.
            let most = self.stack.len().max(self.marks.len()).max(self.memo.len());
            if most > MOST_VALUES {
                return Err(Cause::Many);
            }
        }
    }

    fn step(&mut self, instruction: u8) -> Result<(), Cause> {
        match instruction {
            0x80 => {
                self.is_whole = self.array::<1>()?[0] >= 2;
                Ok(())
            }
            // How much to read ahead is nothing to us.
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
                self.values.append(self.top()?, &items)
            }
            b's' | b'u' => {
                let items = match instruction {
                    b's' => {
                        let value = self.pop()?;
                        vec![self.pop()?, value]
                    }
                    _ => self.pop_to_mark()?,
                };
                self.values.insert(self.top()?, pairs(&items)?)
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

    /// Hands over what is on top, if it is a network, and forgets it.
    fn offer(&mut self) -> Result<Taken, Cause> {
        let top = self.top()?;
        let taken = (self.hand_over)(Item { values: &self.values, id: top });
        if self.values.is_exhausted() {
            return Err(Cause::Repeated);
        }
        if taken != Taken::Not {
            self.values.forget(top);
            self.memo.forget(top);
            self.source.renew();
            self.copied = 0;
        }
        Ok(taken)
    }

    /// Marks, and what moves values on the stack.
    fn arrange(&mut self, instruction: u8) -> Result<(), Cause> {
        match instruction {
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            _ => {
                let top = self.top()?;
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
            b'I' => match &self.line()?[..] {
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
                long(self.source.take(length)?)
            }
        };
        self.push(value)
    }

    fn text(&mut self, instruction: u8) -> Result<(), Cause> {
        if instruction == b'V' {
            let line = self.line()?;
            return match line.contains('\\') {
                true => Err(Cause::Old(instruction)),
                false => self.push_text(&line),
            };
        }
        let length = match instruction {
            0x8c | b'U' | b'C' => self.array::<1>()?[0].into(),
            b'X' | b'T' | b'B' => u32::from_le_bytes(self.array()?).into(),
            _ => u64::from_le_bytes(self.array()?),
        };
        let bytes = self.source.take(length)?;
        let id = match (instruction, std::str::from_utf8(bytes)) {
            // Texts of the second Python are bytes, which may be those of a number.
            (b'X' | 0x8c | 0x8d | b'T' | b'U', Ok(text)) => self.values.text(text)?,
            (b'X' | 0x8c | 0x8d, Err(_)) => return Err(Cause::Text),
            _ => self.values.push(Value::Bytes(bytes.into()))?,
        };
        self.stack.push(id);
        Ok(())
    }

    /// Keeps the value on top under a number, or gets one that was kept.
    fn remember(&mut self, instruction: u8) -> Result<(), Cause> {
        let number = match instruction {
            0x94 => self.memo.next(),
            b'q' | b'h' => self.array::<1>()?[0].into(),
            b'r' | b'j' => u32::from_le_bytes(self.array()?).into(),
            _ => self.line()?.parse().map_err(|_| Cause::Number)?,
        };
        if matches!(instruction, b'h' | b'j' | b'g') {
            match self.memo.get(number) {
                Some(kept) => self.stack.push(kept),
                None if self.memo.has_forgotten() && number < self.memo.next() => self.push(Value::Lost)?,
                None => return Err(Cause::Memo(number)),
            }
        } else {
            let top = self.top()?;
            self.memo.keep(number, top);
        }
        Ok(())
    }

    /// What has to do with objects and functions, none of which is called.
    fn object(&mut self, instruction: u8) -> Result<(), Cause> {
        match instruction {
            b'c' => {
                let class = Class::of(&self.line()?, &self.line()?);
                self.push(Value::Class(class))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let class = match (self.values.get(module), self.values.get(name)) {
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
                self.source.take(1 << u32::from(instruction - 0x82))?;
                self.push(Value::Opaque)
            }
        }
    }

    /// What a class makes of arguments.
    fn make(&mut self, class: Id, arguments: Id) -> Result<(), Cause> {
        let Value::List(arguments) = self.values.get(arguments) else { return Err(Cause::Kind) };
        let arguments: [Option<Id>; 2] = [arguments.first().copied(), arguments.get(1).copied()];
        let value = |place: usize| arguments[place].map(|id: Id| self.values.get(id));
        let made = match self.values.get(class) {
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
                    self.copied += bytes.len() as u64;
                    Value::Bytes(bytes.into())
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
        if self.copied > self.source.since().max(1 << 10) {
            return Err(Cause::Many);
        }
        self.push(made)
    }

    /// A dictionary of a list of pairs, as the second Python writes ordered ones.
    fn dictionary(&mut self, of: Option<Id>) -> Result<Value, Cause> {
        let Some(of) = of else { return Ok(Value::Dict(Vec::new())) };
        let Value::List(pairs) = self.values.get(of) else { return Err(Cause::Kind) };
        self.copied += pairs.len() as u64;
        let pair = |id: &Id| match self.values.get(*id) {
            Value::List(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            _ => Err(Cause::Kind),
        };
        pairs.iter().map(pair).collect::<Result<_, _>>().map(Value::Dict)
    }

    /// Gives an object its state.
    fn build(&mut self) -> Result<(), Cause> {
        let state = self.pop()?;
        let part = |place: usize| match self.values.get(state) {
            Value::List(parts) => parts.get(place).copied(),
            _ => None,
        };
        let value = |id: Option<Id>| id.map(|id| self.values.get(id));
        let is_big = matches!(value(part(1)), Some(Value::Text(order)) if &**order == ">");
        let array = match (value(part(2)), part(4)) {
            (Some(Value::Dtype(dtype)), Some(bytes)) => Some((*dtype, bytes)),
            _ => None,
        };
        match self.values.change(self.top()?) {
            Some(Value::Dtype(dtype)) => dtype.is_big = is_big,
            Some(Value::Array(contents)) => *contents = array,
            _ => (),
        }
        Ok(())
    }

    fn push(&mut self, value: Value) -> Result<(), Cause> {
        let id = self.values.push(value)?;
        self.stack.push(id);
        Ok(())
    }

    fn push_text(&mut self, text: &str) -> Result<(), Cause> {
        let id = self.values.text(text)?;
        self.stack.push(id);
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

    fn top(&self) -> Result<Id, Cause> {
        self.stack.last().copied().ok_or(Cause::Stack)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Cause> {
        Ok(self.source.take(N as u64)?.try_into().expect("as many as were asked for"))
    }

    /// What is in front of the next line feed, behind which it goes on.
    fn line(&mut self) -> Result<String, Cause> {
        let line = std::str::from_utf8(self.source.line()?).map_err(|_| Cause::Text)?;
        Ok(line.trim_end_matches('\r').to_owned())
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
fn long(bytes: &[u8]) -> Value {
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
