use std::marker::PhantomData;

use super::{Simd, part_of, part_of_mut};
use crate::{Element, Lane};

/// Numbers of a register: what the least processors of today do at once. With more, kernels that keep a dozen registers
/// are so much code, most of it calls of `fma`, that compiling it takes longer than all other levels together.
const WIDTH: usize = 4;

/// Plain Rust, for every processor and for both number types.
#[derive(Clone, Copy)]
pub(crate) struct Portable<E>(pub(super) PhantomData<E>);

#[inline(always)]
fn zip<E: Element>(a: [E; WIDTH], b: [E; WIDTH], f: impl Fn(E, E) -> E) -> [E; WIDTH] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl<E: Element> Simd for Portable<E> {
    type E = E;
    type V = [E; WIDTH];
    const WIDTH: usize = WIDTH;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(self, x: E) -> Self::V {
        [x; WIDTH]
    }
    #[inline(always)]
    fn load(self, lane: &Lane<E>, part: usize) -> Self::V {
        *part_of(&lane.0, part)
    }
    #[inline(always)]
    fn store(self, v: Self::V, lane: &mut Lane<E>, part: usize) {
        *part_of_mut(&mut lane.0, part) = v;
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
        (0..WIDTH).fold(0, |bits, i| bits | u16::from(a[i] > b[i]) << i)
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
