//! ONNX files that random changes of bytes would hardly make: networks whose parts mostly fit together.

use arbitrary::Unstructured;

use crate::onnx_file::{Message, Value, elsewhere, floats, model, node, whole};

/// The most nodes of a network.
const MOST_NODES: usize = 24;

/// Numbers that readers may stumble over.
const WILD: [i64; 16] =
    [-1, -2, 0, 1, 2, 3, 7, 64, 255, 8192, 8193, 1 << 31, 1 << 40, i64::MAX, i64::MIN, -(1 << 31)];

/// Operators of one input that keep its shape.
const UNARY: [&str; 35] = [
    "Relu",
    "Sigmoid",
    "HardSigmoid",
    "HardSwish",
    "Swish",
    "Gelu",
    "Erf",
    "Identity",
    "Dropout",
    "Ceil",
    "Floor",
    "Softmax",
    "Cast",
    "Flatten",
    "Sqrt",
    "Exp",
    "Log",
    "Tanh",
    "Reciprocal",
    "Neg",
    "LeakyRelu",
    "Elu",
    "Selu",
    "Celu",
    "Mish",
    "Softplus",
    "Sin",
    "Cos",
    "Sign",
    "Not",
    "Transpose",
    "Abs",
    "IsNaN",
    "Trilu",
    "ReduceMax",
];

const BINARY: [&str; 14] = [
    "Add", "Mul", "Sub", "Div", "Sum", "Max", "Min", "MatMul", "PRelu", "Pow", "Equal", "And", "Mod",
    "Einsum",
];

/// All others, with whatever inputs and attributes there are.
const ANY: [&str; 48] = [
    "Squeeze",
    "Unsqueeze",
    "Expand",
    "Gather",
    "ConstantOfShape",
    "SplitToSequence",
    "SequenceAt",
    "CastLike",
    "Constant",
    "Concat",
    "Split",
    "Slice",
    "Reshape",
    "Transpose",
    "Pad",
    "Conv",
    "Gemm",
    "MatMul",
    "Clip",
    "LogSoftmax",
    "BatchNormalization",
    "MaxPool",
    "ReduceMean",
    "Shape",
    "LayerNormalization",
    "RMSNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "Einsum",
    "Tile",
    "ReduceSum",
    "ReduceL2",
    "ReduceSumSquare",
    "Where",
    "Range",
    "ReduceProd",
    "CumSum",
    "Resize",
    "MatMul",
    "Transpose",
    "Reshape",
    "ScatterND",
    "ScatterElements",
    "GatherND",
    "GatherElements",
    "OneHot",
    "Trilu",
    "Cast",
];

const NAMES: [&str; 28] = [
    "axis",
    "axes",
    "kernel_shape",
    "strides",
    "pads",
    "dilations",
    "group",
    "perm",
    "alpha",
    "beta",
    "epsilon",
    "auto_pad",
    "ceil_mode",
    "count_include_pad",
    "keepdims",
    "transB",
    "mode",
    "approximate",
    "value_ints",
    "to",
    "equation",
    "num_groups",
    "coordinate_transformation_mode",
    "exclusive",
    "reverse",
    "upper",
    "batch_dims",
    "reduction",
];

/// A value of the network, with the dimensions that it should have.
type Known = (String, Vec<i64>);

struct Network<'u, 'b> {
    choices: &'u mut Unstructured<'b>,
    nodes: Vec<Message>,
    tensors: Vec<Message>,
    /// What depends on the images.
    values: Vec<Known>,
    /// Names of constants.
    constants: Vec<String>,
    names: usize,
}

/// A network as the bytes choose it.
pub(crate) fn file(choices: &mut Unstructured<'_>) -> Vec<u8> {
    let mut network = Network {
        choices,
        nodes: Vec::new(),
        tensors: Vec::new(),
        values: Vec::new(),
        constants: Vec::new(),
        names: 0,
    };
    let batch = [-1, 1, 2, 0][network.below(4)];
    let dims = vec![batch, network.up_to(6), network.up_to(11), network.up_to(11)];
    network.values.push(("x".to_owned(), dims.clone()));
    while network.nodes.len() < MOST_NODES && !network.choices.is_empty() {
        network.node();
    }
    let output = network.values.last().expect("the images are there").0.clone();
    model(&network.nodes, &network.tensors, &dims, &output)
}

