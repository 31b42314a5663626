//! How networks are built of these operations.

use std::sync::Arc;

use swapnas_lanes::Strided;
use swapnas_lanes::kernels::line::Axis;
use swapnas_lanes::kernels::product::Product;

use super::{Function, Normalise, Real, TensorOp};
use crate::{Epsilon, GraphBuilder, GraphError, ModuleKind, Op, ParamKind, Shape, ValueId};

/// How a normalisation of single samples is made: see [`GraphBuilder::normalise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norm {
    /// Along what mean and variance are taken.
    pub axis: Axis,
    /// What is added to the variance.
    pub epsilon: Epsilon,
    /// Whether the mean is subtracted; RMSNorm does not.
    pub centred: bool,
    /// Whether there are weights.
    pub weight: bool,
    /// Whether there are biases.
    pub bias: bool,
    /// How many weights or biases there are.
    pub count: usize,
    /// So many elements that follow each other have the same.
    pub alike: usize,
}

impl Norm {
    /// Over the channels of every pixel: the layer normalisation of tokens.
    pub fn over_channels(shape: Shape) -> Self {
        let axis = Axis { outer: 1, len: shape.channels, inner: shape.pixels() };
        Norm::affine(axis, shape)
    }

    /// Over the pixels and channels of each of so many groups of channels: of one for each channel, instance
    /// normalisation.
    pub fn over_groups(shape: Shape, groups: usize) -> Self {
        let len = shape.elements() / groups.max(1);
        Norm::affine(Axis { outer: groups, len, inner: 1 }, shape)
    }

    /// With a weight and a bias for each channel and PyTorch's epsilon.
    fn affine(axis: Axis, shape: Shape) -> Self {
        let (count, alike) = (shape.channels, shape.pixels());
        Norm { axis, epsilon: Epsilon::default(), centred: true, weight: true, bias: true, count, alike }
    }
}

impl GraphBuilder {
    /// Parameter `name` of the current module as a value, the same for every sample, its elements in order.
    ///
    /// # Errors
    /// If the shape has another number of elements.
    pub fn parameter(&mut self, name: &str, dims: Vec<usize>, shape: Shape) -> Result<ValueId, GraphError> {
        self.parameter_of(ParamKind::Free, name, dims, shape)
    }

    /// The rows of a table of embeddings, parameter `weight` of module `name`, all of them, as a value: for embeddings of
    /// places, which are the same for every sample.
    ///
    /// # Errors
    /// If the table has no rows or no features.
    pub fn embeddings(&mut self, name: &str, rows: usize, features: usize) -> Result<ValueId, GraphError> {
        let (dims, shape) = (vec![rows, features], Shape::new(rows, 1, features));
        self.scope(name, |b| b.parameter_of(ParamKind::Embedding, "weight", dims, shape))
    }

    fn parameter_of(
        &mut self,
        kind: ParamKind,
        name: &str,
        dims: Vec<usize>,
        shape: Shape,
    ) -> Result<ValueId, GraphError> {
        self.fits("parameter", dims.iter().product(), shape)?;
        let id = self.param(name, kind, dims, 1, 1);
        Ok(self.node(Op::Tensor(TensorOp::Parameter(id)), Vec::new(), shape))
    }

    /// Numbers that are no parameter, the same for every sample.
    ///
    /// # Errors
    /// If the shape has another number of elements.
    pub fn constant(&mut self, numbers: Arc<[Real]>, shape: Shape) -> Result<ValueId, GraphError> {
        self.fits("constant", numbers.len(), shape)?;
        Ok(self.node(Op::Tensor(TensorOp::Constant(numbers)), Vec::new(), shape))
    }

    /// The elements of a view, one after the other.
    ///
    /// # Errors
    /// If there are not as many as the shape says, or the view reaches beyond the value.
    pub fn rearrange(&mut self, x: ValueId, view: Strided, shape: Shape) -> Result<ValueId, GraphError> {
        self.fits("rearrangement", view.len(), shape)?;
        self.reaches("rearrangement", &view, x)?;
        if view == Strided::contiguous(view.sizes()).expect("a view that there is") && shape == self.shape(x)
        {
            return Ok(x);
        }
        Ok(self.node(Op::Tensor(TensorOp::Rearrange(view.merged())), vec![x], shape))
    }

    /// The elements at these places, channel by channel.
    ///
    /// # Errors
    /// If there are not as many as the shape says, or not all are there.
    pub fn pick(&mut self, x: ValueId, places: Arc<[u32]>, shape: Shape) -> Result<ValueId, GraphError> {
        self.fits("selection", places.len(), shape)?;
        let elements = self.shape(x).elements();
        if let Some(place) = places.iter().find(|place| **place as usize >= elements) {
            return Err(self.tensor_error("selection", format!("element {place}"), self.shape(x)));
        }
        Ok(self.node(Op::Tensor(TensorOp::Pick(places)), vec![x], shape))
    }

    /// Values joined along a dimension with so many elements before and behind it.
    ///
    /// # Errors
    /// If values cannot be taken apart like that, or are not as many elements together as the shape.
    pub fn join(
        &mut self,
        values: &[ValueId],
        outer: usize,
        inner: usize,
        shape: Shape,
    ) -> Result<ValueId, GraphError> {
        let around = outer * inner;
        for &value in values {
            let input = self.shape(value);
            if around == 0 || !input.elements().is_multiple_of(around) || input.elements() == 0 {
                return Err(self.tensor_error("joined values", format!("rows of {around} elements"), input));
            }
        }
        let elements = values.iter().map(|value| self.shape(*value).elements()).sum();
        self.fits("joined values", elements, shape)?;
        Ok(self.node(Op::Tensor(TensorOp::Join { outer, inner }), values.to_vec(), shape))
    }

