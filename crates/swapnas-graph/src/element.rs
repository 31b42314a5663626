//! The number types that networks are run in.
//!
//! Kernels are generic, and a generic function is compiled anew in every crate that calls it, which takes minutes
//! where it has kernels in it. So whatever runs them is entered through functions of these types, which are not
//! generic and are compiled here, once.

use crate::exec::{Executor, Observer, RunError, ValueCache, Weights};
use crate::grad::{
    Differentiator, GradError, GradientPlan, Gradients, Loss, Norms, ParamSet, Pass, Visit, Wanted,
};
use crate::{Batch, Plan, ValueId};

/// A number type that networks can be run in: `f32` for speed, `f64` as the truth it is held against.
pub trait Element: swapnas_lanes::Element {
    /// [`Executor::run`].
    #[doc(hidden)]
    fn run(
        executor: &mut Executor<Self>,
        plan: &Plan,
        batch: &Batch<Self>,
        weights: Weights<'_>,
        cache: Option<&mut ValueCache<Self>>,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError>;

    /// [`Differentiator::forward`].
    #[doc(hidden)]
    fn forward<'a>(
        engine: &'a mut Differentiator<Self>,
        plan: &'a GradientPlan,
        batch: &'a Batch<Self>,
        weights: &'a ParamSet<Self>,
        norms: Norms<'a>,
    ) -> Result<Pass<'a, Self>, RunError>;

    /// [`Pass::backward`] and, with a visitor, [`Pass::backward_by_sample`].
    #[doc(hidden)]
    fn backward(
        pass: &mut Pass<'_, Self>,
        loss: Loss<'_>,
        wanted: &Wanted,
        visit: Option<Visit<'_, Self>>,
    ) -> Result<Gradients<Self>, GradError>;

    /// [`Pass::hessian_product`].
    #[doc(hidden)]
    fn hessian_product(
        pass: &mut Pass<'_, Self>,
        loss: Loss<'_>,
        direction: &ParamSet<Self>,
    ) -> Result<ParamSet<Self>, GradError>;

    /// [`Pass::hessian_form`].
    #[doc(hidden)]
    fn hessian_form(
        pass: &mut Pass<'_, Self>,
        loss: Loss<'_>,
        direction: &ParamSet<Self>,
    ) -> Result<f64, GradError>;

    /// [`Pass::value`].
    #[doc(hidden)]
    fn value(pass: &Pass<'_, Self>, value: ValueId) -> Option<Vec<f64>>;

    /// [`Pass::signs`].
    #[doc(hidden)]
    fn signs(pass: &Pass<'_, Self>, observer: &mut dyn Observer);
}

macro_rules! element {
    ($float:ty) => {
        impl Element for $float {
            #[inline(never)]
            fn run(
                executor: &mut Executor<Self>,
                plan: &Plan,
                batch: &Batch<Self>,
                weights: Weights<'_>,
                cache: Option<&mut ValueCache<Self>>,
                observer: &mut dyn Observer,
            ) -> Result<(), RunError> {
                executor.execute(plan, batch, weights, cache, observer)
            }

            #[inline(never)]
            fn forward<'a>(
                engine: &'a mut Differentiator<Self>,
                plan: &'a GradientPlan,
                batch: &'a Batch<Self>,
                weights: &'a ParamSet<Self>,
                norms: Norms<'a>,
            ) -> Result<Pass<'a, Self>, RunError> {
                engine.make_pass(plan, batch, weights, norms)
            }

            #[inline(never)]
            fn backward(
                pass: &mut Pass<'_, Self>,
                loss: Loss<'_>,
                wanted: &Wanted,
                visit: Option<Visit<'_, Self>>,
            ) -> Result<Gradients<Self>, GradError> {
                pass.gradients(loss, wanted, visit)
            }

            #[inline(never)]
            fn hessian_product(
                pass: &mut Pass<'_, Self>,
                loss: Loss<'_>,
                direction: &ParamSet<Self>,
            ) -> Result<ParamSet<Self>, GradError> {
                pass.product_along(loss, direction)
            }

            #[inline(never)]
            fn hessian_form(
                pass: &mut Pass<'_, Self>,
                loss: Loss<'_>,
                direction: &ParamSet<Self>,
            ) -> Result<f64, GradError> {
                pass.form_along(loss, direction)
            }

            #[inline(never)]
            fn value(pass: &Pass<'_, Self>, value: ValueId) -> Option<Vec<f64>> {
                pass.numbers_of(value)
            }

            #[inline(never)]
            fn signs(pass: &Pass<'_, Self>, observer: &mut dyn Observer) {
                pass.show_signs(observer);
            }
        }
    };
}

element!(f32);
element!(f64);
