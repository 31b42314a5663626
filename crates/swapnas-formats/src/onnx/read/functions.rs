//! Functions of single elements, and activations that are put together from them.

use swapnas_graph::tensor::{Function, TensorOp};
use swapnas_graph::{Op, ValueId};

use super::arithmetic::{Combine, real};
use super::attributes::Call;
use super::constant::Constant;
use super::error::Problem;
use super::reader::Reader;
use super::value::{Image, Value, near};

/// factor * x + summand.
pub(super) fn linear(factor: f64, summand: f64) -> Result<Function, Problem> {
    Ok(Function::Linear { factor: real(factor)?, summand: real(summand)? })
}

impl<'m> Reader<'m> {
    /// `relu(x) + slope * (x - relu(x))` with slopes that are parameters.
    pub(super) fn prelu(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let of = self.own(of)?;
        let slope = self.image(call.need(1)?)?;
        let above = self.rectified(call, of)?;
        let minus = self.applied(above, linear(-1.0, 0.0)?)?;
        let below = self.combined([of, minus], Combine::Sum)?;
        let below = self.combined([below, slope], Combine::Product)?;
        let image = self.combined([above, below], Combine::Sum)?;
        self.set(call, Value::Built(image))
    }

    /// `scale * (relu(x) + alpha * (e^(min(x, 0) / beta) - 1))`: ELU, SELU and CELU.
    pub(super) fn elu(&mut self, call: Call<'m>, alpha: f64, beta: f64, scale: f64) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let of = self.own(of)?;
        let above = self.rectified(call, of)?;
        let below = self.applied(of, Function::Min(real(0.0)?))?;
        let below = if beta == 1.0 { below } else { self.applied(below, linear(1.0 / beta, 0.0)?)? };
        let below = self.applied(below, Function::Exp)?;
        let below = self.applied(below, linear(alpha, -alpha)?)?;
        let image = self.combined([above, below], Combine::Sum)?;
        let image = if scale == 1.0 { image } else { self.applied(image, linear(scale, 0.0)?)? };
        self.set(call, Value::Built(image))
    }

    fn rectified(&mut self, call: Call<'m>, of: Image) -> Result<Image, Problem> {
        let name = self.module([None, Some(call.output()?)], "act");
        Ok(Image { value: self.builder.relu(&name, of.value)?, ..of })
    }

    /// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|).
    pub(super) fn softplus(&mut self, of: Image) -> Result<Image, Problem> {
        let of = self.own(of)?;
        let above = self.applied(of, Function::Max(real(0.0)?))?;
        let below = self.applied(of, Function::Min(real(0.0)?))?;
        let minus = self.applied(above, linear(-1.0, 0.0)?)?;
        let size = self.combined([below, minus], Combine::Sum)?;
        let size = self.applied(size, Function::Exp)?;
        let size = self.applied(size, linear(1.0, 1.0)?)?;
        let size = self.applied(size, Function::Ln)?;
        self.combined([above, size], Combine::Sum)
    }

    /// Lets a value count as what a ReLU is given: that of a gate which is put together without one.
    fn gate(&mut self, call: Call<'m>, of: ValueId) -> Result<(), Problem> {
        let name = self.module([None, Some(call.output()?)], "act");
        self.builder.relu(&name, of)?;
        Ok(())
    }

    /// The hyperbolic tangent, which may be that of a GELU whose parts are all there is of it.
    pub(super) fn tanh(&mut self, call: Call<'m>) -> Result<(), Problem> {
        if self.fractions(call.need(0)?)?.is_none() {
            let of = self.image(call.need(0)?)?;
            if let Some(x) = self.is_in_gelu(of.value) {
                self.gate(call, x)?;
            }
        }
        self.function(call, Function::Tanh, f64::tanh)
    }

    /// x, if a value is sqrt(2 / pi) (x + 0.044715 x^3).
    fn is_in_gelu(&self, value: ValueId) -> Option<ValueId> {
        let node = |value: ValueId| &self.builder.nodes()[value.index()];
        let times = |value: ValueId, expected: f64| match (&node(value).op, &node(value).inputs[..]) {
            (Op::Tensor(TensorOp::Function(Function::Linear { factor, summand })), &[of]) => {
                (near(factor.number(), expected) && summand.number() == 0.0).then_some(of)
            }
            _ => None,
        };
        let cube = |value: ValueId| match (&node(value).op, &node(value).inputs[..]) {
            (Op::Tensor(TensorOp::Function(Function::Power(3))), &[of]) => Some(of),
            _ => None,
        };
        let sum = times(value, (2.0 / std::f64::consts::PI).sqrt())?;
        let (Op::Add, &[a, b]) = (&node(sum).op, &node(sum).inputs[..]) else { return None };
        [(a, b), (b, a)]
            .into_iter()
            .find(|(x, y)| times(*y, 0.044715).and_then(cube) == Some(*x))
            .map(|(x, _)| x)
    }

    /// x * tanh(ln(1 + e^x)).
    pub(super) fn mish(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let of = self.own(of)?;
        self.gate(call, of.value)?;
        let soft = self.softplus(of)?;
        let gate = self.applied(soft, Function::Tanh)?;
        let image = self.combined([of, gate], Combine::Product)?;
        self.set(call, Value::Built(image))
    }

    /// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, the approximation of GELU.
    pub(super) fn gelu_tanh(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let of = self.own(of)?;
        self.gate(call, of.value)?;
        let cube = self.applied(of, Function::Power(3))?;
        let cube = self.applied(cube, linear(0.044715, 0.0)?)?;
        let sum = self.combined([of, cube], Combine::Sum)?;
        let scaled = self.applied(sum, linear((2.0 / std::f64::consts::PI).sqrt(), 0.0)?)?;
        let tanh = self.applied(scaled, Function::Tanh)?;
        let gate = self.applied(tanh, linear(0.5, 0.5)?)?;
        let image = self.combined([of, gate], Combine::Product)?;
        self.set(call, Value::Built(image))
    }

    /// x to a power.
    pub(super) fn power(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let exponent = self.scalar(call.need(1)?)?;
        if (exponent.is_none() || self.scalar(call.need(0)?)?.is_none())
            && let Some(tables) = self.two_fractions([call.need(0)?, call.need(1)?])?
        {
            return self.set_table(call, tables, f32::powf);
        }
        let exponent = exponent
            .ok_or_else(|| Problem::unsupported("a power that is computed", "powers that are constant"))?;
        if let Some(number) = self.scalar(call.need(0)?)? {
            return self.set_number(call, number.powf(exponent));
        }
        let function = match exponent {
            1.0 => return self.alias(call, call.need(0)?),
            0.5 => Function::Sqrt,
            -1.0 => Function::Reciprocal,
            whole if whole.fract() == 0.0 && (2.0..=16.0).contains(&whole) => Function::Power(whole as u32),
            other => Function::RealPower(real(other)?),
        };
        self.apply(call, call.need(0)?, function)
    }

    /// A function of each element, or of a number.
    pub(super) fn function(
        &mut self,
        call: Call<'m>,
        function: Function,
        of_number: fn(f64) -> f64,
    ) -> Result<(), Problem> {
        if let Some(number) = self.scalar(call.need(0)?)? {
            return self.set_number(call, of_number(number));
        }
        match self.fractions(call.need(0)?)? {
            Some(table) => {
                let table = table.map(|x| of_number(x.into()) as f32);
                self.set(call, Value::Constant(Constant::listed(table)))
            }
            None => self.apply(call, call.need(0)?, function),
        }
    }
}
