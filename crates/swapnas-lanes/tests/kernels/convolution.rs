//! Whichever algorithm does a convolution, it is the same one.

use crate::support::{Image, Noise, Number, assert_near, at_every_level, bits, convert, written_together};
use crate::winograd::{Weights, naive, padded};
use swapnas_lanes::Level;
use swapnas_lanes::kernels::convolution::{Algorithm, ConvolutionWeights};

at_every_level!(
    the_fastest_algorithm_is_the_one_that_was_packed,
    a_convolution_of_every_channel_by_itself_is_one_in_groups
);

fn the_fastest_algorithm_is_the_one_that_was_packed<E: Number>(level: Level) {
    let geometry = padded([4, 5]);
    let mut packed = ConvolutionWeights::<E>::default();
    for (channels, expected) in [(12, Algorithm::Winograd), (3, Algorithm::Dense)] {
        let weights = Weights::noise(channels, channels, true);
        let algorithm = Algorithm::fastest(&geometry.window, 1, [channels; 2], geometry.outputs, true);
        assert_eq!(algorithm, expected);
        let bias = weights.bias.as_deref().map(convert::<E>);
        packed.pack(algorithm, 1, channels, 9, &convert::<E>(&weights.weight), bias.as_deref());
        assert_eq!((packed.algorithm(), packed.out_channels()), (expected, channels));
        let image = Image::noise([channels, 4, 5], 7);
        let stored = image.stored::<E>(geometry.reach(), 0.0);
        let together = algorithm.rows_together();
        let found = written_together(level, together, [channels, 4, 5], E::ZERO, |level, band, out| {
            packed.convolve(level, stored.planes(), &geometry.window, band, 5, &mut Vec::new(), out);
        });
        assert_near(&found, &naive::<E>(&image, &geometry, &weights), &channels);
    }
}

fn a_convolution_of_every_channel_by_itself_is_one_in_groups<E: Number>(level: Level) {
    let (geometry, channels) = (padded([4, 5]), 14);
    let fastest = |bias| Algorithm::fastest(&geometry.window, channels, [channels; 2], [4, 5], bias);
    assert_eq!([fastest(false), fastest(true)], [Algorithm::Depthwise, Algorithm::Dense]);
    let in_pairs = Algorithm::fastest(&geometry.window, channels / 2, [channels; 2], [4, 5], false);
    assert_eq!(in_pairs, Algorithm::Dense);
    let weight = convert::<E>(&Noise::new(3).numbers(channels * 9));
    let stored = Image::noise([channels, 4, 5], 7).stored::<E>(geometry.reach(), 0.0);
    let [alone, in_groups] = [Algorithm::Depthwise, Algorithm::Dense].map(|algorithm| {
        let mut packed = ConvolutionWeights::<E>::default();
        packed.pack(algorithm, channels, 1, 9, &weight, None);
        assert_eq!(packed.out_channels(), channels);
        written_together(level, 1, [channels, 4, 5], E::ZERO, |level, band, out| {
            packed.convolve(level, stored.planes(), &geometry.window, band, 5, &mut Vec::new(), out);
        })
    });
    assert!(bits(&alone) == bits(&in_groups));
}
