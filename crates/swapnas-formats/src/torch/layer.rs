//! Modules of PyTorch that do one thing.

use swapnas_graph::tensor::{ConvTranspose, Embedding, TensorOp};
use swapnas_graph::{
    AvgPool, BatchNorm, Conv2d, Epsilon, Graph, Linear, MaxPool, Module, ModuleKind, Op, Padding, Shape,
    Window,
};

use super::TorchError;
use super::expr::{Layer, Wrap};
use super::norm::normalisation;

pub(super) fn layer(graph: &Graph, module: &Module) -> Result<Layer, TorchError> {
    let input = graph.shape(module.input);
    let output = graph.shape(module.output);
    let plain = |constructor: String| Layer { constructor, wrap: None };
    Ok(match (&graph.node(module.output).op, module.kind) {
        (Op::Conv2d(Conv2d { window, groups, bias, .. }), _) => {
            let mut args = format!("{}, {}, {}", input.channels, output.channels, pair(window.kernel));
            let wrap = placement(&mut args, window, true, false);
            if window.dilation != [1, 1] {
                args += &format!(", dilation={}", pair(window.dilation));
            }
            if *groups > 1 {
                args += &format!(", groups={groups}");
            }
            if bias.is_none() {
                args += ", bias=False";
            }
            Layer { constructor: format!("nn.Conv2d({args})"), wrap }
        }
        (Op::BatchNorm(BatchNorm { affine, epsilon }), _) => {
            let affine = if affine.is_none() { ", affine=False" } else { "" };
            let epsilon = match epsilon.number() {
                _ if *epsilon == Epsilon::default() => String::new(),
                number => format!(", eps={number}"),
            };
            plain(format!("nn.BatchNorm2d({}{epsilon}{affine})", input.channels))
        }
        (Op::MaxPool(MaxPool { window }), _) => {
            let mut args = pair(window.kernel);
            let wrap = placement(&mut args, window, false, true);
            if window.dilation != [1, 1] {
                args += &format!(", dilation={}", pair(window.dilation));
            }
            Layer { constructor: format!("nn.MaxPool2d({args})"), wrap }
        }
        (Op::AvgPool(AvgPool { window, count_padding }), _) => {
            if window.dilation != [1, 1] {
                return Err(TorchError::Dilation { module: module.name.clone(), dilation: window.dilation });
            }
            let rounded_up = if *count_padding { None } else { rounded_up(window, input, output) };
            let window = rounded_up.as_ref().unwrap_or(window);
            let mut args = pair(window.kernel);
            let wrap = placement(&mut args, window, false, false);
            if rounded_up.is_some() {
                args += ", ceil_mode=True";
            }
            if wrap.is_some() && !count_padding {
                return Err(TorchError::Padding { module: module.name.clone() });
            }
            if !count_padding && window.padding != Padding::default() {
                args += ", count_include_pad=False";
            }
            Layer { constructor: format!("nn.AvgPool2d({args})"), wrap }
        }
        (Op::Linear(Linear { bias, .. }), _) => {
            let bias = if bias.is_none() { ", bias=False" } else { "" };
            let wrap = if input.pixels() == 1 { Wrap::Flatten } else { Wrap::ChannelsLast };
            let constructor = format!("nn.Linear({}, {}{bias})", input.channels, output.channels);
            Layer { constructor, wrap: Some(wrap) }
        }
        (Op::Tensor(TensorOp::Normalise(norm)), _) => normalisation(graph, graph.node(module.output), norm),
        (Op::Tensor(TensorOp::Embedding(Embedding { table })), _) => {
            let [rows, features] = graph.param(*table).shape[..] else {
                unreachable!("a table has two sides")
            };
            Layer { constructor: format!("nn.Embedding({rows}, {features})"), wrap: Some(Wrap::Tokens) }
        }
        (Op::Tensor(TensorOp::ConvTranspose(of)), _) => transposed(of),
        (_, ModuleKind::Act(act)) => plain(act.torch()),
        (_, ModuleKind::GlobalAvgPool) => plain("nn.AdaptiveAvgPool2d(1)".to_owned()),
        (_, _) => {
            let value = module.output.index();
            return Err(TorchError::Unreachable { module: module.name.clone(), value });
        }
    })
}

