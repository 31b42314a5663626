//! Sums and products, of images, with numbers, and of numbers.

use super::attributes::Call;
use super::constant::{Constant, Number, Numbers};
use super::error::Problem;
use super::reader::Reader;
use super::value::{Complete, Image, Layer, LayerKind, Part, Pending, Term, Value, View, near};
use crate::Shape;

/// What two operands of a sum or product are.
enum Operands<'m> {
    Numbers(Numbers, Numbers),
    /// Two numbers that are not whole.
    Fractions(f64, f64),
    /// A value and a number, and whether the number is the second.
    Scalar {
        of: &'m str,
        number: f64,
        second: bool,
    },
    /// A value and a tensor of the file.
    Constant {
        of: &'m str,
        constant: Constant<'m>,
    },
    Images([&'m str; 2]),
}

impl<'m> Reader<'m> {
    fn operands(&mut self, call: Call<'m>) -> Result<Operands<'m>, Problem> {
        let names = [call.need(0)?, call.need(1)?];
        let values = [self.value(names[0])?, self.value(names[1])?];
        if let [Value::Numbers(a), Value::Numbers(b)] = &values {
            return Ok(Operands::Numbers(a.clone(), b.clone()));
        }
        if let [Value::Constant(_) | Value::Numbers(_), Value::Constant(_) | Value::Numbers(_)] = &values
            && let [Some(a), Some(b)] = [self.scalar(names[0])?, self.scalar(names[1])?]
        {
            return Ok(Operands::Fractions(a, b));
        }
        for (constant, other) in [(1, 0), (0, 1)] {
            let (of, second) = (names[other], constant == 1);
            if let Some(number) = self.scalar(names[constant])? {
                // A layer of one output may have a bias of one number.
                let is_bias =
                    matches!(&values[constant], Value::Constant(c) if c.learned && !c.dims.is_empty());
                if !(is_bias && matches!(values[other], Value::Pending(Pending::Layer(_)))) {
                    return Ok(Operands::Scalar { of, number, second });
                }
            }
            if let Value::Constant(constant) = &values[constant] {
                return Ok(Operands::Constant { of, constant: constant.clone() });
            }
        }
        Ok(Operands::Images(names))
    }

    pub(super) fn add(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match self.operands(call)? {
            Operands::Numbers(a, b) => self.compute(call, &a, &b, |a, b| {
                let value = a.value.checked_add(b.value)?;
                (a.of_batch == b.of_batch).then_some(Number { value, ..a })
            }),
            Operands::Fractions(a, b) => self.set_number(call, a + b),
            Operands::Scalar { of, number: 0.0, .. } => self.alias(call, of),
            Operands::Scalar { of, number, .. } => {
                let step = |term: Term<'m>| {
                    let part = match number {
                        3.0 if term.is(Part::Same) => Part::Plus3,
                        1.0 if term.is(Part::Erf) => Part::OnePlusErf,
                        _ => return None,
                    };
                    Some(Term { part, factor: 1.0, ..term })
                };
                self.step(call, of, step, || constant_sum("a number"))
            }
            Operands::Constant { of, constant } => {
                if let Value::Pending(Pending::Layer(layer)) = self.value(of)?
                    && constant.learned
                    && is_bias(&constant, &layer)
                {
                    let image = self.layer(layer, Some(constant))?;
                    return self.set(call, Value::Built(image));
                }
                if !constant.learned && constant.is_all(0.0) {
                    return self.alias(call, of);
                }
                Err(constant_sum(&format!("a tensor of dimensions {:?}", constant.dims)))
            }
            Operands::Images(names) => {
                let [a, b] = [self.image(names[0])?, self.image(names[1])?];
                self.equal("a sum", a, b)?;
                let terms = self.ordered(a.value, b.value);
                let value = self.builder.add(&terms)?;
                self.set_image(call, value, a.view)
            }
        }
    }

    pub(super) fn sum(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let images = call.inputs().map(|name| self.image(name)).collect::<Result<Vec<_>, _>>()?;
        let Some((first, others)) = images.split_first() else {
            return Err(Problem::broken("a sum of nothing"));
        };
        for other in others {
            self.equal("a sum", *first, *other)?;
        }
        let values: Vec<_> = images.iter().map(|image| image.value).collect();
        let value = self.builder.add(&values)?;
        self.set_image(call, value, first.view)
    }

    pub(super) fn sub(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match self.operands(call)? {
            Operands::Numbers(a, b) => self.compute(call, &a, &b, |a, b| {
                let value = a.value.checked_sub(b.value)?;
                (a.of_batch == b.of_batch).then_some(Number { value, ..a })
            }),
            Operands::Fractions(a, b) => self.set_number(call, a - b),
            Operands::Scalar { of, number: 0.0, second: true } => self.alias(call, of),
            Operands::Images(_) => Err(Problem::unsupported("a difference of values", "sums of values")),
            _ => Err(constant_sum("a constant")),
        }
    }

    pub(super) fn mul(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match self.operands(call)? {
            Operands::Numbers(a, b) => self.compute(call, &a, &b, |a, b| {
                let value = a.value.checked_mul(b.value)?;
                (!(a.of_batch && b.of_batch)).then_some(Number { value, of_batch: a.of_batch || b.of_batch })
            }),
            Operands::Fractions(a, b) => self.set_number(call, a * b),
            Operands::Scalar { of, number, .. } => self.scale(call, of, number),
            Operands::Constant { constant, .. } => Err(constant_product(&constant)),
            Operands::Images(names) => {
                if let Some(term) = self.product(call, names)? {
                    return self.set_term(call, term);
                }
                let [a, b] = [self.image(names[0])?, self.image(names[1])?];
                let one_pixel = |image: Image| self.shape(image).pixels() == 1;
                let [x, by] = if one_pixel(a) && !one_pixel(b) { [b, a] } else { [a, b] };
                let whole_channels = |x: Image, by: Image| {
                    let channels = self.shape(x).channels;
                    [x.view, by.view] == [View::Image; 2] && self.shape(by) == Shape::new(channels, 1, 1)
                };
                if !whole_channels(x, by) {
                    self.equal("a product", x, by)?;
                }
                let [x, by] = if self.shape(x) == self.shape(by) {
                    self.ordered(x.value, by.value)
                } else {
                    [x.value, by.value]
                };
                let value = self.builder.mul(x, by)?;
                self.set_image(call, value, a.view)
            }
        }
    }

    pub(super) fn div(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match self.operands(call)? {
            Operands::Numbers(a, b) => self.compute(call, &a, &b, |a, b| {
                let value = a.value.checked_div(b.value)?;
                let exact = value.checked_mul(b.value) == Some(a.value);
                // Whole numbers are rounded to zero, but nobody knows where parts of a batch end.
                match (a.of_batch, b.of_batch) {
                    (false, false) => Some(Number::plain(value)),
                    (of_batch, _) if of_batch && exact => Some(Number { value, of_batch: !b.of_batch }),
                    _ => None,
                }
            }),
            Operands::Fractions(a, b) => self.set_number(call, a / b),
            Operands::Scalar { of, number, second: true } if number != 0.0 => {
                self.scale(call, of, 1.0 / number)
            }
            Operands::Constant { constant, .. } => Err(constant_product(&constant)),
            _ => Err(Problem::unsupported("a quotient of values", "products of values")),
        }
    }

    pub(super) fn set_number(&mut self, call: Call<'m>, number: f64) -> Result<(), Problem> {
        self.set(call, Value::Constant(Constant::filled(number, Vec::new())))
    }

    /// A number rounded up or down.
    pub(super) fn round(&mut self, call: Call<'m>, round: fn(f64) -> f64) -> Result<(), Problem> {
        match self.scalar(call.need(0)?)? {
            Some(number) => self.set_number(call, round(number)),
            None => Err(Problem::unsupported("values that are rounded", "numbers that are")),
        }
    }

    /// A product with a number.
    fn scale(&mut self, call: Call<'m>, of: &'m str, number: f64) -> Result<(), Problem> {
        if near(number, 1.0) {
            return self.alias(call, of);
        }
        let mut term = self.term_of(call, of)?;
        // Nothing is put together from an activation times a number, but a multiple of it may be part of another.
        if let Some(Complete::Act(_)) = term.complete() {
            term = self.built_term(call, of)?;
        }
        self.set_term(call, Term { factor: term.factor * number, ..term })
    }

    fn equal(&self, what: &str, a: Image, b: Image) -> Result<(), Problem> {
        if a.view == b.view && self.shape(a) == self.shape(b) {
            return Ok(());
        }
        let dims = |image: Image| {
            let dims = self.dims(image);
            dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
        };
        Err(Problem::unsupported(
            format!("{what} of {} and {}", dims(a), dims(b)),
            "those of equal shapes, and products with one number for every channel",
        ))
    }
}

/// Whether a constant has a number for every output of a layer, and no other dimension.
fn is_bias(constant: &Constant<'_>, layer: &Layer<'_>) -> bool {
    let behind = match layer.kind {
        LayerKind::Conv { .. } => 2,
        LayerKind::Linear | LayerKind::Dense => 0,
    };
    let outputs = layer.weight.dims[0];
    let axis = constant.dims.len().checked_sub(1 + behind);
    constant.elements() == outputs && axis.is_some_and(|axis| constant.dims[axis] == outputs)
}

fn constant_sum(what: &str) -> Problem {
    Problem::unsupported(
        format!("a sum with {what}"),
        "the bias of a layer; normalise images before the network, not in it",
    )
}

fn constant_product(constant: &Constant<'_>) -> Problem {
    Problem::unsupported(
        format!("a product with a tensor of dimensions {:?}", constant.dims),
        "batch normalisation, and products of values; normalise images before the network, not in it",
    )
}
