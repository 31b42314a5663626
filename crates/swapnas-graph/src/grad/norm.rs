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

use swapnas_lanes::kernels::chain::{Argument, Scaling};
use swapnas_lanes::kernels::moments::{self, Moments};
use swapnas_lanes::kernels::sums;
use swapnas_lanes::{Element, Lane, Layout, Planes, SAMPLES};

use super::frame::{Frame, Tangents};
use super::jobs::{self, Scratch};
use crate::exec::EPSILON;
use crate::{ParamId, Shape};

/// Over which samples a batch normalisation takes mean and variance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statistics {
    /// Over the batch, as in training. The gradient flows through them, from every sample to every
    /// other.
    #[default]
    Batch,
    /// Over the pixels of each sample by itself: as if every sample were a batch of its own.
    Sample,
    /// Normalisations change nothing; neither their statistics nor their parameters are used.
    None,
}

/// Lanes that a band of a sum goes over.
const BAND_LANES: usize = 8192;

/// Means over the channels of a slot: of all samples, or of each.
#[derive(Clone, Copy)]
pub(super) struct Cells {
    statistics: Statistics,
    channels: usize,
    samples: usize,
    pixels: usize,
}

impl Cells {
    fn new<E: Element>(frame: &Frame<'_, E>, statistics: Statistics, shape: Shape) -> Self {
        Cells { statistics, channels: shape.channels, samples: frame.batch.samples(), pixels: shape.pixels() }
    }

    fn count(&self) -> usize {
        if self.statistics == Statistics::Sample { self.samples * self.channels } else { self.channels }
    }

    fn cell(&self, sample: usize, channel: usize) -> usize {
        if self.statistics == Statistics::Sample { sample * self.channels + channel } else { channel }
    }

    /// How many numbers a cell's mean is over.
    fn numbers(&self) -> f64 {
        let samples = if self.statistics == Statistics::Sample { 1 } else { self.samples };
        (samples * self.pixels) as f64
    }

    /// Means of lanes `[block][channel]` that are sums over the pixels.
    fn means<E: Element>(&self, sums: &[Lane<E>]) -> Vec<f64> {
        let mut means = vec![0.0; self.count()];
        for sample in 0..self.samples {
            let block = &sums[sample / SAMPLES * self.channels..][..self.channels];
            for (channel, sum) in block.iter().enumerate() {
                means[self.cell(sample, channel)] += sum.0[sample % SAMPLES].to_f64();
            }
        }
        for mean in &mut means {
            *mean /= self.numbers();
        }
        means
    }

    /// A number for every cell and channel as lanes `[block][channel]`; zero for samples that there
    /// are not, so that nothing ever comes from them.
    fn spread<E: Element>(&self, number: impl Fn(usize, usize) -> f64) -> Vec<Lane<E>> {
        let mut lanes = vec![Lane::ZERO; self.samples.div_ceil(SAMPLES) * self.channels];
        for (block, lanes) in lanes.chunks_exact_mut(self.channels).enumerate() {
            let first = block * SAMPLES;
            let samples = (self.samples - first).min(SAMPLES);
            for (channel, lane) in lanes.iter_mut().enumerate() {
                if self.statistics == Statistics::Sample {
                    for (i, x) in lane.0[..samples].iter_mut().enumerate() {
                        *x = E::from_f64(number(self.cell(first + i, channel), channel));
                    }
                } else {
                    lane.0[..samples].fill(E::from_f64(number(channel, channel)));
                }
            }
        }
        lanes
    }
}

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
}

