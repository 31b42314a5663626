//! ONNX files, written field by field. They are not made with the messages of the reader, so that a mistake in
//! those cannot hide.

/// A message of a protocol buffer.
#[derive(Clone, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    pub(crate) fn float(mut self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn message(self, field: u64, message: &Message) -> Self {
        self.bytes(field, &message.0)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A value of an attribute.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(i64),
    Ints(Vec<i64>),
    Float(f32),
    Text(&'static str),
}

pub(crate) fn node(
    operator: &str,
    inputs: &[String],
    outputs: &[String],
    attributes: &[(&str, Value)],
) -> Message {
    let mut node = Message::default();
    for input in inputs {
        node = node.bytes(1, input.as_bytes());
    }
    for output in outputs {
        node = node.bytes(2, output.as_bytes());
    }
    node = node.bytes(4, operator.as_bytes());
    for (name, value) in attributes {
        let attribute = Message::default().bytes(1, name.as_bytes());
        let attribute = match value {
            Value::Float(value) => attribute.float(2, *value).int(20, 1),
            Value::Int(value) => attribute.int(3, *value).int(20, 2),
            Value::Text(text) => attribute.bytes(4, text.as_bytes()).int(20, 3),
            Value::Ints(values) => values.iter().fold(attribute, |all, value| all.int(8, *value)).int(20, 7),
        };
        node = node.message(5, &attribute);
    }
    node
}

fn dimensions(dims: &[i64]) -> Message {
    dims.iter().fold(Message::default(), |tensor, dim| tensor.int(1, *dim))
}

/// Numbers of single precision.
pub(crate) fn floats(name: &str, dims: &[i64], numbers: &[f32]) -> Message {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    dimensions(dims).int(2, 1).bytes(8, name.as_bytes()).bytes(9, &bytes)
}

/// Numbers that are in another file.
pub(crate) fn elsewhere(name: &str, dims: &[i64]) -> Message {
    dimensions(dims).int(2, 1).bytes(8, name.as_bytes()).int(14, 1)
}

/// Whole numbers, in a list or alone.
pub(crate) fn whole(name: &str, numbers: &[i64], alone: bool) -> Message {
    let tensor = if alone { Message::default() } else { dimensions(&[numbers.len() as i64]) };
    numbers.iter().fold(tensor.int(2, 7), |tensor, number| tensor.int(7, *number)).bytes(8, name.as_bytes())
}

/// A network that takes images `x` of these dimensions, negative ones being open.
pub(crate) fn model(nodes: &[Message], tensors: &[Message], dims: &[i64], output: &str) -> Vec<u8> {
    let mut shape = Message::default();
    for dim in dims {
        let open = Message::default().bytes(2, b"open");
        let dim = if *dim < 0 { open } else { Message::default().int(1, *dim) };
        shape = shape.message(1, &dim);
    }
    let kind = Message::default().int(1, 1).message(2, &shape);
    let images = Message::default().bytes(1, b"x").message(2, &Message::default().message(1, &kind));
    let mut graph = Message::default();
    for node in nodes {
        graph = graph.message(1, node);
    }
    for tensor in tensors {
        graph = graph.message(5, tensor);
    }
    let graph = graph.message(11, &images).message(12, &Message::default().bytes(1, output.as_bytes()));
    Message::default().int(1, 8).message(7, &graph).message(8, &Message::default().int(2, 20)).into_bytes()
}
