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

/// How a node is read.
type Read<'m> = fn(&mut Reader<'m>, Call<'m>) -> Result<(), Problem>;

/// Whether the operator of a node is one of those that are read.
pub(super) fn check(node: &Node) -> Result<(), Problem> {
    if !is_onnx(&node.domain) {
        return Err(Problem::Domain(plain(&node.domain).to_string()));
    }
    let operator = node.op_type.as_str();
    let is_activation = || Activation::of_onnx(operator, &mut |_, usual| usual).is_some();
    if read_by(operator).is_some() || is_activation() {
        Ok(())
    } else {
        Err(Problem::Operator(hint(&node.op_type)))
    }
}

impl<'m> Reader<'m> {
    pub(super) fn node(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match read_by(&call.node.op_type) {
            Some(read) => read(self, call),
            None => self.activation(call),
        }
    }
}

/// How an operator is read, unless it is an activation.
fn read_by<'m>(operator: &str) -> Option<Read<'m>> {
    let read: Read<'m> = match operator {
        "Conv" => Reader::conv,
        "ConvTranspose" => Reader::conv_transpose,
        "Gemm" => Reader::gemm,
        "MatMul" => Reader::matmul,
        "Einsum" => Reader::einsum,
        "BatchNormalization" => Reader::batch_norm,
        "LayerNormalization" => |reader, call| reader.layer_norm(call, true),
        "RMSNormalization" => |reader, call| reader.layer_norm(call, false),
        "InstanceNormalization" => |reader, call| reader.group_norm(call, true),
        "GroupNormalization" => |reader, call| reader.group_norm(call, false),

        "Relu" => Reader::relu,
        "Clip" => Reader::clip,
        "Max" => |reader, call| reader.bounded(call, true),
        "Min" => |reader, call| reader.bounded(call, false),
        "Gelu" => Reader::gelu,
        "Erf" => Reader::erf,
        "PRelu" => Reader::prelu,
        "Elu" => |reader, call| {
            let alpha = call.float("alpha")?.unwrap_or(1.0);
            reader.elu(call, alpha, 1.0, 1.0)
        },
        "Celu" => |reader, call| {
            let alpha = call.float("alpha")?.unwrap_or(1.0);
            reader.elu(call, alpha, alpha, 1.0)
        },
        "Selu" => |reader, call| {
            let alpha = call.float("alpha")?.unwrap_or(1.673_263_242_354_377);
            let gamma = call.float("gamma")?.unwrap_or(1.050_700_987_355_48);
            reader.elu(call, alpha, 1.0, gamma)
        },
        "Mish" => Reader::mish,
        "Softplus" => |reader, call| {
            let of = reader.image(call.need(0)?)?;
            let image = reader.softplus(of)?;
            reader.set(call, Value::Built(image))
        },

        "Add" => Reader::add,
        "Sum" => Reader::sum,
        "Sub" => Reader::sub,
        "Mul" => Reader::mul,
        "Div" => Reader::div,
        "Sqrt" => |reader, call| reader.function(call, Function::Sqrt, f64::sqrt),
        "Exp" => |reader, call| reader.function(call, Function::Exp, f64::exp),
        "Log" => |reader, call| reader.function(call, Function::Ln, f64::ln),
        "Sin" => |reader, call| reader.function(call, Function::Sin, f64::sin),
        "Cos" => |reader, call| reader.function(call, Function::Cos, f64::cos),
        "Tanh" => Reader::tanh,
        "Reciprocal" => |reader, call| reader.function(call, Function::Reciprocal, f64::recip),
        "Neg" => |reader, call| {
            let minus = linear(-1.0, 0.0)?;
            reader.function(call, minus, |x| -x)
        },
        "Pow" => Reader::power,
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "Mod" => {
            |reader, call| reader.compare(call, &call.node.op_type)
        }
        "Not" => Reader::not,
        "Sign" => |reader, call| reader.each(call, i64::signum, |x| if x == 0.0 { 0.0 } else { x.signum() }),
        "Abs" => |reader, call| reader.each(call, i64::wrapping_abs, f32::abs),
        "Where" => Reader::choose,
        "ScatterND" => Reader::scatter,
        "ScatterElements" => Reader::scatter_along,
        "Trilu" => Reader::triangle,
        "GatherElements" => Reader::gather_along,
        // Networks whose values are no numbers are errors of the run.
        "IsNaN" => |reader, call| {
            reader.set(call, Value::Numbers(Numbers { items: vec![Number::plain(0)], dims: Vec::new() }))
        },
        "OneHot" => Reader::one_hot,
        "GatherND" => Reader::gather_by_tuples,
        "Range" => Reader::range,
        "ReduceProd" => Reader::product_of_list,
        "Ceil" => |reader, call| reader.round(call, f64::ceil),
        "Floor" => |reader, call| reader.round(call, f64::floor),

        "MaxPool" => Reader::max_pool,
        "AveragePool" => Reader::average_pool,
        "GlobalAveragePool" => Reader::global_average_pool,
        "GlobalMaxPool" => Reader::global_max_pool,
        "ReduceMean" => Reader::reduce_mean,
        "ReduceMax" => |reader, call| reader.extreme(call, true),
        "ReduceMin" => |reader, call| reader.extreme(call, false),
        "ReduceSum" => |reader, call| reader.reduce(call, None, false, None),
        "ReduceSumSquare" => |reader, call| reader.reduce(call, Some(Function::Power(2)), false, None),
        "ReduceL2" => {
            |reader, call| reader.reduce(call, Some(Function::Power(2)), false, Some(Function::Sqrt))
        }
        "Pad" => Reader::pad,
        "Resize" => Reader::resize,
        "CumSum" => Reader::cumulative_sum,

        "Concat" => Reader::concat,
        "Split" => Reader::split,
        "SplitToSequence" => Reader::split_to_sequence,
        "SequenceAt" => Reader::sequence_at,
        "Slice" => Reader::slice,
        "Flatten" => Reader::flatten,
        "Reshape" => Reader::reshape,
        "Squeeze" => Reader::squeeze,
        "Unsqueeze" => Reader::unsqueeze,
        "Transpose" => Reader::transpose,

        "Identity" | "Dropout" => |reader, call| reader.alias(call, call.need(0)?),
        "Softmax" => |reader, call| reader.softmax(call, false),
        "LogSoftmax" => |reader, call| reader.softmax(call, true),
        "Cast" | "CastLike" => Reader::cast,
        "Constant" => Reader::constant_node,
        "ConstantOfShape" => Reader::constant_of_shape,
        "Expand" => Reader::expand,
        "Tile" => Reader::tile,
        "Shape" => Reader::shape_node,
        "Gather" => Reader::gather,
        _ => return None,
    };
    Some(read)
}
