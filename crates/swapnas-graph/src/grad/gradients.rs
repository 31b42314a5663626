use swapnas_lanes::{Element, Lane, SAMPLES};

use super::ParamSet;
use crate::{ParamId, ValueId};

/// Which elements of every parameter have their gradients taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Elements {
    /// None.
    #[default]
    None,
    /// The first one, which costs next to nothing.
    First,
    /// All of them.
    All,
}

/// What is to be computed on the way back.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The gradients of parameters.
    pub params: Elements,
    /// Values whose gradients are wanted.
    pub values: Vec<ValueId>,
    /// Values whose products with their gradients are wanted.
    pub products: Vec<ValueId>,
}

impl Wanted {
    /// The gradients of all parameters and nothing else.
    pub fn params() -> Self {
        Wanted { params: Elements::All, ..Wanted::default() }
    }

    /// The gradient of one value and nothing else.
    pub fn value(value: ValueId) -> Self {
        Wanted { values: vec![value], ..Wanted::default() }
    }
}

/// What a backward pass has found.
#[derive(Clone, Debug)]
pub struct Gradients<E = f32> {
    /// The loss.
    pub loss: f64,
    /// Of every parameter, over the batch; zeros where the loss does not depend on it, and for elements
    /// that were not wanted.
    pub params: ParamSet<E>,
    /// Of the wanted values, in their order, `[sample][channel][row][column]`; zeros where the loss does
    /// not depend on them.
    pub values: Vec<Vec<f64>>,
    /// Of the wanted products, in their order: for each sample and channel the sum over the pixels of
    /// the value times its gradient.
    pub products: Vec<Vec<f64>>,
}

/// Who is handed the gradients of single samples, one parameter after the other.
pub type Visit<'v, E> = &'v mut dyn FnMut(ParamId, SampleGradients<'_, E>);

/// What each sample adds to the gradient of a parameter.
///
/// The sum over the samples is the gradient over the batch. With statistics over the batch, samples
/// depend on each other, and this is what flows through the numbers of a sample, not the gradient of
/// its own loss; with statistics over each sample, or none, it is both.
#[derive(Clone, Copy, Debug)]
pub struct SampleGradients<'a, E = f32> {
    /// `[block][element]`.
    pub(super) lanes: &'a [Lane<E>],
    pub(super) elements: usize,
    pub(super) samples: usize,
}

impl<'a, E: Element> SampleGradients<'a, E> {
    /// Number of elements of the parameter whose gradients are taken.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Blocks of 16 samples, one lane for each element; samples beyond the batch are zero.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = &'a [Lane<E>]> + use<'a, E> {
        self.lanes.chunks_exact(self.elements.max(1))
    }

    /// The gradient of one element for one sample.
    ///
    /// # Panics
    /// If there is no such sample or element.
    pub fn get(&self, sample: usize, element: usize) -> E {
        assert!(sample < self.samples && element < self.elements, "sample {sample}, element {element}");
        self.lanes[sample / SAMPLES * self.elements + element].0[sample % SAMPLES]
    }
}