impl Network<'_, '_> {
    fn below(&mut self, end: usize) -> usize {
        self.choices.int_in_range(0..=end - 1).unwrap_or(0)
    }

    /// From 1 on.
    fn up_to(&mut self, most: i64) -> i64 {
        self.choices.int_in_range(1..=most).unwrap_or(1)
    }

    fn one_in(&mut self, count: u8) -> bool {
        self.choices.ratio(1, count).unwrap_or(false)
    }

    /// The number, but at times one that makes no sense.
    fn number(&mut self, number: i64) -> i64 {
        if self.one_in(40) { WILD[self.below(WILD.len())] } else { number }
    }

    fn numbers(&mut self, numbers: &[i64]) -> Value {
        Value::Ints(numbers.iter().map(|number| self.number(*number)).collect())
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    /// A value, one of the last ones as a rule.
    fn value(&mut self) -> Known {
        let count = self.values.len();
        let back = if self.one_in(3) { self.below(count) } else { 0 };
        self.values[count - 1 - back].clone()
    }

    /// The same of dimensions of images.
    fn images(&mut self) -> Known {
        let value = self.value();
        if value.1.len() == 4 {
            return value;
        }
        let images = |value: &&Known| value.1.len() == 4;
        self.values.iter().rev().find(images).expect("the first are images").clone()
    }

    /// Weights of the dimensions, in the file or elsewhere.
    fn weights(&mut self, dims: &[i64]) -> String {
        let name = self.name();
        let count: i64 = dims.iter().product();
        let tensor = if count > 1 << 12 || self.one_in(30) {
            elsewhere(&name, &dims.iter().map(|dim| self.number(*dim)).collect::<Vec<_>>())
        } else {
            let numbers: Vec<f32> = (0..count).map(|i| (i * 7 % 13) as f32 / 8.0 - 0.75).collect();
            floats(&name, &dims.iter().map(|dim| self.number(*dim)).collect::<Vec<_>>(), &numbers)
        };
        self.tensors.push(tensor);
        self.constants.push(name.clone());
        name
    }

    fn scalar(&mut self, number: f32) -> String {
        let name = self.name();
        self.tensors.push(floats(&name, &[], &[number]));
        self.constants.push(name.clone());
        name
    }

    fn list(&mut self, numbers: &[i64]) -> String {
        let name = self.name();
        let numbers: Vec<i64> = numbers.iter().map(|number| self.number(*number)).collect();
        let alone = numbers.len() == 1 && self.one_in(4);
        self.tensors.push(whole(&name, &numbers, alone));
        self.constants.push(name.clone());
        name
    }

    fn add(&mut self, operator: &str, inputs: &[String], attributes: &[(&str, Value)], dims: Vec<i64>) {
        let name = self.name();
        self.nodes.push(node(operator, inputs, std::slice::from_ref(&name), attributes));
        self.values.push((name, dims));
    }

    fn node(&mut self) {
        match self.below(20) {
            0..=2 => self.convolution(),
            3 => self.transposed_convolution(),
            4 => self.normalisation(),
            5..=6 => {
                let operator = UNARY[self.below(UNARY.len())];
                let (value, mut dims) = self.value();
                if operator == "Flatten" {
                    dims = vec![dims[0], dims[1..].iter().product()];
                }
                self.add(operator, &[value], &[], dims);
            }
            7 => self.clip(),
            8..=9 => self.binary(),
            10 => self.pool(),
            11 => self.mean(),
            12 => self.join(),
            13 => self.split(),
            14 => self.linear(),
            15 => self.reshape(),
            16 => self.transpose(),
            17 => self.pad(),
            18 => self.shape(),
            _ => self.anything(),
        }
    }

    /// What strides, padding and dilation make of a side.
    fn window(&mut self, dims: &mut [i64]) -> (Vec<(&'static str, Value)>, [i64; 2]) {
        let kernel = [self.up_to(3), self.up_to(3)];
        let stride = [self.up_to(2), self.up_to(2)];
        let padding = [self.below(3) as i64, self.below(3) as i64];
        let dilation = if self.one_in(6) { 2 } else { 1 };
        for axis in 0..2 {
            let reach = dims[axis] + 2 * padding[axis] - dilation * (kernel[axis] - 1) - 1;
            dims[axis] = reach.max(0) / stride[axis] + 1;
        }
        let mut attributes =
            vec![("kernel_shape", self.numbers(&kernel)), ("strides", self.numbers(&stride))];
        match self.below(8) {
            0 => attributes.push(("auto_pad", Value::Text("SAME_UPPER"))),
            1 => attributes.push(("auto_pad", Value::Text("SAME_LOWER"))),
            _ => attributes.push(("pads", self.numbers(&[padding[0], padding[1], padding[0], padding[1]]))),
        }
        if dilation > 1 {
            attributes.push(("dilations", self.numbers(&[dilation; 2])));
        }
        (attributes, kernel)
    }

    fn convolution(&mut self) {
        let (value, mut dims) = self.images();
        let (mut attributes, kernel) = self.window(&mut dims[2..]);
        let channels = dims[1];
        let groups = [1, channels, 1, if channels % 2 == 0 { 2 } else { 1 }][self.below(4)].max(1);
        let made = groups * self.up_to(3);
        attributes.push(("group", Value::Int(self.number(groups))));
        let mut inputs = vec![value, self.weights(&[made, channels / groups, kernel[0], kernel[1]])];
        if self.one_in(3) {
            inputs.push(self.weights(&[made]));
        }
        dims[1] = made;
        self.add("Conv", &inputs, &attributes, dims);
    }

    fn transposed_convolution(&mut self) {
        let (value, mut dims) = self.images();
        let kernel = [self.up_to(4), self.up_to(3)];
        let stride = [self.up_to(3), self.up_to(2)];
        let pads = [0; 4].map(|_| self.below(3) as i64);
        let more = stride.map(|stride| self.below(stride as usize) as i64);
        for axis in 0..2 {
            let whole = (dims[2 + axis] - 1) * stride[axis] + kernel[axis] + more[axis];
            dims[2 + axis] = (whole - pads[axis] - pads[2 + axis]).max(1);
        }
        let mut attributes = vec![
            ("kernel_shape", self.numbers(&kernel)),
            ("strides", self.numbers(&stride)),
            ("output_padding", self.numbers(&more)),
        ];
        match self.below(8) {
            0 => attributes.push(("auto_pad", Value::Text("SAME_UPPER"))),
            1 => attributes.push(("auto_pad", Value::Text("SAME_LOWER"))),
            2 => attributes.push(("output_shape", self.numbers(&dims[2..4]))),
            _ => attributes.push(("pads", self.numbers(&pads))),
        }
        let channels = dims[1];
        let groups = if channels % 2 == 0 && self.one_in(3) { 2 } else { 1 };
        let made = self.up_to(3);
        attributes.push(("group", Value::Int(self.number(groups))));
        let mut inputs = vec![value, self.weights(&[channels, made, kernel[0], kernel[1]])];
        if self.one_in(3) {
            inputs.push(self.weights(&[made * groups]));
        }
        dims[1] = made * groups;
        self.add("ConvTranspose", &inputs, &attributes, dims);
    }

    fn normalisation(&mut self) {
        let (value, dims) = self.images();
        let mut inputs = vec![value];
        for _ in 0..4 {
            inputs.push(self.weights(&dims[1..2]));
        }
        self.add("BatchNormalization", &inputs, &[("epsilon", Value::Float(1e-5))], dims);
    }

    fn clip(&mut self) {
        let (value, dims) = self.value();
        let low = [0.0, -1.0, f32::NAN][self.below(3)];
        let high = [6.0, 1.0, f32::INFINITY][self.below(3)];
        let inputs = [value, self.scalar(low), self.scalar(high)];
        self.add("Clip", &inputs, &[], dims);
    }

    fn binary(&mut self) {
        let operator = BINARY[self.below(BINARY.len())];
        let (value, dims) = self.value();
        let other = match self.below(5) {
            0 => {
                let number = [3.0, 6.0, 0.5, std::f32::consts::SQRT_2, 0.0, 1.0, f32::NAN][self.below(7)];
                self.scalar(number)
            }
            1 if dims.len() == 4 => self.weights(&[1, dims[1], 1, 1]),
            2 => self.value().0,
            // One of the same dimensions.
            _ => {
                let same = |other: &&Known| other.1 == dims && other.0 != value;
                self.values.iter().rev().find(same).map_or(value.clone(), |other| other.0.clone())
            }
        };
        let inputs = if self.one_in(4) { [other, value] } else { [value, other] };
        self.add(operator, &inputs, &[], dims);
    }

    fn pool(&mut self) {
        let (value, mut dims) = self.images();
        let operator = ["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"][self.below(4)];
        let mut attributes = Vec::new();
        if operator.starts_with("Global") {
            dims[2..].fill(1);
        } else {
            attributes = self.window(&mut dims[2..]).0;
            attributes.push(("ceil_mode", Value::Int(self.below(2) as i64)));
            attributes.push(("count_include_pad", Value::Int(self.below(2) as i64)));
        }
        self.add(operator, &[value], &attributes, dims);
    }

    fn mean(&mut self) {
        let (value, mut dims) = self.images();
        let keep = self.below(2);
        let axes = if self.one_in(3) { [-1, -2] } else { [2, 3] };
        let attributes = [("axes", self.numbers(&axes)), ("keepdims", Value::Int(keep as i64))];
        if keep == 1 {
            dims[2..].fill(1)
        } else {
            dims.truncate(2)
        }
        self.add("ReduceMean", &[value], &attributes, dims);
    }

    fn join(&mut self) {
        let (value, mut dims) = self.value();
        let fits = |other: &&Known| other.1.len() == dims.len() && other.1[2..] == dims[2..];
        let others: Vec<Known> = self.values.iter().filter(fits).cloned().collect();
        let mut inputs = vec![value];
        for _ in 0..1 + self.below(2) {
            let (other, its) = &others[self.below(others.len())];
            inputs.push(other.clone());
            dims[1] += its[1];
        }
        let axis = self.number(1);
        self.add("Concat", &inputs, &[("axis", Value::Int(axis))], dims);
    }

    fn split(&mut self) {
        let (value, mut dims) = self.value();
        let half = dims[1] / 2;
        if self.one_in(2) {
            let outputs = [self.name(), self.name()];
            let sizes = self.list(&[half, dims[1] - half]);
            let inputs = if self.one_in(2) { vec![value, sizes] } else { vec![value] };
            self.nodes.push(node("Split", &inputs, &outputs, &[("axis", Value::Int(1))]));
            let [first, second] = outputs;
            let rest = dims[1] - half;
            dims[1] = half;
            self.values.push((first, dims.clone()));
            dims[1] = rest;
            self.values.push((second, dims));
        } else {
            let (start, axis) = (self.below(3) as i64, 1 + self.below(dims.len() - 1));
            let end = (start + half.max(1)).min(dims[axis]);
            let inputs = [value, self.list(&[start]), self.list(&[end]), self.list(&[axis as i64])];
            dims[axis] = (end - start).max(1);
            self.add("Slice", &inputs, &[], dims);
        }
    }

    fn linear(&mut self) {
        let (mut value, mut dims) = self.value();
        if dims.len() > 2 {
            dims = vec![dims[0], dims[1..].iter().product()];
            self.add("Flatten", &[value], &[("axis", Value::Int(1))], dims.clone());
            value = self.values.last().expect("just added").0.clone();
        }
        let made = self.up_to(5);
        let read = dims[1].clamp(0, 4096);
        dims[1] = made;
        match self.below(3) {
            0 => {
                let weights = self.weights(&[read, made]);
                self.add("MatMul", &[value, weights], &[], dims);
            }
            1 => {
                let inputs = [value, self.weights(&[made, read]), self.weights(&[made])];
                self.add("Gemm", &inputs, &[("transB", Value::Int(1))], dims);
            }
            _ => {
                let inputs = [value, self.weights(&[read, made])];
                self.add("Gemm", &inputs, &[], dims);
            }
        }
    }

    /// To channels in groups, to one axis, or back.
    fn reshape(&mut self) {
        let (value, dims) = self.value();
        let all: i64 = dims[1..].iter().product();
        let side = |dims: &[i64], axis: usize| dims.get(axis).copied().unwrap_or(1);
        let target = match self.below(5) {
            0 => vec![0, -1],
            1 => vec![dims[0], 2, dims[1] / 2, side(&dims, 2), side(&dims, 3)],
            2 if dims.len() == 5 => vec![0, dims[1] * dims[2], dims[3], dims[4]],
            3 => vec![-1, all],
            _ => vec![0, dims[1], -1],
        };
        let known = target.iter().enumerate().map(|(axis, dim)| match dim {
            0 => side(&dims, axis),
            -1 if axis > 0 => all / target[1..].iter().filter(|dim| **dim > 0).product::<i64>().max(1),
            dim => *dim,
        });
        let known = known.collect();
        let inputs = [value, self.list(&target)];
        self.add("Reshape", &inputs, &[], known);
    }

    fn transpose(&mut self) {
        let (value, dims) = self.value();
        let mut order: Vec<i64> = (0..dims.len() as i64).collect();
        let (a, b) = (1 + self.below(order.len() - 1), 1 + self.below(order.len() - 1));
        order.swap(a, b);
        let known = order.iter().map(|axis| dims[*axis as usize]).collect();
        let order = self.numbers(&order);
        self.add("Transpose", &[value], &[("perm", order)], known);
    }

    fn pad(&mut self) {
        let (value, mut dims) = self.images();
        let pads = [
            0,
            0,
            self.below(3) as i64,
            self.below(3) as i64,
            0,
            0,
            self.below(3) as i64,
            self.below(3) as i64,
        ];
        for axis in 0..4 {
            dims[axis] += pads[axis] + pads[axis + 4];
        }
        let inputs = [value, self.list(&pads)];
        self.add("Pad", &inputs, &[], dims);
    }

    /// A shape that is computed: of the batch, and all else in one.
    fn shape(&mut self) {
        let (value, dims) = self.value();
        let names = [self.name(), self.name(), self.name()];
        let [shape, batch, target] = names.clone();
        let (zero, rest) = (self.list(&[0]), self.list(&[-1]));
        self.nodes.push(node("Shape", std::slice::from_ref(&value), std::slice::from_ref(&shape), &[]));
        self.nodes.push(node(
            "Gather",
            &[shape, zero],
            std::slice::from_ref(&batch),
            &[("axis", Value::Int(0))],
        ));
        self.nodes.push(node(
            "Concat",
            &[batch, rest],
            std::slice::from_ref(&target),
            &[("axis", Value::Int(0))],
        ));
        self.constants.extend(names);
        let known = vec![dims[0], dims[1..].iter().product()];
        self.add("Reshape", &[value, target], &[], known);
    }

    fn anything(&mut self) {
        let operator = ANY[self.below(ANY.len())];
        let (value, dims) = self.value();
        let mut inputs = vec![value];
        for _ in 0..self.below(4) {
            let count = self.constants.len();
            match self.below(3) {
                0 if count > 0 => {
                    let place = self.below(count);
                    inputs.push(self.constants[place].clone());
                }
                1 => {
                    let (a, b) = (self.below(6) as i64 - 1, self.below(6) as i64 - 1);
                    let numbers = [a, b];
                    inputs.push(self.list(&numbers[..if a < 2 { 1 } else { 2 }]));
                }
                _ => inputs.push(self.value().0),
            }
        }
        if self.one_in(5) {
            inputs.remove(0);
        }
        let mut attributes = Vec::new();
        for _ in 0..self.below(3) {
            let name = NAMES[self.below(NAMES.len())];
            let number = self.below(6) as i64 - 1;
            let value = match self.below(4) {
                0 => Value::Int(self.number(number)),
                1 => Value::Float(number as f32 / 3.0),
                2 => Value::Text(["constant", "NOTSET", "tanh", "VALID"][self.below(4)]),
                _ => {
                    let count = self.below(5);
                    self.numbers(&[number, 1, 2, 0][..count])
                }
            };
            attributes.push((name, value));
        }
        self.add(operator, &inputs, &attributes, dims);
    }
}
