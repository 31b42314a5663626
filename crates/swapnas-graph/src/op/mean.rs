use swapnas_lanes::kernels::mean;
use swapnas_lanes::{Element, Lane, Level, Planes, PlanesMut};

use super::{Lowered, Operator, Sizes, Work};
use crate::flops::Flops;
use crate::magnitude::Magnitude;
use crate::{Shape, ValueId};

/// Mean over all pixels of a channel.
pub(crate) struct GlobalAvgPool;

impl GlobalAvgPool {
    /// The shape of what it makes of an image.
    pub(crate) fn shape(input: Shape) -> Shape {
        Shape::new(input.channels, 1, 1)
    }

    pub(super) fn magnitude(input: f64, image: Shape) -> Magnitude {
        Magnitude { result: input, within: input * image.pixels().max(1) as f64 }
    }

    /// Writes the means, or their tangents; `means` is room for one lane per channel.
    pub(crate) fn forward<E: Element>(
        level: Level,
        pixels: Planes<'_, Lane<E>>,
        image: Shape,
        means: &mut [Lane<E>],
        mut out: PlanesMut<'_, Lane<E>>,
    ) {
        mean::mean(level, pixels, image.height, image.width, means);
        for (channel, mean) in means.iter().enumerate() {
            out.row(channel, 0, 0..1)[0] = *mean;
        }
    }

    /// Writes the gradient of the image.
    pub(crate) fn backward<E: Element>(
        gradient: Planes<'_, Lane<E>>,
        image: Shape,
        mut out: PlanesMut<'_, Lane<E>>,
    ) {
        let share = E::from_f64(1.0 / image.pixels() as f64);
        for channel in 0..image.channels {
            let share = Lane(gradient.row(channel, 0, 0..1)[0].0.map(|x| x * share));
            for row in 0..image.height as isize {
                out.row(channel, row, 0..image.width as isize).fill(share);
            }
        }
    }
}

impl Operator for GlobalAvgPool {
    fn name(&self) -> &'static str {
        "global average pool"
    }

    fn flops(&self, sizes: &Sizes<'_>) -> Flops {
        let Shape { channels, height, width } = sizes.input;
        Flops { global_avg_pool: (channels * (height + 1) * (width + 1)) as u64, ..Flops::default() }
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Compute(Work::Mean)
    }
}