    /// The product of the matrices of two views.
    ///
    /// # Errors
    /// If dimensions do not fit, a view reaches beyond its value, or the result is not all of `shape`.
    pub fn product(
        &mut self,
        [a, b]: [ValueId; 2],
        product: Product,
        shape: Shape,
    ) -> Result<ValueId, GraphError> {
        self.fits("matrix product", product.out.len(), shape)?;
        if !product.fits() || product.out.end() != shape.elements() {
            let expected = format!("matrices that can be multiplied, not {product:?}");
            return Err(self.tensor_error("matrix product", expected, shape));
        }
        self.reaches("matrix product", &product.a, a)?;
        self.reaches("matrix product", &product.b, b)?;
        Ok(self.node(Op::Tensor(TensorOp::Product(Box::new(product))), vec![a, b], shape))
    }

    /// e^x divided by its sum along a dimension.
    ///
    /// # Errors
    /// If it is no dimension of the value.
    pub fn softmax(&mut self, x: ValueId, axis: Axis) -> Result<ValueId, GraphError> {
        self.has_axis("softmax", x, axis)?;
        let shape = self.shape(x);
        Ok(self.node(Op::Tensor(TensorOp::Softmax(axis)), vec![x], shape))
    }

    /// The mean along a dimension.
    ///
    /// # Errors
    /// If it is no dimension of the value, or the shape is not one element for each line.
    pub fn mean_along(&mut self, x: ValueId, axis: Axis, shape: Shape) -> Result<ValueId, GraphError> {
        self.has_axis("mean", x, axis)?;
        self.fits("mean", axis.lines(), shape)?;
        Ok(self.node(Op::Tensor(TensorOp::Mean(axis)), vec![x], shape))
    }

    /// A function of each element.
    pub fn function(&mut self, x: ValueId, function: Function) -> ValueId {
        let shape = self.shape(x);
        self.node(Op::Tensor(TensorOp::Function(function)), vec![x], shape)
    }

    /// Module `name` that normalises each sample by itself.
    ///
    /// # Errors
    /// If the axis is no dimension of the value.
    pub fn normalise(&mut self, name: &str, x: ValueId, norm: Norm) -> Result<ValueId, GraphError> {
        let Norm { axis, epsilon, centred, count, alike, .. } = norm;
        self.has_axis("normalisation", x, axis)?;
        let shape = self.shape(x);
        if (norm.weight || norm.bias) && (count == 0 || alike == 0) {
            return Err(self.tensor_error("normalisation", "weights".to_owned(), shape));
        }
        self.scope(name, |b| {
            let mut param = |has: bool, name: &str, kind| has.then(|| b.param(name, kind, vec![count], 1, 1));
            let weight = param(norm.weight, "weight", ParamKind::NormWeight);
            let bias = param(norm.bias, "bias", ParamKind::NormBias);
            let op = Normalise { axis, epsilon, centred, weight, bias, alike };
            let y = b.node(Op::Tensor(TensorOp::Normalise(op)), vec![x], shape);
            Ok(b.module(ModuleKind::SampleNorm, x, y))
        })
    }

    /// Module `name` that looks up a row of a table for every element; the features of a row are channels.
    ///
    /// # Errors
    /// If the table has no rows or no features.
    pub fn embedding(
        &mut self,
        name: &str,
        x: ValueId,
        rows: usize,
        features: usize,
    ) -> Result<ValueId, GraphError> {
        let input = self.shape(x);
        if rows == 0 || features == 0 || input.channels != 1 {
            let expected = "a table with rows, and one channel of their numbers".to_owned();
            return Err(self.tensor_error("embedding", expected, input));
        }
        self.scope(name, |b| {
            let id = b.param("weight", ParamKind::Embedding, vec![rows, features], 1, 1);
            let op = Op::Tensor(TensorOp::Embedding(id));
            let y = b.node(op, vec![x], input.with_channels(features));
            Ok(b.module(ModuleKind::Embedding, x, y))
        })
    }

    fn fits(&self, op: &'static str, elements: usize, shape: Shape) -> Result<(), GraphError> {
        if elements == shape.elements() && elements > 0 {
            return Ok(());
        }
        Err(self.tensor_error(op, format!("{elements} elements"), shape))
    }

    fn reaches(&self, op: &'static str, view: &Strided, x: ValueId) -> Result<(), GraphError> {
        if view.end() <= self.shape(x).elements() {
            return Ok(());
        }
        Err(self.tensor_error(op, format!("{} elements", view.end()), self.shape(x)))
    }

    fn has_axis(&self, op: &'static str, x: ValueId, axis: Axis) -> Result<(), GraphError> {
        let Axis { outer, len, inner } = axis;
        let input = self.shape(x);
        if axis.elements() == input.elements() && axis.elements() > 0 {
            return Ok(());
        }
        Err(self.tensor_error(op, format!("{outer} x {len} x {inner} elements"), input))
    }

    fn tensor_error(&self, op: &'static str, expected: String, input: Shape) -> GraphError {
        GraphError::Channels { node: self.path().to_owned(), op, expected, input }
    }
}
