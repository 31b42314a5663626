//! Operations on the elements of single samples.

use std::sync::Arc;

use swapnas_lanes::Strided;
use swapnas_lanes::kernels::line::Axis;
use swapnas_lanes::kernels::product::Product;

use super::GraphBuilder;
use crate::graph::{ModuleKind, ParamKind};
use crate::tensor::{
    Constant, Embedding, Function, Join, Mean, Norm, Normalise, Parameter, Pick, Real, Rearrange, Softmax,
    TensorOp, check_product,
};
use crate::{GraphError, Op, Shape, ValueId};

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
        Parameter::check(&dims, shape).map_err(|error| self.here(error))?;
        let id = self.param(name, kind, dims, 1, 1);
        Ok(self.node(Op::Tensor(TensorOp::Parameter(Parameter { id })), Vec::new(), shape))
    }

    /// Numbers that are no parameter, the same for every sample.
    ///
    /// # Errors
    /// If the shape has another number of elements.
    pub fn constant(&mut self, numbers: Arc<[Real]>, shape: Shape) -> Result<ValueId, GraphError> {
        let op = Constant { numbers };
        op.check(shape).map_err(|error| self.here(error))?;
        Ok(self.node(Op::Tensor(TensorOp::Constant(op)), Vec::new(), shape))
    }

    /// The elements of a view, one after the other.
    ///
    /// # Errors
    /// If there are not as many as the shape says, or the view reaches beyond the value.
    pub fn rearrange(&mut self, x: ValueId, view: Strided, shape: Shape) -> Result<ValueId, GraphError> {
        let op = Rearrange { view };
        op.check(self.shape(x), shape).map_err(|error| self.here(error))?;
        if op.is_all_in_order() && shape == self.shape(x) {
            return Ok(x);
        }
        Ok(self.node(Op::Tensor(TensorOp::Rearrange(op.merged())), vec![x], shape))
    }

    /// The elements at these places, channel by channel.
    ///
    /// # Errors
    /// If there are not as many as the shape says, or not all are there.
    pub fn pick(&mut self, x: ValueId, places: Arc<[u32]>, shape: Shape) -> Result<ValueId, GraphError> {
        let op = Pick { places };
        op.check(self.shape(x), shape).map_err(|error| self.here(error))?;
        Ok(self.node(Op::Tensor(TensorOp::Pick(op)), vec![x], shape))
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
        let op = Join { outer, inner };
        let shapes: Vec<Shape> = values.iter().map(|value| self.shape(*value)).collect();
        op.check(&shapes, shape).map_err(|error| self.here(error))?;
        Ok(self.node(Op::Tensor(TensorOp::Join(op)), values.to_vec(), shape))
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
        let shapes = [self.shape(a), self.shape(b)];
        check_product(&product, shapes, shape).map_err(|error| self.here(error))?;
        Ok(self.node(Op::Tensor(TensorOp::Product(Box::new(product))), vec![a, b], shape))
    }

    /// e^x divided by its sum along a dimension.
    ///
    /// # Errors
    /// If it is no dimension of the value.
    pub fn softmax(&mut self, x: ValueId, axis: Axis) -> Result<ValueId, GraphError> {
        let (op, shape) = (Softmax { axis }, self.shape(x));
        op.check(shape).map_err(|error| self.here(error))?;
        Ok(self.node(Op::Tensor(TensorOp::Softmax(op)), vec![x], shape))
    }

    /// The mean along a dimension.
    ///
    /// # Errors
    /// If it is no dimension of the value, or the shape is not one element for each line.
    pub fn mean_along(&mut self, x: ValueId, axis: Axis, shape: Shape) -> Result<ValueId, GraphError> {
        let op = Mean { axis };
        op.check(self.shape(x), shape).map_err(|error| self.here(error))?;
        Ok(self.node(Op::Tensor(TensorOp::Mean(op)), vec![x], shape))
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
        let shape = self.shape(x);
        norm.check(shape).map_err(|error| self.here(error))?;
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
        let shape = Embedding::shape(self.shape(x), rows, features).map_err(|error| self.here(error))?;
        self.scope(name, |b| {
            let table = b.param("weight", ParamKind::Embedding, vec![rows, features], 1, 1);
            let y = b.node(Op::Tensor(TensorOp::Embedding(Embedding { table })), vec![x], shape);
            Ok(b.module(ModuleKind::Embedding, x, y))
        })
    }
}
