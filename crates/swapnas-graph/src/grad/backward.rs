//! What a pass does on the way back.

use std::collections::BTreeMap;
use std::mem::take;

use swapnas_lanes::Element;

use super::backpropagation::{Arriving, Backpropagation, readers, useful};
use super::conv::Sought;
use super::flow::Flows;
use super::frame::Tangents;
use super::loss::{Loss, Start};
use super::plan::View;
use super::{GradError, Gradients, ParamSet, Pass, SampleGradients, Visit, Wanted};
use crate::{Graph, ParamId, Shape, ValueId, magnitude};

impl<E: Element> Pass<'_, E> {
    /// Takes the gradient of a loss.
    ///
    /// # Errors
    /// If labels or numbers do not fit the batch, or the plan does not keep a value that is asked for.
    pub fn backward(&mut self, loss: Loss<'_>, wanted: &Wanted) -> Result<Gradients<E>, GradError>
    where
        E: crate::Element,
    {
        E::backward(self, loss, wanted, None)
    }

    /// Takes the gradient of a loss and hands what every sample adds to it to `visit`, one parameter
    /// after the other, as soon as they are there.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    pub fn backward_by_sample(
        &mut self,
        loss: Loss<'_>,
        wanted: &Wanted,
        mut visit: impl FnMut(ParamId, SampleGradients<'_, E>),
    ) -> Result<Gradients<E>, GradError>
    where
        E: crate::Element,
    {
        E::backward(self, loss, wanted, Some(&mut visit))
    }

    /// [`backward`](Self::backward) and [`backward_by_sample`](Self::backward_by_sample) for the type at hand.
    pub(crate) fn gradients(
        &mut self,
        loss: Loss<'_>,
        wanted: &Wanted,
        visit: Option<Visit<'_, E>>,
    ) -> Result<Gradients<E>, GradError> {
        let sought = Sought::of(wanted.params, visit.is_some());
        Ok(self.run_back(loss, wanted, sought, visit, None)?.0)
    }

    /// The Hessian of a loss with respect to all parameters, times a direction: how the gradient
    /// changes when the weights move along it. ReLUs are straight lines but for their kink, so their
    /// second derivative is 0.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    ///
    /// # Panics
    /// If the direction is that of another graph.
    pub fn hessian_product(
        &mut self,
        loss: Loss<'_>,
        direction: &ParamSet<E>,
    ) -> Result<ParamSet<E>, GradError>
    where
        E: crate::Element,
    {
        E::hessian_product(self, loss, direction)
    }

    /// The sum over all weights of convolutions and linear layers, without biases, of the weight times
    /// its element of the [Hessian product](Self::hessian_product). It takes less than the product: by
    /// w * (H d) = <y, g'> + <g W, x'>, with what a layer returns (without bias) y, the gradient g of
    /// that, and the tangents g' and x' of g and of the layer's input, no gradients of weights are
    /// taken, but for those of transposed convolutions.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    ///
    /// # Panics
    /// If the direction is that of another graph.
    pub fn hessian_form(&mut self, loss: Loss<'_>, direction: &ParamSet<E>) -> Result<f64, GradError>
    where
        E: crate::Element,
    {
        E::hessian_form(self, loss, direction)
    }

    /// [`hessian_product`](Self::hessian_product) for the type at hand.
    pub(crate) fn product_along(
        &mut self,
        loss: Loss<'_>,
        direction: &ParamSet<E>,
    ) -> Result<ParamSet<E>, GradError> {
        Ok(self.run_back_along(loss, direction, Sought::Batch)?.0.params)
    }

    /// [`hessian_form`](Self::hessian_form) for the type at hand.
    pub(crate) fn form_along(&mut self, loss: Loss<'_>, direction: &ParamSet<E>) -> Result<f64, GradError> {
        Ok(self.run_back_along(loss, direction, Sought::Form)?.1)
    }

    /// The way back where weights move along a direction.
    fn run_back_along(
        &mut self,
        loss: Loss<'_>,
        direction: &ParamSet<E>,
        sought: Sought,
    ) -> Result<(Gradients<E>, f64), GradError> {
        let (values, norms) = self.tangents(direction)?;
        let tangents = Tangents { direction, values: &values, norms: &norms };
        let result = self.run_back(loss, &Wanted::params(), Some(sought), None, Some(tangents));
        for lanes in values {
            self.engine.memory.give(lanes);
        }
        result
    }

    /// The node at which the gradient of a value arrives; none if the loss cannot depend on it, since
    /// the plan does not compute it.
    fn kept(&self, value: ValueId) -> Result<Option<usize>, GradError> {
        match self.plan.view(value) {
            None => Ok(None),
            Some(View { activation: Some(_), .. }) => Err(GradError::NotKept { value }),
            Some(view) => Ok(Some(self.plan.node_of(view))),
        }
    }

    /// The gradients, and the form if it is sought. Where weights move, the gradients of the parameters
    /// are replaced by their tangents.
    fn run_back(
        &mut self,
        loss: Loss<'_>,
        wanted: &Wanted,
        sought: Option<Sought>,
        visit: Option<Visit<'_, E>>,
        tangents: Option<Tangents<'_, E>>,
    ) -> Result<(Gradients<E>, f64), GradError> {
        let plan = self.plan;
        let value = loss.value(plan.graph().outputs())?;
        let view = plan.view(value).ok_or(GradError::NotKept { value })?;
        let shape = plan.graph().shape(value);
        let numbers = self.view_numbers(&self.frame(None), view);
        let Start { loss: at, gradient } = loss.start(&numbers, shape)?;
        let mut start = vec![self.spread(view.slot, &gradient)?];
        if let Some(tangents) = tangents {
            let frame = self.frame(Some(tangents));
            let change = self.numbers(view.slot, |block, mut out| {
                frame.load_tangent(&tangents, view, block, 0..shape.height, &mut out);
            });
            start.push(self.spread(view.slot, &loss.tangent(&numbers, &change, shape))?);
        }
        // Which of the wanted ones arrive at which node.
        let kept = |values: &[ValueId]| -> Result<Arriving, GradError> {
            let mut arriving = Arriving::new();
            for (index, value) in values.iter().enumerate() {
                if let Some(node) = self.kept(*value)? {
                    arriving.entry(node).or_default().push(index);
                }
            }
            Ok(arriving)
        };
        let (values, products) = (kept(&wanted.values)?, kept(&wanted.products)?);

        let memory = take(&mut self.engine.memory);
        let scratch = take(&mut self.engine.scratch);
        let samples = self.batch.samples();
        let zeros = |values: &[ValueId], size: fn(Shape) -> usize| -> Vec<Vec<f64>> {
            values.iter().map(|value| vec![0.0; samples * size(plan.graph().shape(*value))]).collect()
        };
        let found = Gradients {
            loss: at,
            params: ParamSet::zeros(plan.graph()),
            values: zeros(&wanted.values, Shape::elements),
            products: zeros(&wanted.products, |shape| shape.channels),
        };
        let useful = useful(plan, sought.is_some(), values.keys().chain(products.keys()));
        let readers = readers(plan, plan.node_of(view), &useful);
        let mut back = Backpropagation {
            pass: self,
            frame: self.frame(tangents),
            flows: Flows::new(readers, tangents.is_some()),
            useful,
            sought,
            values: &values,
            products: &products,
            found,
            form: 0.0,
            waiting: BTreeMap::new(),
            visit,
            memory,
            scratch,
        };
        back.begin(view, start)?;
        for step in plan.steps.iter().rev() {
            back.step(step)?;
        }
        back.end();
        let Backpropagation { found, form, memory, scratch, .. } = back;
        (self.engine.memory, self.engine.scratch) = (memory, scratch);
        check(plan.graph(), &found)?;
        Ok((found, form))
    }
}

/// Whether all that was found is finite. A gradient that overflows on the way back shows in those of the weights
/// before it.
fn check<E: Element>(graph: &Graph, found: &Gradients<E>) -> Result<(), GradError> {
    let not_finite = |of: String| Err(GradError::NotFinite { of });
    if !found.loss.is_finite() {
        return not_finite("the loss".to_owned());
    }
    for (param, numbers) in graph.params().iter().zip(found.params.iter()) {
        if !magnitude::of_numbers(numbers).is_finite() {
            return not_finite(format!("'{}'", param.name));
        }
    }
    if !found.values.iter().chain(&found.products).flatten().all(|x| x.is_finite()) {
        return not_finite("a value".to_owned());
    }
    Ok(())
}
