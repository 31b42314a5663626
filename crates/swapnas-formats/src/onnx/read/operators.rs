//! Which operator is read where.

use swapnas_graph::tensor::Function;
use swapnas_graph::{Activation, plain};

use super::attributes::Call;
use super::constant::Number;
use super::error::{Problem, hint};
use super::functions::linear;
use super::is_onnx;
use super::reader::Reader;
use super::table::Numbers;
use super::value::Value;
use crate::onnx::proto::Node;

/// The operators that are read, but for those that are activations.
#[rustfmt::skip] // few lines
const OPERATORS: [&str; 94] = [
    "LayerNormalization", "RMSNormalization", "InstanceNormalization", "GroupNormalization", "Einsum", "Tile",
    "ReduceSum", "ReduceL2", "ReduceSumSquare", "Sqrt", "Pow", "Exp", "Log", "Tanh", "Reciprocal", "Neg",
    "PRelu", "Elu", "Selu", "Celu", "Mish", "Softplus",
    "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Mod", "Not", "Where", "ScatterND", "OneHot", "GatherElements", "IsNaN", "Trilu", "ReduceMax", "ReduceMin", "ScatterElements", "GatherND", "Range",
    "ReduceProd", "Sign", "Abs", "Sin", "Cos", "CumSum", "Resize",
    "Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "Relu", "Clip", "Max",
    "Min", "Gelu", "Erf",
    "Add", "Sum", "Sub", "Mul", "Div", "Ceil", "Floor",
    "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "Pad", "Concat",
    "Split", "SplitToSequence", "SequenceAt", "Slice", "Flatten", "Reshape", "Squeeze",
    "Unsqueeze", "Transpose", "Identity", "Dropout", "Softmax", "LogSoftmax", "Cast",
    "CastLike", "Constant", "ConstantOfShape", "Expand", "Shape", "Gather",
];

/// Whether the operator of a node is one of those that are read.
pub(super) fn check(node: &Node) -> Result<(), Problem> {
    if !is_onnx(&node.domain) {
        return Err(Problem::Domain(plain(&node.domain).to_string()));
    }
    let operator = node.op_type.as_str();
    if OPERATORS.contains(&operator) || Activation::of_onnx(operator, &mut |_, usual| usual).is_some() {
        Ok(())
    } else {
        Err(Problem::Operator(hint(&node.op_type)))
    }
}

impl<'m> Reader<'m> {
    pub(super) fn node(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match call.node.op_type.as_str() {
            "Conv" => self.conv(call),
            "ConvTranspose" => self.conv_transpose(call),
            "Gemm" => self.gemm(call),
            "MatMul" => self.matmul(call),
            "Einsum" => self.einsum(call),
            "BatchNormalization" => self.batch_norm(call),
            "LayerNormalization" => self.layer_norm(call, true),
            "RMSNormalization" => self.layer_norm(call, false),
            "InstanceNormalization" => self.group_norm(call, true),
            "GroupNormalization" => self.group_norm(call, false),

            "Relu" => self.relu(call),
            "Clip" => self.clip(call),
            "Max" => self.bounded(call, true),
            "Min" => self.bounded(call, false),
            "Gelu" => self.gelu(call),
            "Erf" => self.erf(call),
            "PRelu" => self.prelu(call),
            "Elu" => {
                let alpha = call.float("alpha")?.unwrap_or(1.0);
                self.elu(call, alpha, 1.0, 1.0)
            }
            "Celu" => {
                let alpha = call.float("alpha")?.unwrap_or(1.0);
                self.elu(call, alpha, alpha, 1.0)
            }
            "Selu" => {
                let alpha = call.float("alpha")?.unwrap_or(1.673_263_242_354_377);
                let gamma = call.float("gamma")?.unwrap_or(1.050_700_987_355_48);
                self.elu(call, alpha, 1.0, gamma)
            }
            "Mish" => self.mish(call),
            "Softplus" => {
                let of = self.image(call.need(0)?)?;
                let image = self.softplus(of)?;
                self.set(call, Value::Built(image))
            }

            "Add" => self.add(call),
            "Sum" => self.sum(call),
            "Sub" => self.sub(call),
            "Mul" => self.mul(call),
            "Div" => self.div(call),
            "Sqrt" => self.function(call, Function::Sqrt, f64::sqrt),
            "Exp" => self.function(call, Function::Exp, f64::exp),
            "Log" => self.function(call, Function::Ln, f64::ln),
            "Sin" => self.function(call, Function::Sin, f64::sin),
            "Cos" => self.function(call, Function::Cos, f64::cos),
            "Tanh" => self.tanh(call),
            "Reciprocal" => self.function(call, Function::Reciprocal, f64::recip),
            "Neg" => {
                let minus = linear(-1.0, 0.0)?;
                self.function(call, minus, |x| -x)
            }
            "Pow" => self.power(call),
            operator @ ("Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or"
            | "Mod") => self.compare(call, operator),
            "Not" => self.not(call),
            "Sign" => self.each(call, i64::signum, |x| if x == 0.0 { 0.0 } else { x.signum() }),
            "Abs" => self.each(call, i64::wrapping_abs, f32::abs),
            "Where" => self.choose(call),
            "ScatterND" => self.scatter(call),
            "ScatterElements" => self.scatter_along(call),
            "Trilu" => self.triangle(call),
            "GatherElements" => self.gather_along(call),
            // Networks whose values are no numbers are errors of the run.
            "IsNaN" => {
                self.set(call, Value::Numbers(Numbers { items: vec![Number::plain(0)], dims: Vec::new() }))
            }
            "OneHot" => self.one_hot(call),
            "GatherND" => self.gather_by_tuples(call),
            "Range" => self.range(call),
            "ReduceProd" => self.product_of_list(call),
            "Ceil" => self.round(call, f64::ceil),
            "Floor" => self.round(call, f64::floor),

            "MaxPool" => self.max_pool(call),
            "AveragePool" => self.average_pool(call),
            "GlobalAveragePool" => self.global_average_pool(call),
            "GlobalMaxPool" => self.global_max_pool(call),
            "ReduceMean" => self.reduce_mean(call),
            "ReduceMax" => self.extreme(call, true),
            "ReduceMin" => self.extreme(call, false),
            "ReduceSum" => self.reduce(call, None, false, None),
            "ReduceSumSquare" => self.reduce(call, Some(Function::Power(2)), false, None),
            "ReduceL2" => self.reduce(call, Some(Function::Power(2)), false, Some(Function::Sqrt)),
            "Pad" => self.pad(call),
            "Resize" => self.resize(call),
            "CumSum" => self.cumulative_sum(call),

            "Concat" => self.concat(call),
            "Split" => self.split(call),
            "SplitToSequence" => self.split_to_sequence(call),
            "SequenceAt" => self.sequence_at(call),
            "Slice" => self.slice(call),
            "Flatten" => self.flatten(call),
            "Reshape" => self.reshape(call),
            "Squeeze" => self.squeeze(call),
            "Unsqueeze" => self.unsqueeze(call),
            "Transpose" => self.transpose(call),

            "Identity" | "Dropout" => self.alias(call, call.need(0)?),
            "Softmax" => self.softmax(call, false),
            "LogSoftmax" => self.softmax(call, true),
            "Cast" | "CastLike" => self.cast(call),
            "Constant" => self.constant_node(call),
            "ConstantOfShape" => self.constant_of_shape(call),
            "Expand" => self.expand(call),
            "Tile" => self.tile(call),
            "Shape" => self.shape_node(call),
            "Gather" => self.gather(call),
            _ => self.activation(call),
        }
    }
}
