//! The sets of numbers that a normalisation takes statistics over.

use swapnas_lanes::{Element, Lane, SAMPLES};

use super::StatisticsOver;
use crate::Shape;
use crate::grad::frame::Frame;

/// Means over the channels of a slot: of all samples, or of each.
#[derive(Clone, Copy)]
pub(in crate::grad) struct Cells {
    pub(super) statistics: StatisticsOver,
    pub(super) channels: usize,
    samples: usize,
    pixels: usize,
}

impl Cells {
    pub(super) fn new<E: Element>(frame: &Frame<'_, E>, statistics: StatisticsOver, shape: Shape) -> Self {
        Cells { statistics, channels: shape.channels, samples: frame.batch.samples(), pixels: shape.pixels() }
    }

    pub(super) fn count(&self) -> usize {
        if self.statistics == StatisticsOver::Sample { self.samples * self.channels } else { self.channels }
    }

    pub(super) fn cell(&self, sample: usize, channel: usize) -> usize {
        if self.statistics == StatisticsOver::Sample { sample * self.channels + channel } else { channel }
    }

    /// How many numbers a cell's mean is over.
    pub(super) fn numbers(&self) -> f64 {
        let samples = if self.statistics == StatisticsOver::Sample { 1 } else { self.samples };
        (samples * self.pixels) as f64
    }

    /// Means of lanes `[block][channel]` that are sums over the pixels.
    pub(super) fn means<E: Element>(&self, sums: &[Lane<E>]) -> Vec<f64> {
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
    pub(super) fn spread<E: Element>(&self, number: impl Fn(usize, usize) -> f64) -> Vec<Lane<E>> {
        let mut lanes = vec![Lane::ZERO; self.samples.div_ceil(SAMPLES) * self.channels];
        for (block, lanes) in lanes.chunks_exact_mut(self.channels).enumerate() {
            let first = block * SAMPLES;
            let samples = (self.samples - first).min(SAMPLES);
            for (channel, lane) in lanes.iter_mut().enumerate() {
                if self.statistics == StatisticsOver::Sample {
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
