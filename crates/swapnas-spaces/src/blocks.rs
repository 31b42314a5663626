//! Building blocks that several spaces share, named inside as their PyTorch modules are.

use std::fmt::Display;

use swapnas_graph::tensor::Real;
use swapnas_graph::{Conv, GraphBuilder, GraphError, Padding, Strided, ValueId, Window};

/// The result of building something.
pub(crate) type Built = Result<ValueId, GraphError>;

/// A view of sizes that are limited, see `NetworkConfig::check`.
pub(crate) fn strided(dims: &[(usize, usize)], offset: usize) -> Strided {
    Strided::new(dims, offset).expect("far fewer elements than can be counted")
}

/// A number that is finite, as all are that no user gives.
pub(crate) fn real(number: f64) -> Real {
    Real::new(number).expect("a finite number")
}

/// A module `name` made of others, of which the last to run is that of `build`.
pub(crate) fn module(
    b: &mut GraphBuilder,
    name: impl Display,
    x: ValueId,
    build: impl FnOnce(&mut GraphBuilder) -> Built,
) -> Built {
    b.scope(name, |b| {
        let y = build(b)?;
        b.container(x, y);
        Ok(y)
    })
}

/// A convolution and BatchNorm, under the two names.
pub(crate) fn conv_bn(b: &mut GraphBuilder, names: [&str; 2], x: ValueId, conv: Conv) -> Built {
    let y = b.conv2d(names[0], x, conv)?;
    b.batch_norm(names[1], y, true)
}

/// A convolution, BatchNorm and ReLU, under the three names.
pub(crate) fn conv_bn_relu(b: &mut GraphBuilder, names: [&str; 3], x: ValueId, conv: Conv) -> Built {
    let [conv_name, norm, relu] = names;
    let y = conv_bn(b, [conv_name, norm], x, conv)?;
    b.relu(relu, y)
}

/// Module `name`: ReLU `0`, a convolution `1`, BatchNorm `2`.
pub(crate) fn relu_conv_bn(b: &mut GraphBuilder, name: &str, x: ValueId, conv: Conv, affine: bool) -> Built {
    module(b, name, x, |b| {
        let y = b.relu("0", x)?;
        let y = b.conv2d("1", y, conv)?;
        b.batch_norm("2", y, affine)
    })
}

/// Halves the image without losing half of the pixels: ReLU `relu`, then two 1x1 convolutions of
/// stride 2, `convs.0` on the even pixels and `convs.1` on the odd ones, joined, and BatchNorm `bn`.
///
/// The padding of the second one cuts the first row and column away and adds zeros at the other
/// end, which are reached on odd sizes only.
pub(crate) fn factorized_reduce(b: &mut GraphBuilder, x: ValueId, out: usize, affine: bool) -> Built {
    let even = Window::square(1).stride(2);
    let odd = even.padding(Padding { top: -1, left: -1, bottom: 1, right: 1 });
    let x = b.relu("relu", x)?;
    let half = out / 2;
    let y = b.conv2d("convs.0", x, Conv::new(half, even))?;
    let z = b.conv2d("convs.1", x, Conv::new(out - half, odd))?;
    let y = b.concat(&[y, z])?;
    b.batch_norm("bn", y, affine)
}
