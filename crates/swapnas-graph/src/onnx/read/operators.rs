//! Which operator is read where.

use super::attributes::Call;
use super::error::{Problem, hint};
use super::is_onnx;
use super::reader::Reader;
use super::value::Part;
use crate::onnx::proto::Node;
use crate::{Activation, plain};

/// All operators that are read.
#[rustfmt::skip] // few lines
const OPERATORS: [&str; 48] = [
    "Conv", "Gemm", "MatMul", "BatchNormalization", "Relu", "Clip", "Max",
    "Min", "Sigmoid", "HardSigmoid", "HardSwish", "Swish", "Gelu", "Erf",
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
    if OPERATORS.contains(&node.op_type.as_str()) {
        Ok(())
    } else {
        Err(Problem::Operator(hint(&node.op_type)))
    }
}

impl<'m> Reader<'m> {
    pub(super) fn node(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match call.node.op_type.as_str() {
            "Conv" => self.conv(call),
            "Gemm" => self.gemm(call),
            "MatMul" => self.matmul(call),
            "BatchNormalization" => self.batch_norm(call),

            "Relu" => self.relu(call),
            "Clip" => self.clip(call),
            "Max" => self.bounded(call, true),
            "Min" => self.bounded(call, false),
            "Sigmoid" => self.activation(call, Part::Act(Activation::Sigmoid)),
            "HardSigmoid" => self.hard_sigmoid(call),
            "HardSwish" => self.activation(call, Part::Act(Activation::HardSwish)),
            "Swish" => self.swish(call),
            "Gelu" => self.gelu(call),
            "Erf" => self.erf(call),

            "Add" => self.add(call),
            "Sum" => self.sum(call),
            "Sub" => self.sub(call),
            "Mul" => self.mul(call),
            "Div" => self.div(call),
            "Ceil" => self.round(call, f64::ceil),
            "Floor" => self.round(call, f64::floor),

            "MaxPool" => self.max_pool(call),
            "AveragePool" => self.average_pool(call),
            "GlobalAveragePool" => self.global_average_pool(call),
            "GlobalMaxPool" => self.global_max_pool(call),
            "ReduceMean" => self.reduce_mean(call),
            "Pad" => self.pad(call),

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
            "Softmax" | "LogSoftmax" => self.softmax(call),
            "Cast" | "CastLike" => self.cast(call),
            "Constant" => self.constant_node(call),
            "ConstantOfShape" => self.constant_of_shape(call),
            "Expand" => self.expand(call),
            "Shape" => self.shape_node(call),
            "Gather" => self.gather(call),
            other => Err(Problem::Operator(hint(other))),
        }
    }
}