/// A transposed convolution. PyTorch cuts as much away on opposite sides; what is to go besides is taken from the result.
fn transposed(of: &ConvTranspose) -> Layer {
    let Window { kernel, stride, dilation, padding } = of.window;
    let Padding { top, left, bottom, right } = padding;
    // The padding and output padding of a dimension, and what is still to be taken away at both ends.
    let side = |before: i32, after: i32, axis: usize| {
        let most = i32::try_from(stride[axis].max(dilation[axis])).unwrap_or(i32::MAX);
        let padding = if (0..most).contains(&(before - after)) { before } else { before.min(after).max(0) };
        let more = (padding - after).max(0);
        ([padding as usize, more as usize], [padding - before, padding - after - more])
    };
    let ([rows, more_rows], [top, bottom]) = side(top, bottom, 0);
    let ([columns, more_columns], [left, right]) = side(left, right, 1);
    let mut args = format!("{}, {}, {}", of.input.channels, of.output.channels, pair(kernel));
    for (name, numbers, usual) in [
        ("stride", stride, [1, 1]),
        ("padding", [rows, columns], [0, 0]),
        ("output_padding", [more_rows, more_columns], [0, 0]),
        ("groups", [of.groups; 2], [1, 1]),
        ("dilation", dilation, [1, 1]),
    ] {
        if numbers != usual {
            args += &format!(", {name}={}", pair(numbers));
        }
    }
    if of.bias.is_none() {
        args += ", bias=False";
    }
    let crop = Padding { top, left, bottom, right };
    let wrap = (crop != Padding::default()).then_some(Wrap::Crop(crop));
    Layer { constructor: format!("nn.ConvTranspose2d({args})"), wrap }
}

/// The window of equal sides that does the same in `ceil_mode`, where a last window may begin within the
/// image and end beyond it, if there is one.
fn rounded_up(window: &Window, input: Shape, output: Shape) -> Option<Window> {
    let Padding { top, left, .. } = window.padding;
    let equal = Padding { bottom: top, right: left, ..window.padding };
    let outputs = |axis: usize, size: usize, padding: i32| {
        let (kernel, stride) = (window.kernel[axis], window.stride[axis]);
        let padding = usize::try_from(padding).ok()?;
        // A window that would begin beyond the image and its padding is none.
        let count = (size + 2 * padding).checked_sub(kernel)?.div_ceil(stride) + 1;
        Some(if (count - 1) * stride >= size + padding { count - 1 } else { count })
    };
    let same = outputs(0, input.height, top) == Some(output.height)
        && outputs(1, input.width, left) == Some(output.width);
    (equal != window.padding && same).then_some(Window { padding: equal, ..*window })
}

/// Appends stride and padding; a padding that the module itself cannot have is returned. The default stride
/// is 1 for convolutions and the kernel for pools.
fn placement(args: &mut String, window: &Window, is_conv: bool, is_max: bool) -> Option<Wrap> {
    let default_stride = if is_conv { [1, 1] } else { window.kernel };
    if window.stride != default_stride {
        *args += &format!(", stride={}", pair(window.stride));
    }
    let Padding { top, left, bottom, right } = window.padding;
    let half = |axis: usize| if is_conv { i32::MAX } else { (window.kernel[axis] / 2) as i32 };
    let even = top == bottom && left == right;
    if !even || !(0..=half(0)).contains(&top) || !(0..=half(1)).contains(&left) {
        return Some(Wrap::Pad { padding: window.padding, with_minimum: is_max });
    }
    if (top, left) != (0, 0) {
        *args += &format!(", padding={}", pair([top as usize, left as usize]));
    }
    None
}

/// One number for two equal ones, as PyTorch takes it.
fn pair([rows, columns]: [usize; 2]) -> String {
    if rows == columns { rows.to_string() } else { format!("({rows}, {columns})") }
}
