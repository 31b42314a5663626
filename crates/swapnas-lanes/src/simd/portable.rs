use std::marker::PhantomData;

use super::Simd;
use crate::{Element, Lane, SAMPLES};

/// Plain Rust, for every processor and for both number types: a register is a whole lane.
#[derive(Clone, Copy)]
pub(crate) struct Portable<E>(pub(super) PhantomData<E>);

#[inline(always)]
fn zip<E: Element>(a: [E; SAMPLES], b: [E; SAMPLES], f: impl Fn(E, E) -> E) -> [E; SAMPLES] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl<E: Element> Simd for Portable<E> {
    type E = E;
    type V = [E; SAMPLES];
    const WIDTH: usize = SAMPLES;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(self, x: E) -> Self::V {
        [x; SAMPLES]
    }
    #[inline(always)]
    fn load(self, lane: &Lane<E>, _part: usize) -> Self::V {
        lane.0
    }
    #[inline(always)]
    fn store(self, v: Self::V, lane: &mut Lane<E>, _part: usize) {
        lane.0 = v;
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i].fma(b[i], c[i]))
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn greater(self, a: Self::V, b: Self::V) -> u16 {
        (0..SAMPLES).fold(0, |bits, i| bits | u16::from(a[i] > b[i]) << i)
    }
    #[inline(always)]
    fn select(self, a: Self::V, b: Self::V, c: Self::V, d: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] > b[i] { c[i] } else { d[i] })
    }
    #[inline(always)]
    fn map(self, a: Self::V, f: impl Fn(E) -> E) -> Self::V {
        a.map(f)
    }
}
