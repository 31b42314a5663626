//! Batch normalisation: statistics, and how gradients and tangents pass through them.
//!
//! With mean m, r = 1 / sqrt(variance + eps), x' = r (x - m) and weight w, the result is w x' + bias.
//! Everything below is a linear combination of images with one factor per channel, made of a few
//! means over the channel:
//!
//! - gradient: w r (g - mean(g) - x' mean(g x'));
//! - tangent: w r (t - mean(t) - x' mean(t x')), plus what the tangents of w and bias add;
//! - tangent of the gradient: the derivative of the first, where r has the tangent
//!   -r^2 mean(t x') and x' has r (t - mean(t) - x' mean(t x')).

mod cells;
mod dropped;
mod gradient;
mod running;
mod tangent;

use swapnas_lanes::kernels::chain::{Argument, Scaling};
use swapnas_lanes::kernels::moments::{self, Moments};
use swapnas_lanes::kernels::sums;
use swapnas_lanes::{Element, Lane, Planes, SAMPLES};

pub use dropped::DroppedPaths;
pub(super) use gradient::NormGradient;
pub use running::{ChannelStatistics, RunningStatistics};
pub(super) use tangent::NormTangent;

use super::frame::Frame;
use super::jobs::{self, Scratch};
use crate::{ParamId, Shape, division, magnitude};
use cells::Cells;

/// Over which samples a batch normalisation takes mean and variance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatisticsOver {
    /// Over the batch, as in training. The gradient flows through them, from every sample to every
    /// other.
    #[default]
    Batch,
    /// Over the pixels of each sample by itself: as if every sample were a batch of its own.
    Sample,
    /// Normalisations change nothing; neither their statistics nor their parameters are used.
    None,
}

/// What normalisations do in a pass.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Norms<'a> {
    /// They take statistics.
    Taken(StatisticsOver),
    /// They take them over the batch, and results of some are left out for some samples.
    Dropping(&'a DroppedPaths),
    /// They use those of earlier batches.
    Running(&'a RunningStatistics),
}

impl Norms<'_> {
    /// What statistics are taken over. Running ones are those of a batch, of an earlier one.
    pub(super) fn statistics(self) -> StatisticsOver {
        match self {
            Norms::Taken(statistics) => statistics,
            Norms::Dropping(_) | Norms::Running(_) => StatisticsOver::Batch,
        }
    }

    /// Whether mean and variance of what the batch holds are needed.
    pub(super) fn read_batch(self) -> bool {
        matches!(self, Norms::Taken(StatisticsOver::Batch) | Norms::Dropping(_))
    }
}

/// Lanes that a band of a sum goes over.
const BAND_LANES: usize = 8192;

/// A normalisation with its statistics taken.
pub(super) struct Normalised<E> {
    pub cells: Cells,
    /// 1 / sqrt(variance + eps) of every cell.
    inverse: Vec<f64>,
    mean: Vec<f64>,
    /// Of every channel; ones without.
    weight: Vec<f64>,
    /// What the result is made with, `[block][channel]`.
    pub scale: Vec<Lane<E>>,
    pub shift: Vec<Lane<E>>,
    /// The same with a weight of 1 and no bias.
    plain_scale: Vec<Lane<E>>,
    plain_shift: Vec<Lane<E>>,
    /// Of every channel over the batch, where they were taken.
    pub moments: Vec<Moments>,
    /// What the result of each sample is multiplied with, `[block]`; empty if no path is dropped.
    factors: Vec<Lane<E>>,
    /// No number of the result exceeds it; infinite if they might not be finite.
    pub bound: f64,
}

impl<E: Element> Normalised<E> {
    /// Takes the statistics; `known` are moments of the slot, if they were taken when it was written. No number
    /// of the slot exceeds `bound`.
    ///
    /// # Panics
    /// If running statistics are those of another graph.
    pub(super) fn new(
        frame: &Frame<'_, E>,
        norm: usize,
        norms: Norms<'_>,
        known: Option<Vec<Moments>>,
        bound: f64,
        scratch: &mut Scratch<E>,
    ) -> Self {
        let norm = frame.plan.norms[norm];
        let shape = frame.shape(norm.slot);
        let statistics = norms.statistics();
        let cells = Cells::new(frame, statistics, shape);
        let mut moments = Vec::new();
        let inverse_of = |variance: f64| 1.0 / (variance + norm.epsilon.number()).sqrt();
        let (mean, inverse): (Vec<f64>, Vec<f64>) = match (norms, statistics) {
            (Norms::Running(running), _) => {
                let running = running.get(norm.value).expect("statistics of this graph");
                let inverse = running.variance.iter().copied().map(inverse_of).collect();
                (running.mean.clone(), inverse)
            }
            (_, StatisticsOver::Batch) => {
                moments = known.unwrap_or_else(|| slot_moments(frame, norm.slot, scratch));
                let inverse = moments.iter().map(|m| inverse_of(m.variance())).collect();
                (moments.iter().map(|m| m.mean).collect(), inverse)
            }
            (_, StatisticsOver::Sample) => {
                let (mean, variance) = sample_moments(frame, norm.slot, &cells, scratch);
                (mean, variance.into_iter().map(inverse_of).collect())
            }
            (_, StatisticsOver::None) => (vec![0.0; shape.channels], vec![1.0; shape.channels]),
        };
        let params = norm.params.filter(|_| statistics != StatisticsOver::None);
        let read = |id: ParamId| frame.weights.get(id).iter().map(|x| x.to_f64()).collect();
        let (weight, bias): (Vec<f64>, Vec<f64>) = match params {
            Some((weight, bias)) => (read(weight), read(bias)),
            None => (vec![1.0; shape.channels], vec![0.0; shape.channels]),
        };
        let factors = match norms {
            Norms::Dropping(dropped) => dropped.factors(norm.value, frame.batch.samples()),
            _ => Vec::new(),
        };
        let largest_factor = magnitude::of_lanes(&factors, SAMPLES).max(1.0);
        let bounds = (0..cells.count()).map(|cell| {
            let channel = cell % shape.channels;
            let scale = inverse[cell] * weight[channel];
            let largest = moments.get(channel).map_or(bound, |moments| moments.largest);
            // Where the variance overflows, nothing would be left of the numbers.
            if inverse[cell] > 0.0 {
                magnitude::scaled::<E>(scale, bias[channel] - mean[cell] * scale, largest)
            } else {
                f64::INFINITY
            }
        });
        let bound = match statistics {
            StatisticsOver::None => bound,
            StatisticsOver::Batch | StatisticsOver::Sample => {
                bounds.fold(0.0, magnitude::larger) * largest_factor
            }
        };
        let scale = cells.spread(|cell, channel| inverse[cell] * weight[channel]);
        let shift =
            cells.spread(|cell, channel| -mean[cell] * inverse[cell] * weight[channel] + bias[channel]);
        Normalised {
            bound,
            scale: dropped::times(scale, &factors),
            shift: dropped::times(shift, &factors),
            plain_scale: cells.spread(|cell, _| inverse[cell]),
            plain_shift: cells.spread(|cell, _| -mean[cell] * inverse[cell]),
            cells,
            inverse,
            mean,
            weight,
            moments,
            factors,
        }
    }

