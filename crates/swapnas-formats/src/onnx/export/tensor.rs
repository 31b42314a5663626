//! Operations on the elements of single samples.

use swapnas_graph::tensor::{
    Axis, Constant, Embedding, Function, Join, Mean, Parameter, Pick, Product, Real, Rearrange, Softmax,
    TensorOp,
};
use swapnas_graph::{Node, ParamId, Shape, Strided, ValueId};

use super::File;
use super::chain::Chain;
use super::form::Form;
use super::message::{constant, floats, int};
use crate::arrangement::{Arrangement, Selection, dimension, joint, sizes};
use crate::onnx::proto::DataType;

impl File<'_> {
    pub(super) fn tensor(&mut self, value: ValueId, op: &TensorOp) {
        let graph = self.graph;
        let node = graph.node(value);
        let output = self.name(value);
        match op {
            TensorOp::Parameter(Parameter { id }) => self.parameter(*id, node, output),
            TensorOp::Constant(Constant { numbers }) => self.numbers(numbers, node, output),
            TensorOp::Rearrange(Rearrange { view }) => {
                let dims: Vec<usize> = view.sizes().to_vec();
                let (mut chain, from) = self.arranged(node.inputs[0], view, &dims);
                chain.reshape(sizes(node.shape));
                self.finish(chain, from, output);
            }
            TensorOp::Pick(Pick { places }) => {
                let (from, shape) = (self.elements(node.inputs[0]), graph.shape(node.inputs[0]));
                let Selection { outer, len, inner, places } = Selection::of(places, shape.elements());
                let mut chain = Chain::of(sizes(shape));
                chain.reshape([outer, len, inner]);
                let places: Vec<i64> = places.into_iter().map(|place| place as i64).collect();
                chain.gather(1, &[places.len()], &places);
                chain.reshape(sizes(node.shape));
                self.run(chain, from, output);
            }
            &TensorOp::Join(Join { outer, inner }) => self.join(value, outer, inner, output),
            TensorOp::Product(product) => self.product(value, product, output),
            TensorOp::Softmax(Softmax { axis }) => {
                let from = self.image(node.inputs[0]);
                let (mut chain, place) = self.along(*axis, node.inputs[0]);
                chain.push("Softmax", Vec::new(), vec![int("axis", place as i64 + 1)]);
                chain.reshape(sizes(node.shape));
                self.run(chain, from, output);
            }
            TensorOp::Mean(Mean { axis }) => {
                let from = self.image(node.inputs[0]);
                let mut chain = Chain::of(sizes(graph.shape(node.inputs[0])));
                chain.reshape([axis.outer, axis.len, axis.inner]);
                chain.mean(1);
                chain.reshape(sizes(node.shape));
                self.run(chain, from, output);
            }
            TensorOp::Normalise(norm) => self.normalise(value, norm, output),
            TensorOp::Function(function) => {
                let from = self.in_form(node.inputs[0], self.form(value));
                self.function(*function, from, output);
            }
            TensorOp::Embedding(Embedding { table }) => self.embedding(*table, node, output),
            TensorOp::ConvTranspose(of) => self.conv_transpose(of, node.inputs[0], output),
        }
    }

    /// A parameter in the dimensions of a value, of which there is one for all samples.
    fn parameter(&mut self, id: ParamId, node: &Node, output: String) {
        let dims: Vec<i64> = std::iter::once(1).chain(sizes(node.shape).map(|size| size as i64)).collect();
        let dims = self.integers(&dims);
        self.push("Reshape", vec![self.param(id), dims], output, Vec::new());
    }

    /// A node, since an initialiser would look like a parameter.
    fn numbers(&mut self, numbers: &[Real], node: &Node, output: String) {
        let [channels, height, width] = sizes(node.shape);
        let numbers = numbers.iter().map(|number| number.number() as f32);
        let tensor = floats(String::new(), &[1, channels, height, width], numbers);
        self.push("Constant", Vec::new(), output, vec![constant(tensor)]);
    }

    /// What brings elements into the dimensions `dims` of a view, where dimensions in which the view repeats its
    /// elements may have one element; and what to apply it to.
    fn arranged(&mut self, of: ValueId, view: &Strided, dims: &[usize]) -> (Chain, String) {
        let shape = self.graph.shape(of);
        let arrangement = Arrangement::of(view, shape);
        let pixels_first = arrangement.of_pixels_first(shape).filter(|_| self.form(of) == Form::Pixels);
        let [channels, height, width] = sizes(shape);
        let (mut chain, arrangement, from) = match pixels_first {
            Some(turned) => (Chain::of([height, width, channels]), turned, self.name(of)),
            None => (Chain::of([channels, height, width]), arrangement, self.elements(of)),
        };
        chain.arrange(&arrangement);
        let own = view.dims().map(|(size, stride)| if stride == 0 { 1 } else { size });
        chain.reshape(own.collect::<Vec<_>>());
        chain.expand(dims);
        (chain, from)
    }

    /// An axis of a value's elements as a dimension, and which one it is.
    fn along(&mut self, axis: Axis, of: ValueId) -> (Chain, usize) {
        let shape = self.graph.shape(of);
        let mut chain = Chain::of(sizes(shape));
        let place = dimension(axis, shape).unwrap_or_else(|| {
            chain.reshape([axis.outer, axis.len, axis.inner]);
            1
        });
        (chain, place)
    }

    fn join(&mut self, value: ValueId, outer: usize, inner: usize, output: String) {
        let graph = self.graph;
        let node = graph.node(value);
        let shapes: Vec<Shape> = node.inputs.iter().map(|of| graph.shape(*of)).chain([node.shape]).collect();
        let place = joint(&shapes, outer, inner);
        let dims = |shape: Shape| [outer, shape.elements() / (outer * inner), inner];
        let mut parts = Vec::with_capacity(node.inputs.len());
        for (number, &input) in node.inputs.iter().enumerate() {
            let image = self.image(input);
            let part = self.for_each_sample(image, input, value);
            let mut chain = Chain::of(sizes(graph.shape(input)));
            if place.is_none() {
                chain.reshape(dims(graph.shape(input)));
            }
            let name = self.fresh(format!("{output}.part{number}"));
            parts.push(self.run(chain, part, name));
        }
        if let Some(place) = place {
            return self.push("Concat", parts, output, vec![int("axis", place as i64 + 1)]);
        }
        let joined = self.fresh(format!("{output}.joined"));
        self.push("Concat", parts, joined.clone(), vec![int("axis", 2)]);
        let mut chain = Chain::of(dims(node.shape));
        chain.reshape(sizes(node.shape));
        self.finish(chain, joined, output);
    }

    fn product(&mut self, value: ValueId, product: &Product, output: String) {
        let graph = self.graph;
        let node = graph.node(value);
        let Product { a, b, out } = product;
        let rank = out.sizes().len();
        // Matrices that a factor repeats are there once, unless the other one repeats them as well.
        let repeats = |view: &Strided, axis: usize| axis + 2 < rank && view.strides()[axis] == 0;
        let dims = |view: &Strided, once: &dyn Fn(usize) -> bool| -> Vec<usize> {
            let sizes = view.sizes().iter().enumerate();
            sizes.map(|(axis, size)| if once(axis) { 1 } else { *size }).collect()
        };
        let of_a = dims(a, &|axis| repeats(a, axis) && !repeats(b, axis));
        let of_b = dims(b, &|axis| repeats(b, axis));
        let mut factors = Vec::new();
        for (input, view, dims, name) in
            [(node.inputs[0], a, of_a, "first"), (node.inputs[1], b, of_b, "second")]
        {
            let (chain, from) = self.arranged(input, view, &dims);
            let name = self.fresh(format!("{output}.{name}"));
            factors.push(self.run(chain, from, name));
        }
        let arrangement = Arrangement::of(out, node.shape);
        let [channels, height, width] = sizes(node.shape);
        let turned = arrangement.of_pixels_first(node.shape).filter(|_| self.form(value) == Form::Pixels);
        let (arrangement, dims) = match turned {
            Some(turned) => (turned, [height, width, channels]),
            None => (arrangement, [channels, height, width]),
        };
        // The elements of the result are put where the view has them.
        let mut chain = Chain::of(out.sizes());
        let stored: Vec<usize> = arrangement.dims().map(|along| along.dim).collect();
        let rows: Vec<usize> = (0..rank).filter(|axis| stored.contains(axis)).collect();
        let order: Vec<usize> = stored.iter().map(|axis| rows.partition_point(|row| row < axis)).collect();
        chain.reshape(rows.iter().map(|axis| out.sizes()[*axis]).collect::<Vec<_>>());
        chain.transpose(&order);
        chain.reshape(dims);
        let product = match chain.is_empty() {
            true => output.clone(),
            false => self.fresh(format!("{output}.product")),
        };
        self.push("MatMul", factors, product.clone(), Vec::new());
        self.run(chain, product, output);
    }

    fn function(&mut self, function: Function, x: String, output: String) {
        let (op, number) = match function {
            Function::Linear { factor, summand } => return self.affine([factor, summand], x, output),
            Function::Exp => ("Exp", None),
            Function::Ln => ("Log", None),
            Function::Sqrt => ("Sqrt", None),
            Function::Reciprocal => ("Reciprocal", None),
            Function::Sin => ("Sin", None),
            Function::Cos => ("Cos", None),
            Function::Tanh => ("Tanh", None),
            Function::Erf => ("Erf", None),
            Function::Power(n) => ("Pow", Some(f64::from(n))),
            Function::RealPower(exponent) => ("Pow", Some(exponent.number())),
            Function::Max(bound) => ("Max", Some(bound.number())),
            Function::Min(bound) => ("Min", Some(bound.number())),
        };
        let number = number.map(|number| self.number(number as f32));
        self.push(op, std::iter::once(x).chain(number).collect(), output, Vec::new());
    }

    /// factor * x + summand.
    fn affine(&mut self, numbers: [Real; 2], x: String, output: String) {
        let [factor, summand] = numbers.map(Real::number);
        let mut chain = Chain::of([]);
        for (op, number, neutral) in [("Mul", factor, 1.0), ("Add", summand, 0.0)] {
            if number != neutral {
                let number = self.number(number as f32);
                chain.push(op, vec![number], Vec::new());
            }
        }
        self.finish(chain, x, output);
    }

    fn embedding(&mut self, table: ParamId, node: &Node, output: String) {
        let input = node.inputs[0];
        let shape = self.graph.shape(input);
        let tokens = match self.form(input) {
            Form::Text => self.name(input),
            _ => {
                let mut chain = Chain::of(sizes(shape));
                if !self.is_of_tokens(input) {
                    chain.push("Cast", Vec::new(), vec![int("to", i32::from(DataType::Int64).into())]);
                }
                chain.reshape([shape.pixels()]);
                let (from, name) = (self.elements(input), self.fresh(format!("{output}.tokens")));
                self.run(chain, from, name)
            }
        };
        let rows = self.fresh(format!("{output}.rows"));
        self.push("Gather", vec![self.param(table), tokens], rows.clone(), Vec::new());
        let mut chain = Chain::of([shape.pixels(), node.shape.channels]);
        chain.reshape([shape.height, shape.width, node.shape.channels]);
        self.finish(chain, rows, output);
    }
}