impl<E: Element> Normalised<E> {
    /// Takes the statistics; `known` are moments of the slot, if they were taken when it was written.
    pub(super) fn new(
        frame: &Frame<'_, E>,
        norm: usize,
        statistics: Statistics,
        known: Option<Vec<Moments>>,
        scratch: &mut Scratch<E>,
    ) -> Self {
        let norm = frame.tape.norms[norm];
        let shape = frame.shape(norm.slot);
        let cells = Cells::new(frame, statistics, shape);
        let mut moments = Vec::new();
        let inverse_of = |variance: f64| 1.0 / (variance + EPSILON).sqrt();
        let (mean, inverse): (Vec<f64>, Vec<f64>) = match statistics {
            Statistics::Batch => {
                moments = known.unwrap_or_else(|| slot_moments(frame, norm.slot, scratch));
                let inverse = moments.iter().map(|m| inverse_of(m.variance())).collect();
                (moments.iter().map(|m| m.mean).collect(), inverse)
            }
            Statistics::Sample => {
                let (mean, variance) = sample_moments(frame, norm.slot, &cells, scratch);
                (mean, variance.into_iter().map(inverse_of).collect())
            }
            Statistics::None => (vec![0.0; shape.channels], vec![1.0; shape.channels]),
        };
        let params = norm.params.filter(|_| statistics != Statistics::None);
        let read = |id: ParamId| frame.weights.get(id).iter().map(|x| x.to_f64()).collect();
        let (weight, bias): (Vec<f64>, Vec<f64>) = match params {
            Some((weight, bias)) => (read(weight), read(bias)),
            None => (vec![1.0; shape.channels], vec![0.0; shape.channels]),
        };
        Normalised {
            scale: cells.spread(|cell, channel| inverse[cell] * weight[channel]),
            shift: cells
                .spread(|cell, channel| -mean[cell] * inverse[cell] * weight[channel] + bias[channel]),
            plain_scale: cells.spread(|cell, _| inverse[cell]),
            plain_shift: cells.spread(|cell, _| -mean[cell] * inverse[cell]),
            cells,
            inverse,
            mean,
            weight,
            moments,
        }
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
    let bands = jobs::bands(height, channels * width, BAND_LANES);
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

fn planes<E: Element>(lanes: &[Lane<E>], layout: Layout, block: usize) -> Planes<'_, Lane<E>> {
    Planes::new(&lanes[block * layout.lanes()..], layout)
}

/// How tangents pass a normalisation: `by_tangent * tangent + by_value * value + constant`.
pub(super) struct NormTangent<E> {
    pub by_tangent: Vec<Lane<E>>,
    pub by_value: Vec<Lane<E>>,
    pub constant: Vec<Lane<E>>,
    /// mean(t) of every cell.
    mean: Vec<f64>,
    /// mean(t x') of every cell.
    product: Vec<f64>,
    /// The tangent of the weight of each channel.
    weight: Vec<f64>,
}

impl<E: Element> NormTangent<E> {
    pub(super) fn new(
        frame: &Frame<'_, E>,
        tangents: &Tangents<'_, E>,
        norm: usize,
        scratch: &mut Scratch<E>,
    ) -> Self {
        let (norm, normalised) = (frame.tape.norms[norm], &frame.norms[norm]);
        let Normalised { cells, inverse, mean: at, weight, .. } = normalised;
        let channels = cells.channels;
        let (mut mean, mut product) = (vec![0.0; cells.count()], vec![0.0; cells.count()]);
        if norm.slot > 0 && cells.statistics != Statistics::None {
            let tangent = |block| {
                frame.tangent_planes(tangents, norm.slot, block).expect("all slots but the batch have one")
            };
            let by = |block| normalised.plain(frame.planes(norm.slot, block), block);
            let (sums, products) = products(frame, cells, scratch, tangent, by);
            (mean, product) = (cells.means(&sums), cells.means(&products));
        }
        let params = norm.params.filter(|_| cells.statistics != Statistics::None);
        let read = |id: ParamId| tangents.direction.get(id).iter().map(|x| x.to_f64()).collect();
        let (weight_tangent, bias_tangent): (Vec<f64>, Vec<f64>) = match params {
            Some((weight, bias)) => (read(weight), read(bias)),
            None => (vec![0.0; channels], vec![0.0; channels]),
        };
        let by_normal = |cell: usize, c: usize| weight_tangent[c] - weight[c] * inverse[cell] * product[cell];
        NormTangent {
            by_tangent: cells.spread(|cell, c| weight[c] * inverse[cell]),
            by_value: cells.spread(|cell, c| by_normal(cell, c) * inverse[cell]),
            constant: cells.spread(|cell, c| {
                bias_tangent[c]
                    - weight[c] * inverse[cell] * mean[cell]
                    - by_normal(cell, c) * inverse[cell] * at[cell]
            }),
            mean,
            product,
            weight: weight_tangent,
        }
    }
}

/// How gradients pass a normalisation back.
pub(super) struct NormGradient<E> {
    /// `by_gradient * gradient + by_value * value + constant`.
    pub by_gradient: Vec<Lane<E>>,
    pub by_value: Vec<Lane<E>>,
    pub constant: Vec<Lane<E>>,
    pub tangent: Option<NormGradientTangent<E>>,
    /// Gradients of weight and bias, sample by sample, `[block][channel]`.
    pub weight: Vec<Lane<E>>,
    pub bias: Vec<Lane<E>>,
}

/// How the tangents of gradients pass back: a combination of the gradient's tangent, the gradient, the
/// value and its tangent.
pub(super) struct NormGradientTangent<E> {
    pub by_gradient_tangent: Vec<Lane<E>>,
    pub by_gradient: Vec<Lane<E>>,
    pub by_value: Vec<Lane<E>>,
    pub by_tangent: Vec<Lane<E>>,
    pub constant: Vec<Lane<E>>,
    /// Tangents of the gradients of weight and bias, of every channel over the batch.
    pub weight: Vec<f64>,
    pub bias: Vec<f64>,
}

impl<E: Element> NormGradient<E> {
    /// From the gradient of the result, `[block]` of the slot's layout, and its tangent.
    pub(super) fn new(
        frame: &Frame<'_, E>,
        norm: usize,
        gradient: &[Lane<E>],
        gradient_tangent: Option<&[Lane<E>]>,
        scratch: &mut Scratch<E>,
    ) -> Self {
        let slot = frame.tape.norms[norm].slot;
        let normalised = &frame.norms[norm];
        let Normalised { cells, inverse, mean: at, weight, .. } = normalised;
        let layout = frame.tape.layout(slot);
        let by = |block| normalised.plain(frame.planes(slot, block), block);
        let (mut sums, mut products_lanes) =
            products(frame, cells, scratch, |block| planes(gradient, layout, block), by);
        if cells.statistics == Statistics::None {
            // Nothing flows through statistics or parameters.
            sums.fill(Lane::ZERO);
            products_lanes.fill(Lane::ZERO);
        }
        let used = cells.statistics != Statistics::None;
        let means = |lanes: &[Lane<E>]| if used { cells.means(lanes) } else { vec![0.0; cells.count()] };
        let (mean, product) = (means(&sums), means(&products_lanes));
        let back = |cell: usize, c: usize| weight[c] * inverse[cell];
        let tangent = match (gradient_tangent, &frame.tangents) {
            (Some(gradient_tangent), Some(tangents)) => {
                let by = |block| normalised.plain(frame.planes(slot, block), block);
                let (t_sums, t_products) =
                    products(frame, cells, scratch, |block| planes(gradient_tangent, layout, block), by);
                let with_tangent = if slot > 0 {
                    let tangent = |block| Argument {
                        planes: frame
                            .tangent_planes(tangents, slot, block)
                            .expect("all slots but the batch have one"),
                        scaling: None,
                    };
                    means(
                        &products(frame, cells, scratch, |block| planes(gradient, layout, block), tangent).1,
                    )
                } else {
                    vec![0.0; cells.count()]
                };
                Some(NormGradientTangent::new(
                    normalised,
                    &tangents.norms[norm],
                    Means { gradient: mean.clone(), product: product.clone(), with_tangent },
                    (means(&t_sums), means(&t_products)),
                ))
            }
            _ => None,
        };
        NormGradient {
            by_gradient: cells.spread(back),
            by_value: cells.spread(|cell, c| -back(cell, c) * inverse[cell] * product[cell]),
            constant: cells
                .spread(|cell, c| back(cell, c) * (inverse[cell] * at[cell] * product[cell] - mean[cell])),
            tangent,
            weight: products_lanes,
            bias: sums,
        }
    }
}

/// Means over a channel of the gradient g: of g, g x' and g t.
struct Means {
    gradient: Vec<f64>,
    product: Vec<f64>,
    with_tangent: Vec<f64>,
}

impl<E: Element> NormGradientTangent<E> {
    fn new(
        normalised: &Normalised<E>,
        tangent: &NormTangent<E>,
        means: Means,
        (mean_tangent, product_with_tangent): (Vec<f64>, Vec<f64>),
    ) -> Self {
        let Normalised { cells, inverse: r, mean: at, weight: w, .. } = normalised;
        let Means { gradient: mean, product, with_tangent } = means;
        let k = &tangent.product;
        // The tangent of mean(g x').
        let product_tangent: Vec<f64> = (0..cells.count())
            .map(|i| {
                product_with_tangent[i]
                    + r[i] * (with_tangent[i] - tangent.mean[i] * mean[i] - k[i] * product[i])
            })
            .collect();
        let back = |i: usize, c: usize| w[c] * r[i];
        let back_tangent = |i: usize, c: usize| tangent.weight[c] * r[i] - w[c] * r[i] * r[i] * k[i];
        let by_normal = |i: usize, c: usize| {
            back(i, c) * (r[i] * product[i] * k[i] - product_tangent[i]) - back_tangent(i, c) * product[i]
        };
        let mut totals = (vec![0.0; cells.channels], vec![0.0; cells.channels]);
        for cell in 0..cells.count() {
            totals.0[cell % cells.channels] += cells.numbers() * product_tangent[cell];
            totals.1[cell % cells.channels] += cells.numbers() * mean_tangent[cell];
        }
        NormGradientTangent {
            by_gradient_tangent: cells.spread(back),
            by_gradient: cells.spread(back_tangent),
            by_value: cells.spread(|i, c| by_normal(i, c) * r[i]),
            by_tangent: cells.spread(|i, c| -back(i, c) * r[i] * product[i]),
            constant: cells.spread(|i, c| {
                back(i, c) * (r[i] * product[i] * tangent.mean[i] - mean_tangent[i])
                    - back_tangent(i, c) * mean[i]
                    - by_normal(i, c) * r[i] * at[i]
            }),
            weight: totals.0,
            bias: totals.1,
        }
    }
}
