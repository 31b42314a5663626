//! Sums over pixels, sample by sample: the gradients of normalisations and biases.

use std::ops::Range;

use super::chain::Argument;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes};

/// Sums that are taken side by side, so that an addition need not wait for the one before. The
/// result depends on this number.
const CHAINS: usize = 4;

/// Adds the sum of `x` over rows `rows` of each channel to `sums`.
///
/// # Panics
/// If the planes do not have the rows and columns, or `sums` is not one lane per channel.
pub fn sum<E: Element>(
    level: Level,
    x: Planes<'_, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    sums: &mut [Lane<E>],
) {
    assert_eq!(sums.len(), x.layout().channels);
    level.run(ChannelSums::<E, false> {
        x,
        by: Argument { planes: x, scaling: None },
        rows,
        width,
        sums,
        products: None,
    });
}

/// Adds the sums of `x` and of `x * by` over rows `rows` of each channel to `sums` and `products`.
///
/// # Panics
/// If the planes do not have the channels, rows and columns, or if the results are not one lane per
/// channel.
pub fn sums_and_products<E: Element>(
    level: Level,
    x: Planes<'_, Lane<E>>,
    by: &Argument<'_, E>,
    rows: Range<usize>,
    width: usize,
    sums: &mut [Lane<E>],
    products: &mut [Lane<E>],
) {
    let channels = x.layout().channels;
    assert_eq!((sums.len(), products.len(), by.planes.layout().channels), (channels, channels, channels));
    level.run(ChannelSums::<E, true> { x, by: *by, rows, width, sums, products: Some(products) });
}

struct ChannelSums<'a, E, const PRODUCTS: bool> {
    x: Planes<'a, Lane<E>>,
    by: Argument<'a, E>,
    rows: Range<usize>,
    width: usize,
    sums: &'a mut [Lane<E>],
    products: Option<&'a mut [Lane<E>]>,
}

impl<E: Element, const PRODUCTS: bool> Task<E> for ChannelSums<'_, E, PRODUCTS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let columns = 0..self.width as isize;
        let (one, zero) = (Lane::splat(E::ONE), Lane::ZERO);
        for (channel, sum) in self.sums.iter_mut().enumerate() {
            let scale = self.by.scaling.map_or(&one, |scaling| &scaling.scale[channel]);
            let shift = self.by.scaling.map_or(&zero, |scaling| &scaling.shift[channel]);
            for part in 0..S::PARTS {
                let (scale, shift) = (simd.load(scale, part), simd.load(shift, part));
                let mut total = [simd.zero(); CHAINS];
                let mut product = [simd.zero(); CHAINS];
                for row in self.rows.clone() {
                    let x = self.x.row(channel, row as isize, columns.clone());
                    let by =
                        if PRODUCTS { self.by.planes.row(channel, row as isize, columns.clone()) } else { x };
                    let (chunks, rest) = x.as_chunks::<CHAINS>();
                    let (by_chunks, by_rest) = by.as_chunks::<CHAINS>();
                    for (chunk, by) in chunks.iter().zip(by_chunks) {
                        for i in 0..CHAINS {
                            let x = simd.load(&chunk[i], part);
                            total[i] = simd.add(total[i], x);
                            if PRODUCTS {
                                let by = simd.fma(simd.load(&by[i], part), scale, shift);
                                product[i] = simd.fma(x, by, product[i]);
                            }
                        }
                    }
                    for (i, (x, by)) in rest.iter().zip(by_rest).enumerate() {
                        let x = simd.load(x, part);
                        total[i] = simd.add(total[i], x);
                        if PRODUCTS {
                            let by = simd.fma(simd.load(by, part), scale, shift);
                            product[i] = simd.fma(x, by, product[i]);
                        }
                    }
                }
                put(simd, total, sum, part);
                if let (true, Some(products)) = (PRODUCTS, self.products.as_deref_mut()) {
                    put(simd, product, &mut products[channel], part);
                }
            }
        }
    }
}

#[inline(always)]
fn put<S: Simd>(simd: S, chains: [S::V; CHAINS], out: &mut Lane<S::E>, part: usize) {
    let total = simd.add(simd.add(chains[0], chains[1]), simd.add(chains[2], chains[3]));
    simd.store(simd.add(simd.load(out, part), total), out, part);
}