    /// Whether values and gradients pass as they are, whatever the parameters.
    pub(super) fn changes_nothing(&self) -> bool {
        self.cells.statistics == StatisticsOver::None
    }

    /// x', as far as its sums are concerned.
    fn plain<'a>(&'a self, planes: Planes<'a, Lane<E>>, block: usize) -> Argument<'a, E> {
        let channels = self.cells.channels;
        let scaling = Scaling {
            scale: &self.plain_scale[block * channels..][..channels],
            shift: &self.plain_shift[block * channels..][..channels],
        };
        Argument { planes, scaling: Some(scaling) }
    }
}

/// Mean and variance of the channels of a slot over the batch.
fn slot_moments<E: Element>(frame: &Frame<'_, E>, slot: usize, scratch: &mut Scratch<E>) -> Vec<Moments> {
    let Shape { channels, height, width } = frame.shape(slot);
    let bands = division::bands(height, 1, channels * width, BAND_LANES);
    let mut jobs = Vec::new();
    for block in 0..frame.blocks() {
        jobs.extend(bands.iter().map(|band| (block, band.clone())));
    }
    let mut total = vec![Moments::default(); channels];
    let take = |(block, band), _: &mut Scratch<E>| {
        let mut moments = vec![Moments::default(); channels];
        let samples = frame.batch.samples_in(block);
        moments::accumulate(frame.level, frame.planes(slot, block), band, width, samples, &mut moments);
        moments
    };
    jobs::run(frame.parallel, jobs, scratch, take, |_, moments| join(&mut total, &moments));
    total
}

/// Joins the moments of further numbers, channel by channel.
pub(super) fn join(total: &mut [Moments], moments: &[Moments]) {
    for (total, moments) in total.iter_mut().zip(moments) {
        *total = total.join(*moments);
    }
}

/// Mean and variance of the channels of a slot for every sample.
fn sample_moments<E: Element>(
    frame: &Frame<'_, E>,
    slot: usize,
    cells: &Cells,
    scratch: &mut Scratch<E>,
) -> (Vec<f64>, Vec<f64>) {
    let planes = |block| Argument { planes: frame.planes(slot, block), scaling: None };
    let (sums, _) = products(frame, cells, scratch, |block| frame.planes(slot, block), planes);
    let mean = cells.means(&sums);
    // The sums of x (x - m) are those of (x - m)^2.
    let one = cells.spread(|_, _| 1.0);
    let minus: Vec<Lane<E>> = cells.spread(|cell, _| -mean[cell]);
    let centred = |block| {
        let scaling = Scaling {
            scale: &one[block * cells.channels..][..cells.channels],
            shift: &minus[block * cells.channels..][..cells.channels],
        };
        Argument { planes: frame.planes(slot, block), scaling: Some(scaling) }
    };
    let (_, squares) = products(frame, cells, scratch, |block| frame.planes(slot, block), centred);
    let variance = cells.means(&squares).into_iter().map(|v| v.max(0.0)).collect();
    (mean, variance)
}

/// Sums over the pixels of x and of x times something else, `[block][channel]`.
fn products<'a, E: Element>(
    frame: &Frame<'_, E>,
    cells: &Cells,
    scratch: &mut Scratch<E>,
    x: impl Fn(usize) -> Planes<'a, Lane<E>> + Sync,
    by: impl Fn(usize) -> Argument<'a, E> + Sync,
) -> (Vec<Lane<E>>, Vec<Lane<E>>) {
    let (mut sums, mut products) = (Vec::new(), Vec::new());
    let take = |block, _: &mut Scratch<E>| {
        let x = x(block);
        let layout = *x.layout();
        let mut sums = vec![Lane::ZERO; cells.channels];
        let mut products = sums.clone();
        let (rows, width) = (0..layout.rows, layout.columns);
        sums::sums_and_products(frame.level, x, &by(block), rows, width, &mut sums, &mut products);
        (sums, products)
    };
    jobs::run(frame.parallel, (0..frame.blocks()).collect(), scratch, take, |_, (sum, product)| {
        sums.extend(sum);
        products.extend(product);
    });
    (sums, products)
}
