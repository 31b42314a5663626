//! Activations, also those that exporters take to parts.

use std::f64::consts::FRAC_1_SQRT_2;

use swapnas_graph::tensor::Function;
use swapnas_graph::{Activation, ValueId};

use super::arithmetic::real;
use super::attributes::Call;
use super::constant::Number;
use super::error::{Problem, hint};
use super::functions::linear;
use super::reader::Reader;
use super::value::{Complete, Image, Part, Pending, Term, Value, near};

fn larger(a: Number, b: Number) -> Option<Number> {
    (!a.of_batch && !b.of_batch).then(|| Number::plain(a.value.max(b.value)))
}

fn smaller(a: Number, b: Number) -> Option<Number> {
    (!a.of_batch && !b.of_batch).then(|| Number::plain(a.value.min(b.value)))
}

impl<'m> Reader<'m> {
    /// What has this name as a term: as it is, if it may become part of another activation.
    pub(super) fn term_of(&mut self, call: Call<'m>, name: &'m str) -> Result<Term<'m>, Problem> {
        match self.value(name)? {
            Value::Pending(Pending::Term(term)) => Ok(Term { name: call.output()?, ..term }),
            _ => self.built_term(call, name),
        }
    }

    /// The same, built if it has not been.
    pub(super) fn built_term(&mut self, call: Call<'m>, name: &'m str) -> Result<Term<'m>, Problem> {
        let of = self.image(name)?;
        Ok(Term { of, factor: 1.0, times_x: false, part: Part::Same, name: call.output()? })
    }

    pub(super) fn set_term(&mut self, call: Call<'m>, term: Term<'m>) -> Result<(), Problem> {
        self.set(call, Value::Pending(Pending::Term(term)))
    }

    /// Makes of the first input what `step` makes of it, as it is or else built; or a function of it.
    pub(super) fn step(
        &mut self,
        call: Call<'m>,
        name: &'m str,
        step: impl Fn(Term<'m>) -> Option<Term<'m>>,
        otherwise: Function,
    ) -> Result<(), Problem> {
        match self.stepped(call, name, step)? {
            Some(term) => self.set_term(call, term),
            None => self.apply(call, name, otherwise),
        }
    }

    /// What `step` makes of a value, as it is or else built, if it makes something of it.
    fn stepped(
        &mut self,
        call: Call<'m>,
        name: &'m str,
        step: impl Fn(Term<'m>) -> Option<Term<'m>>,
    ) -> Result<Option<Term<'m>>, Problem> {
        let pending = self.term_of(call, name)?;
        if let Some(term) = step(pending) {
            return Ok(Some(term));
        }
        Ok(step(self.built_term(call, name)?))
    }

    /// A function of each element.
    pub(super) fn apply(&mut self, call: Call<'m>, name: &'m str, function: Function) -> Result<(), Problem> {
        let of = self.image(name)?;
        let image = self.applied(of, function)?;
        self.set(call, Value::Built(image))
    }

    /// The same, of an image.
    pub(super) fn applied(&mut self, of: Image, function: Function) -> Result<Image, Problem> {
        let of = self.own(of)?;
        Ok(Image { value: self.builder.function(of.value, function), ..of })
    }

    /// Builds what has become of a value.
    pub(super) fn term(&mut self, term: Term<'m>) -> Result<Image, Problem> {
        if matches!(term.complete(), Complete::Same) {
            return Ok(term.of);
        }
        let of = self.own(term.of)?;
        let act = |reader: &mut Self, value: ValueId, act: Activation| {
            let name = reader.module([None, Some(term.name)], "act");
            Ok::<_, Problem>(reader.builder.act(&name, value, act)?)
        };
        if let Complete::Act(activation) = term.complete() {
            return Ok(Image { value: act(self, of.value, activation)?, ..of });
        }
        let x = of.value;
        let part = match term.part {
            Part::Same => x,
            Part::Act(activation) => act(self, x, activation)?,
            Part::Erf | Part::OnePlusErf => {
                let scaled = self.builder.function(x, linear(FRAC_1_SQRT_2, 0.0)?);
                let erf = self.builder.function(scaled, Function::Erf);
                match term.part {
                    Part::Erf => erf,
                    _ => self.builder.function(erf, linear(1.0, 1.0)?),
                }
            }
            Part::Plus3 | Part::Above0 | Part::Ramp => {
                let more = self.builder.function(x, linear(1.0, 3.0)?);
                match term.part {
                    Part::Plus3 => more,
                    Part::Above0 => self.builder.function(more, Function::Max(real(0.0)?)),
                    _ => {
                        let above = self.builder.function(more, Function::Max(real(0.0)?));
                        self.builder.function(above, Function::Min(real(6.0)?))
                    }
                }
            }
            Part::Below6 => self.builder.function(x, Function::Min(real(6.0)?)),
        };
        let product = if term.times_x { self.builder.mul(x, part)? } else { part };
        let value = if near(term.factor, 1.0) {
            product
        } else {
            self.builder.function(product, linear(term.factor, 0.0)?)
        };
        Ok(Image { value, ..of })
    }

    /// An operator that is an activation.
    pub(super) fn activation(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let operator = call.node.op_type.as_str();
        let (mut asked, mut broken) = (Vec::new(), None);
        let read = Activation::of_onnx(operator, &mut |name, usual| {
            let number = call.float(name).unwrap_or_else(|problem| {
                broken = Some(problem);
                None
            });
            let number = number.unwrap_or(usual);
            asked.push(format!("{name} {number}"));
            number
        });
        if let Some(problem) = broken {
            return Err(problem);
        }
        match read {
            Some(Ok(activation)) => self.activate(call, activation),
            Some(Err(supported)) => Err(Problem::unsupported(asked.join(" and "), supported)),
            None => Err(Problem::Operator(hint(operator))),
        }
    }

    /// Applies an activation to what there is.
    fn activate(&mut self, call: Call<'m>, activation: Activation) -> Result<(), Problem> {
        let term = self.built_term(call, call.need(0)?)?;
        self.set_term(call, Term { part: Part::Act(activation), ..term })
    }

    pub(super) fn relu(&mut self, call: Call<'m>) -> Result<(), Problem> {
        self.clamp(call, call.need(0)?, Some(0.0), None)
    }

    /// min(max(x, low), high).
    fn clamp(
        &mut self,
        call: Call<'m>,
        name: &'m str,
        low: Option<f64>,
        high: Option<f64>,
    ) -> Result<(), Problem> {
        let low = low.filter(|low| *low > f64::from(f32::MIN));
        let high = high.filter(|high| *high < f64::from(f32::MAX));
        let part = move |term: &Term<'m>| {
            let is = |part| term.is(part);
            Some(match (low, high) {
                (Some(0.0), Some(6.0)) if is(Part::Plus3) => Part::Ramp,
                (Some(0.0), None) if is(Part::Plus3) => Part::Above0,
                (Some(0.0) | None, Some(6.0)) if is(Part::Above0) => Part::Ramp,
                (Some(0.0) | None, Some(6.0)) if is(Part::Act(Activation::Relu)) => {
                    Part::Act(Activation::Relu6)
                }
                (Some(0.0), None) if is(Part::Below6) => Part::Act(Activation::Relu6),
                (Some(0.0), Some(6.0)) if is(Part::Same) => Part::Act(Activation::Relu6),
                (Some(0.0), None) if is(Part::Same) => Part::Act(Activation::Relu),
                (None, Some(6.0)) if is(Part::Same) => Part::Below6,
                _ => return None,
            })
        };
        let step = |term: Term<'m>| part(&term).map(|part| Term { part, factor: 1.0, ..term });
        match (low, high) {
            (None, None) => self.alias(call, name),
            (Some(low), None) => self.step(call, name, step, Function::Max(real(low)?)),
            (None, Some(high)) => self.step(call, name, step, Function::Min(real(high)?)),
            (Some(low), Some(high)) => {
                if let Some(term) = self.stepped(call, name, step)? {
                    return self.set_term(call, term);
                }
                let of = self.image(name)?;
                let above = self.applied(of, Function::Max(real(low)?))?;
                let image = self.applied(above, Function::Min(real(high)?))?;
                self.set(call, Value::Built(image))
            }
        }
    }

    pub(super) fn clip(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let mut bound = |index: usize, attribute: &str| -> Result<Option<f64>, Problem> {
            let Some(name) = call.input(index) else { return call.float(attribute) };
            match self.scalar(name)? {
                Some(number) => Ok(Some(number)),
                None => Err(Problem::unsupported("bounds that are not constant", "constant ones")),
            }
        };
        let (low, high) = (bound(1, "min")?, bound(2, "max")?);
        if let Value::Constant(constant) = self.value(call.need(0)?)?
            && let Some(number) = constant.number()
        {
            let number = low.map_or(number, |low| number.max(low));
            return self.set_number(call, high.map_or(number, |high| number.min(high)));
        }
        self.clamp(call, call.need(0)?, low, high)
    }

    /// The maximum or minimum of a value and a number.
    pub(super) fn bounded(&mut self, call: Call<'m>, is_max: bool) -> Result<(), Problem> {
        let names: Vec<&'m str> = call.inputs().collect();
        if let [only] = names[..] {
            return self.alias(call, only);
        }
        if let [a, b] = names[..] {
            if let (Value::Numbers(a), Value::Numbers(b)) = (self.value(a)?, self.value(b)?) {
                return self.compute(call, &a, &b, if is_max { larger } else { smaller });
            }
            for (value, bound) in [(a, b), (b, a)] {
                if let Some(bound) = self.scalar(bound)? {
                    let (low, high) = if is_max { (Some(bound), None) } else { (None, Some(bound)) };
                    return self.clamp(call, value, low, high);
                }
            }
        }
        Err(Problem::unsupported("a maximum or minimum of several values", "ReLU and ReLU6 written that way"))
    }

    pub(super) fn gelu(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match call.text("approximate")?.as_deref() {
            None | Some("none") => self.activate(call, Activation::Gelu),
            _ => self.gelu_tanh(call),
        }
    }

    pub(super) fn erf(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let step = |term: Term<'m>| {
            let scaled = term.part == Part::Same && !term.times_x && near(term.factor, FRAC_1_SQRT_2);
            scaled.then_some(Term { part: Part::Erf, factor: 1.0, ..term })
        };
        self.step(call, call.need(0)?, step, Function::Erf)
    }

    /// The product of two terms, if it is part of an activation.
    pub(super) fn product(
        &mut self,
        call: Call<'m>,
        names: [&'m str; 2],
    ) -> Result<Option<Term<'m>>, Problem> {
        let [a, b] = [self.term_of(call, names[0])?, self.term_of(call, names[1])?];
        let product = |x: Term<'m>, part: Term<'m>| {
            let fits = x.of == part.of && x.part == Part::Same && part.part != Part::Same;
            let fits = fits && !x.times_x && !part.times_x;
            let product = Term { times_x: true, factor: x.factor * part.factor, ..part };
            // A product that leads nowhere, such as x * relu(x), is one of two values.
            let is_gate = match product.part {
                Part::Act(act) => matches!(act, Activation::Sigmoid | Activation::HardSigmoid),
                Part::OnePlusErf | Part::Ramp => true,
                _ => false,
            };
            (fits && is_gate).then_some(product)
        };
        Ok(product(a, b).or_else(|| product(b, a)))
    }
}
