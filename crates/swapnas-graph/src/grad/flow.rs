//! Gradients on their way back: what has arrived where, and the memory they are in.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use swapnas_lanes::kernels::combination::{self, Term};
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Element, Lane, Planes, PlanesMut};

use super::frame::{Frame, Tangents};
use super::norm::NormGradient;
use crate::exec::{RunError, new_lanes};

/// Lanes that were used and can be used again.
#[derive(Debug)]
pub(super) struct Memory<E> {
    /// By capacity.
    pub(super) free: BTreeMap<usize, Vec<Vec<Lane<E>>>>,
}

impl<E> Default for Memory<E> {
    fn default() -> Self {
        Memory { free: BTreeMap::new() }
    }
}

impl<E: Element> Memory<E> {
    /// `len` lanes with whatever numbers were there before.
    ///
    /// # Errors
    /// If the system gives no more, even if all that is free is given back to it.
    pub(super) fn take(&mut self, len: usize) -> Result<Vec<Lane<E>>, RunError> {
        // The smallest that is large enough.
        let Some((&capacity, fits)) = self.free.range_mut(len..).next() else {
            return new_lanes(len).or_else(|_| {
                self.free.clear();
                new_lanes(len)
            });
        };
        let mut lanes = fits.pop().unwrap_or_default();
        if fits.is_empty() {
            self.free.remove(&capacity);
        }
        lanes.resize(len, Lane::ZERO);
        Ok(lanes)
    }

    pub(super) fn give(&mut self, lanes: Vec<Lane<E>>) {
        if lanes.capacity() > 0 {
            self.free.entry(lanes.capacity()).or_default().push(lanes);
        }
    }

    /// Takes back lanes that others may still be reading; the last of them gives them back.
    pub(super) fn give_shared(&mut self, lanes: Arc<Vec<Lane<E>>>) {
        if let Ok(lanes) = Arc::try_unwrap(lanes) {
            self.give(lanes);
        }
    }
}

/// The gradient of a node, and its tangent where weights move.
#[derive(Clone)]
pub(super) struct Flow<E> {
    pub gradient: Arc<Vec<Lane<E>>>,
    pub tangent: Option<Arc<Vec<Lane<E>>>>,
}

/// What has arrived at a node.
pub(super) struct Arrived<E> {
    pub flow: Flow<E>,
    /// Set if this is the gradient of a normalisation of the slot, still to be taken back through it.
    pub through: Option<Arc<NormGradient<E>>>,
}

/// Lanes to which a gradient and its tangent are written or added.
pub(super) struct Open<E> {
    pub gradient: Vec<Lane<E>>,
    pub tangent: Option<Vec<Lane<E>>>,
    pub into: WriteMode,
}

/// The gradients of all nodes.
pub(super) struct Flows<E> {
    arrived: Vec<Option<Arrived<E>>>,
    /// How many times each node is read, as far as gradients come from there.
    readers: Vec<usize>,
    with_tangents: bool,
}

impl<E: Element> Flows<E> {
    pub(super) fn new(readers: Vec<usize>, with_tangents: bool) -> Self {
        Flows { arrived: readers.iter().map(|_| None).collect(), readers, with_tangents }
    }

    /// Whether a node has one reader only, so that the reader's gradient can stand for its own.
    pub(super) fn has_one_reader(&self, node: usize) -> bool {
        self.readers[node] == 1
    }

    /// Takes what has arrived at a node.
    pub(super) fn take(&mut self, node: usize) -> Option<Arrived<E>> {
        self.arrived[node].take()
    }

    /// Gives a node with one reader its gradient.
    pub(super) fn set(&mut self, node: usize, arrived: Arrived<E>) {
        self.arrived[node] = Some(arrived);
    }

    /// Opens a node's gradient of `len` lanes for a reader to add to.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn open(
        &mut self,
        node: usize,
        len: usize,
        memory: &mut Memory<E>,
    ) -> Result<Open<E>, RunError> {
        let Some(Arrived { flow, .. }) = self.arrived[node].take() else {
            let gradient = memory.take(len)?;
            let tangent = self.with_tangents.then(|| memory.take(len)).transpose()?;
            return Ok(Open { gradient, tangent, into: WriteMode::Overwrite });
        };
        let mut own = |lanes: Arc<Vec<Lane<E>>>| {
            Arc::try_unwrap(lanes).or_else(|shared| {
                let mut copy = memory.take(shared.len())?;
                copy.copy_from_slice(&shared);
                Ok::<_, RunError>(copy)
            })
        };
        let gradient = own(flow.gradient)?;
        let tangent = flow.tangent.map(own).transpose()?;
        Ok(Open { gradient, tangent, into: WriteMode::Sum })
    }

    pub(super) fn close(&mut self, node: usize, open: Open<E>) {
        let flow = Flow { gradient: Arc::new(open.gradient), tangent: open.tangent.map(Arc::new) };
        self.arrived[node] = Some(Arrived { flow, through: None });
    }
}

