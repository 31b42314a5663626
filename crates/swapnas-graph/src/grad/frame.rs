//! How values are read during a pass.

use std::ops::Range;

use swapnas_lanes::kernels::chain::{self, Argument, Scaling};
use swapnas_lanes::kernels::combination::{self, Term};
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Element, Lane, Level, Planes, PlanesMut};

use super::ParamSet;
use super::norm::{NormTangent, Normalised};
use super::plan::{GradientPlan, View};
use crate::{Batch, Shape};

/// Everything that is fixed while a step is done.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a, E> {
    pub level: Level,
    pub parallel: bool,
    pub plan: &'a GradientPlan,
    pub batch: &'a Batch<E>,
    pub weights: &'a ParamSet<E>,
    /// The slots, of which the first is the batch itself.
    pub values: &'a [Vec<Lane<E>>],
    pub norms: &'a [Normalised<E>],
    pub tangents: Option<Tangents<'a, E>>,
}

/// What changes when weights move along a direction.
#[derive(Clone, Copy)]
pub(super) struct Tangents<'a, E> {
    pub direction: &'a ParamSet<E>,
    /// Of each slot; the batch has none.
    pub values: &'a [Vec<Lane<E>>],
    pub norms: &'a [NormTangent<E>],
}

impl<'a, E: Element> Frame<'a, E> {
    pub(super) fn shape(&self, slot: usize) -> Shape {
        self.plan.slots[slot]
    }

    pub(super) fn blocks(&self) -> usize {
        self.batch.blocks()
    }

