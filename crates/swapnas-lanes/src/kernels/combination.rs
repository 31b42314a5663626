//! Linear combinations of images: what normalisation and its derivatives come down to.

use std::ops::Range;

use super::rows::WriteMode;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes, PlanesMut};

/// One summand of a linear combination.
#[derive(Clone, Copy)]
pub struct Term<'a, E = f32> {
    /// The image.
    pub planes: Planes<'a, Lane<E>>,
    /// What each channel is multiplied by, for every sample; 1 if there is nothing.
    pub factor: Option<&'a [Lane<E>]>,
}

impl<'a, E: Element> Term<'a, E> {
    /// An image as it is.
    pub fn plain(planes: Planes<'a, Lane<E>>) -> Self {
        Term { planes, factor: None }
    }
}

/// Most summands that are read at once.
const MOST: usize = 4;

/// Writes `constant + factor * image + factor * image + ...`, or adds it to what is there, for rows
/// `rows` of the width `width`. The constant is one lane per channel.
///
/// Summands go in the order given, each step one fused multiply-add.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
pub fn combine<E: Element>(
    level: Level,
    terms: &[Term<'_, E>],
    constant: Option<&[Lane<E>]>,
    rows: Range<usize>,
    width: usize,
    into: WriteMode,
    mut out: PlanesMut<'_, Lane<E>>,
) {
    let mut into = into;
    let mut constant = constant;
    let mut rest = terms;
    loop {
        let (terms, others) = rest.split_at(rest.len().min(MOST));
        rest = others;
        let (rows, out) = (rows.clone(), out.reborrow());
        match *terms {
            [] => run(level, [], constant, rows, width, into, out),
            [a] => run(level, [a], constant, rows, width, into, out),
            [a, b] => run(level, [a, b], constant, rows, width, into, out),
            [a, b, c] => run(level, [a, b, c], constant, rows, width, into, out),
            [a, b, c, d, ..] => run(level, [a, b, c, d], constant, rows, width, into, out),
        }
        if rest.is_empty() {
            break;
        }
        (into, constant) = (WriteMode::Sum, None);
    }
}

fn run<E: Element, const TERMS: usize>(
    level: Level,
    terms: [Term<'_, E>; TERMS],
    constant: Option<&[Lane<E>]>,
    rows: Range<usize>,
    width: usize,
    into: WriteMode,
    out: PlanesMut<'_, Lane<E>>,
) {
    match into {
        WriteMode::Overwrite => level.run(Combine::<E, TERMS, false> { terms, constant, rows, width, out }),
        WriteMode::Sum => level.run(Combine::<E, TERMS, true> { terms, constant, rows, width, out }),
    }
}

struct Combine<'a, E, const TERMS: usize, const ADD: bool> {
    terms: [Term<'a, E>; TERMS],
    constant: Option<&'a [Lane<E>]>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element, const TERMS: usize, const ADD: bool> Task<E> for Combine<'_, E, TERMS, ADD> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let columns = 0..self.width as isize;
        let (zero, one) = (Lane::ZERO, Lane::splat(E::ONE));
        for channel in 0..self.out.layout().channels {
            let constant = self.constant.map_or(&zero, |constant| &constant[channel]);
            let mut factors = [&one; TERMS];
            for (factor, term) in factors.iter_mut().zip(&self.terms) {
                *factor = term.factor.map_or(&one, |factor| &factor[channel]);
            }
            for row in self.rows.clone() {
                let row = row as isize;
                let out = self.out.row(channel, row, columns.clone());
                let mut images: [&[Lane<E>]; TERMS] = [&[]; TERMS];
                for (image, term) in images.iter_mut().zip(&self.terms) {
                    *image = &term.planes.row(channel, row, columns.clone())[..out.len()];
                }
                for part in 0..S::PARTS {
                    let constant = simd.load(constant, part);
                    let mut factor = [constant; TERMS];
                    for (factor, lane) in factor.iter_mut().zip(&factors) {
                        *factor = simd.load(lane, part);
                    }
                    for (i, out) in out.iter_mut().enumerate() {
                        let mut sum = constant;
                        for (image, factor) in images.iter().zip(&factor) {
                            sum = simd.fma(*factor, simd.load(&image[i], part), sum);
                        }
                        let sum = if ADD { simd.add(simd.load(out, part), sum) } else { sum };
                        simd.store(sum, out, part);
                    }
                }
            }
        }
    }
}