/// The gradient of a slot or of a normalisation's result, to be read.
pub(super) struct Upstream<'a, E> {
    pub slot: usize,
    pub arrived: &'a Arrived<E>,
}

impl<'a, E: Element> Upstream<'a, E> {
    fn planes(&self, frame: &Frame<'_, E>, lanes: &'a [Lane<E>], block: usize) -> Planes<'a, Lane<E>> {
        let layout = frame.plan.layout(self.slot);
        Planes::new(&lanes[block * layout.lanes()..], layout)
    }

    /// The gradient as it lies in memory, if it lies there.
    pub(super) fn stored(&self, frame: &Frame<'_, E>, block: usize) -> Option<Planes<'a, Lane<E>>> {
        let stored = self.arrived.through.is_none();
        stored.then(|| self.planes(frame, &self.arrived.flow.gradient, block))
    }

    /// The gradient's tangent as it lies in memory, if it lies there.
    pub(super) fn stored_tangent(&self, frame: &Frame<'_, E>, block: usize) -> Option<Planes<'a, Lane<E>>> {
        let lanes = self.arrived.flow.tangent.as_ref().filter(|_| self.arrived.through.is_none())?;
        Some(self.planes(frame, lanes, block))
    }

    /// Writes rows of the gradient, or adds them to what is there.
    pub(super) fn load(
        &self,
        frame: &Frame<'_, E>,
        block: usize,
        rows: Range<usize>,
        into: WriteMode,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        let shape = frame.shape(self.slot);
        let gradient = self.planes(frame, &self.arrived.flow.gradient, block);
        match &self.arrived.through {
            None => {
                let terms = [Term::plain(gradient)];
                combination::combine(frame.level, &terms, None, rows, shape.width, into, out);
            }
            Some(norm) => {
                let part = |lanes: &'a [Lane<E>]| &lanes[block * shape.channels..][..shape.channels];
                let value = frame.planes(self.slot, block);
                let terms = [
                    Term { planes: gradient, factor: Some(part(&norm.by_gradient)) },
                    Term { planes: value, factor: Some(part(&norm.by_value)) },
                ];
                let constant = Some(part(&norm.constant));
                combination::combine(frame.level, &terms, constant, rows, shape.width, into, out);
            }
        }
    }

    /// Writes rows of the gradient's tangent, or adds them to what is there.
    pub(super) fn load_tangent(
        &self,
        frame: &Frame<'_, E>,
        tangents: &Tangents<'_, E>,
        block: usize,
        rows: Range<usize>,
        into: WriteMode,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        let shape = frame.shape(self.slot);
        let flow = &self.arrived.flow;
        let change = flow.tangent.as_ref().expect("gradients have tangents where weights move");
        let change = self.planes(frame, change, block);
        let Some(norm) = &self.arrived.through else {
            let terms = [Term::plain(change)];
            return combination::combine(frame.level, &terms, None, rows, shape.width, into, out);
        };
        let norm = norm.tangent.as_ref().expect("normalisations have tangents where weights move");
        let part = |lanes: &'a [Lane<E>]| Some(&lanes[block * shape.channels..][..shape.channels]);
        let mut terms = vec![
            Term { planes: change, factor: part(&norm.by_gradient_tangent) },
            Term { planes: self.planes(frame, &flow.gradient, block), factor: part(&norm.by_gradient) },
            Term { planes: frame.planes(self.slot, block), factor: part(&norm.by_value) },
        ];
        if let Some(planes) = frame.tangent_planes(tangents, self.slot, block) {
            terms.push(Term { planes, factor: part(&norm.by_tangent) });
        }
        let constant = part(&norm.constant);
        combination::combine(frame.level, &terms, constant, rows, shape.width, into, out);
    }
}