    /// A slot as it is in memory.
    pub(super) fn planes(&self, slot: usize, block: usize) -> Planes<'a, Lane<E>> {
        let lanes = if slot == 0 { self.batch.lanes() } else { &self.values[slot] };
        let layout = self.plan.layout(slot);
        Planes::new(&lanes[block * layout.lanes()..], layout)
    }

    /// The elements of a slot, one after the other.
    pub(super) fn lanes(&self, slot: usize, block: usize) -> &'a [Lane<E>] {
        let lanes = if slot == 0 { self.batch.lanes() } else { &self.values[slot] };
        let count = self.plan.layout(slot).lanes();
        &lanes[block * count..][..count]
    }

    /// The tangent of a slot, unless it is the batch.
    pub(super) fn tangent_planes(
        &self,
        tangents: &Tangents<'a, E>,
        slot: usize,
        block: usize,
    ) -> Option<Planes<'a, Lane<E>>> {
        let layout = self.plan.layout(slot);
        (slot > 0).then(|| Planes::new(&tangents.values[slot][block * layout.lanes()..], layout))
    }

    /// What a view's activation is applied to.
    pub(super) fn argument(&self, view: View, block: usize) -> Argument<'a, E> {
        let channels = self.shape(view.slot).channels;
        let scaling = view.norm.map(|norm| {
            let Normalised { scale, shift, .. } = &self.norms[norm];
            Scaling {
                scale: &scale[block * channels..][..channels],
                shift: &shift[block * channels..][..channels],
            }
        });
        Argument { planes: self.planes(view.slot, block), scaling }
    }

    /// Writes rows of a view: as many of its channels as `out` has, the first ones.
    pub(super) fn load(
        &self,
        view: View,
        block: usize,
        rows: Range<usize>,
        into: WriteMode,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        let width = self.shape(view.slot).width;
        let channels = out.layout().channels;
        let Argument { planes, scaling } = self.argument(view, block);
        let scaling = scaling
            .map(|Scaling { scale, shift }| Scaling { scale: &scale[..channels], shift: &shift[..channels] });
        let argument = Argument { planes: planes.channels(0..channels), scaling };
        chain::activate(self.level, &argument, view.activation, rows, width, into, out);
    }

    /// The argument of a view's activation as a linear combination: appends its terms and adds to the
    /// constant.
    pub(super) fn argument_terms(
        &self,
        view: View,
        block: usize,
        terms: &mut Vec<Term<'a, E>>,
        constant: &mut [Lane<E>],
    ) {
        let Argument { planes, scaling } = self.argument(view, block);
        terms.push(Term { planes, factor: scaling.map(|scaling| scaling.scale) });
        if let Some(Scaling { shift, .. }) = scaling {
            add(constant, shift);
        }
    }

    /// The same for the argument's tangent.
    pub(super) fn tangent_terms(
        &self,
        tangents: &Tangents<'a, E>,
        view: View,
        block: usize,
        terms: &mut Vec<Term<'a, E>>,
        constant: &mut [Lane<E>],
    ) {
        let channels = self.shape(view.slot).channels;
        let part = |lanes: &'a [Lane<E>]| &lanes[block * channels..][..channels];
        let norm = view.norm.map(|norm| &tangents.norms[norm]);
        if let Some(planes) = self.tangent_planes(tangents, view.slot, block) {
            terms.push(Term { planes, factor: norm.map(|norm| part(&norm.by_tangent)) });
        }
        if let Some(norm) = norm {
            let planes = self.planes(view.slot, block);
            terms.push(Term { planes, factor: Some(part(&norm.by_value)) });
            add(constant, part(&norm.constant));
        }
    }

    /// Writes rows of the tangent of the argument of a view's activation.
    fn load_argument_tangent(
        &self,
        tangents: &Tangents<'a, E>,
        view: View,
        block: usize,
        rows: Range<usize>,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        let Shape { channels, width, .. } = self.shape(view.slot);
        let (mut terms, mut constant) = (Vec::new(), vec![Lane::ZERO; channels]);
        self.tangent_terms(tangents, view, block, &mut terms, &mut constant);
        combination::combine(self.level, &terms, Some(&constant), rows, width, WriteMode::Overwrite, out);
    }

    /// Writes rows of the tangent of a view.
    pub(super) fn load_tangent(
        &self,
        tangents: &Tangents<'a, E>,
        view: View,
        block: usize,
        rows: Range<usize>,
        out: &mut PlanesMut<'_, Lane<E>>,
    ) {
        self.load_argument_tangent(tangents, view, block, rows.clone(), out.reborrow());
        if let Some(activation) = view.activation {
            let width = self.shape(view.slot).width;
            let argument = self.argument(view, block);
            chain::scale_by_slope(self.level, &argument, activation, rows, width, out.reborrow());
        }
    }

    /// Takes rows of the gradient of a view back through its activation.
    pub(super) fn push(
        &self,
        view: View,
        block: usize,
        rows: Range<usize>,
        gradient: Planes<'_, Lane<E>>,
        into: WriteMode,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        let width = self.shape(view.slot).width;
        let argument = self.argument(view, block);
        chain::slope(self.level, &argument, view.activation, gradient, rows, width, into, out);
    }

    /// The same for the gradient's tangent: the derivative of [`push`](Self::push). `scratch` is room
    /// for the argument's tangent.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn push_tangent(
        &self,
        tangents: &Tangents<'a, E>,
        view: View,
        block: usize,
        rows: Range<usize>,
        (gradient, tangent): (Planes<'_, Lane<E>>, Planes<'_, Lane<E>>),
        into: WriteMode,
        mut out: PlanesMut<'_, Lane<E>>,
        scratch: &mut Vec<Lane<E>>,
    ) {
        self.push(view, block, rows.clone(), tangent, into, out.reborrow());
        if let Some(activation) = view.activation.filter(|act| !act.is_piecewise_linear()) {
            let width = self.shape(view.slot).width;
            let layout = self.plan.layout(view.slot);
            let mut change = super::jobs::room(scratch, layout);
            self.load_argument_tangent(tangents, view, block, rows.clone(), change.reborrow());
            let (argument, change) = (self.argument(view, block), change.as_planes());
            chain::second_derivative(self.level, &argument, activation, gradient, change, rows, width, out);
        }
    }
}

fn add<E: Element>(to: &mut [Lane<E>], from: &[Lane<E>]) {
    for (to, from) in to.iter_mut().zip(from) {
        for (to, from) in to.0.iter_mut().zip(from.0) {
            *to = *to + from;
        }
    }
}
