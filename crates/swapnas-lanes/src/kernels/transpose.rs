//! The transpose of a convolution as convolutions: how gradients go back through a window.
//!
//! An input pixel gets a gradient from every output whose window it lies under. With stride s, the
//! pixels of one *phase*, those of the same remainder modulo s, lie under the same taps, and their
//! gradient is a convolution of stride 1 of the outputs' gradients with these taps, last one first.
//! With stride 1 there is one phase and all taps take part.

use super::window::Window;

/// The pixels `first`, `first + stride`, ... along each axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// First row and column.
    pub first: [usize; 2],
    /// From one row and column to the next: the stride of the window.
    pub stride: [usize; 2],
    /// Rows and columns that there are.
    pub size: [usize; 2],
    /// How the pixels' gradients are made of the outputs' gradients; `None` if no window ever looks
    /// at these pixels.
    pub window: Option<Window>,
    /// Rows and columns of the original kernel, in the order of this window's taps.
    pub taps: [Vec<usize>; 2],
}

/// The phases of an input of `size` (rows, columns) under `window`.
pub fn phases(window: &Window, size: [usize; 2]) -> Vec<Phase> {
    let mut phases = Vec::new();
    for row in axis(window, 0, size[0]) {
        for column in axis(window, 1, size[1]) {
            let reads = (row.taps.len() * column.taps.len() > 0).then_some(Window {
                kernel: [row.taps.len(), column.taps.len()],
                stride: [1, 1],
                dilation: [row.dilation, column.dilation],
                origin: [row.origin, column.origin],
            });
            phases.push(Phase {
                first: [row.first, column.first],
                stride: window.stride,
                size: [row.size, column.size],
                window: reads,
                taps: [row.taps.clone(), column.taps.clone()],
            });
        }
    }
    phases
}

/// One axis of a phase.
struct Axis {
    first: usize,
    size: usize,
    dilation: usize,
    origin: isize,
    taps: Vec<usize>,
}

fn axis(window: &Window, axis: usize, size: usize) -> Vec<Axis> {
    let (stride, dilation) = (window.stride[axis] as isize, window.dilation[axis] as isize);
    let phases = window.stride[axis].min(size);
    let phase = |first: usize| {
        // Output o reads pixel o * stride + origin + tap * dilation; pixel first + q * stride is read
        // by output q + step(tap), if that is a whole number.
        let distance = |tap: usize| first as isize - window.origin[axis] - tap as isize * dilation;
        let taps: Vec<usize> =
            (0..window.kernel[axis]).rev().filter(|tap| distance(*tap) % stride == 0).collect();
        let step = |tap: &usize| distance(*tap) / stride;
        Axis {
            first,
            size: (size - first).div_ceil(window.stride[axis]),
            dilation: match taps[..] {
                [a, b, ..] => (step(&b) - step(&a)) as usize,
                _ => 1,
            },
            origin: taps.first().map_or(0, step),
            taps,
        }
    };
    (0..phases).map(phase).collect()
}

/// The weights `[out, in / groups, taps]` of a convolution as the phase's convolution needs them,
/// `[in, out / groups, taps]`, appended to `transposed`.
pub fn transpose_weights<E: Copy>(
    weights: &[E],
    groups: usize,
    inputs: usize,
    kernel: [usize; 2],
    phase: &Phase,
    transposed: &mut Vec<E>,
) {
    let taps = kernel[0] * kernel[1];
    let outputs = weights.len() / (groups * inputs * taps);
    for group in weights.chunks_exact(outputs * inputs * taps) {
        for input in 0..inputs {
            for output in 0..outputs {
                let kernel_of = &group[(output * inputs + input) * taps..][..taps];
                for row in &phase.taps[0] {
                    transposed.extend(phase.taps[1].iter().map(|column| kernel_of[row * kernel[1] + column]));
                }
            }
        }
    }
}
