//! Sums and products, of images, with numbers, and of numbers.

use swapnas_graph::tensor::{Function, Real};
use swapnas_graph::{Shape, Strided};

use super::attributes::Call;
use super::constant::{Constant, Number};
use super::error::Problem;
use super::functions::linear;
use super::reader::Reader;
use super::table::{Numbers, Table};
use super::value::{Complete, Image, Layer, LayerKind, Part, Pending, Term, Value, near};
use super::views::{is_own, storage_order};

/// What two operands of a sum or product are.
enum Operands<'m> {
    Numbers(Numbers, Numbers),
    /// Two numbers that are not whole.
    Fractions(f64, f64),
    /// Tables of such.
    Tables([Table<f32>; 2]),
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
        if let Some(tables) = self.two_fractions(names)? {
            return Ok(Operands::Tables(tables));
        }
        for (constant, other) in [(1, 0), (0, 1)] {
            let (of, second) = (names[other], constant == 1);
            let is_parameter = matches!(&values[constant], Value::Constant(c) if c.is_parameter());
            if let Some(number) = self.scalar(names[constant])?.filter(|_| !is_parameter) {
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
            Operands::Tables(tables) => self.set_table(call, tables, |a, b| a + b),
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
                self.step(call, of, step, linear(1.0, number)?)
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
                self.pair(call, Combine::Sum)
            }
            Operands::Images(_) => self.pair(call, Combine::Sum),
        }
    }

    pub(super) fn sum(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let images = call.inputs().map(|name| self.image(name)).collect::<Result<Vec<_>, _>>()?;
        let Some((first, others)) = images.split_first() else {
            return Err(Problem::broken("a sum of nothing"));
        };
        if others.iter().all(|other| (other.view, other.batch) == (first.view, first.batch))
            && others.iter().all(|other| self.shape(*other) == self.shape(*first))
        {
            let values: Vec<_> = images.iter().map(|image| image.value).collect();
            let value = self.builder.add(&values)?;
            return self.set(call, Value::Built(Image { value, ..*first }));
        }
        let mut sum = *first;
        for other in others {
            sum = self.combined([sum, *other], Combine::Sum)?;
        }
        self.set(call, Value::Built(sum))
    }

    /// The sum or product of the two inputs of a node.
    fn pair(&mut self, call: Call<'m>, combine: Combine) -> Result<(), Problem> {
        let images = [self.image(call.need(0)?)?, self.image(call.need(1)?)?];
        let image = self.combined(images, combine)?;
        self.set(call, Value::Built(image))
    }

    /// The sum or product of two values; the elements of dimensions in which one has a single element are repeated.
    pub(super) fn combined(&mut self, images: [Image; 2], combine: Combine) -> Result<Image, Problem> {
        let images = self.as_batches(images);
        let common = self.common(&images)?;
        let views = [self.expanded(images[0], &common)?, self.expanded(images[1], &common)?];
        // One of both decides how the result lies, and where it is the other stays as it is.
        let lies = |which: &usize| {
            is_own(&views[*which], self.shape(images[*which]))
                && images[*which].batch.is_some() == common.batch.is_some()
        };
        let base = match [0, 1].iter().position(lies) {
            Some(0) => [images[0], images[1]],
            Some(_) => [images[1], images[0]],
            None => {
                let first = usize::from(images[0].batch.is_none());
                let view = views[first];
                let own =
                    self.own(Image { view, batch: common.batch, before: common.before, ..images[first] })?;
                [own, images[1 - first]]
            }
        };
        let [base, other] = base;
        let shape = self.shape(base);
        let view = self.expanded(base, &common)?;
        let result = |value| Image { value, view, batch: common.batch, before: common.before };
        let of_other = self.expanded(other, &common)?;
        if of_other == view && self.shape(other) == shape {
            let values = self.ordered(base.value, other.value);
            return Ok(result(match combine {
                Combine::Sum => self.builder.add(&values)?,
                Combine::Product => self.builder.mul(values[0], values[1])?,
            }));
        }
        let stored = of_other.permuted(&storage_order(&view));
        let of_channels =
            Strided::new(&[(shape.channels, 1), (shape.pixels(), 0)], 0).map(|view| view.merged());
        if combine == Combine::Product
            && self.shape(other) == Shape::new(shape.channels, 1, 1)
            && Some(stored.merged()) == of_channels
        {
            return Ok(result(self.builder.mul(base.value, other.value)?));
        }
        let other = self.in_order(other.with(stored, None), shape)?;
        let values = self.ordered(base.value, other);
        Ok(result(match combine {
            Combine::Sum => self.builder.add(&values)?,
            Combine::Product => self.builder.mul(values[0], values[1])?,
        }))
    }

    pub(super) fn sub(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match self.operands(call)? {
            Operands::Numbers(a, b) => self.compute(call, &a, &b, |a, b| {
                let value = a.value.checked_sub(b.value)?;
                (a.of_batch == b.of_batch).then_some(Number { value, ..a })
            }),
            Operands::Fractions(a, b) => self.set_number(call, a - b),
            Operands::Tables(tables) => self.set_table(call, tables, |a, b| a - b),
            Operands::Scalar { of, number: 0.0, second: true } => self.alias(call, of),
            Operands::Scalar { of, number, second: true } => self.apply(call, of, linear(1.0, -number)?),
            Operands::Scalar { of, number, second: false } => self.apply(call, of, linear(-1.0, number)?),
            Operands::Images(_) | Operands::Constant { .. } => {
                let [first, second] = [self.image(call.need(0)?)?, self.image(call.need(1)?)?];
                let minus = linear(-1.0, 0.0)?;
                let second = self.applied(second, minus)?;
                let image = self.combined([first, second], Combine::Sum)?;
                self.set(call, Value::Built(image))
            }
        }
    }

    pub(super) fn mul(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match self.operands(call)? {
            Operands::Numbers(a, b) => self.compute(call, &a, &b, |a, b| {
                let value = a.value.checked_mul(b.value)?;
                (!(a.of_batch && b.of_batch)).then_some(Number { value, of_batch: a.of_batch || b.of_batch })
            }),
            Operands::Fractions(a, b) => self.set_number(call, a * b),
            Operands::Tables(tables) => self.set_table(call, tables, |a, b| a * b),
            Operands::Scalar { of, number, .. } => self.scale(call, of, number),
            Operands::Constant { .. } => self.pair(call, Combine::Product),
            Operands::Images(names) => {
                if let Some(term) = self.product(call, names)? {
                    return self.set_term(call, term);
                }
                self.pair(call, Combine::Product)
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
            Operands::Tables(tables) => self.set_table(call, tables, |a, b| a / b),
            Operands::Scalar { of, number, second: true } if number != 0.0 => {
                self.scale(call, of, 1.0 / number)
            }
            Operands::Scalar { number: 0.0, second: true, .. } => Err(Problem::broken("a division by 0")),
            Operands::Scalar { of, number, .. } => {
                let of = self.image(of)?;
                let inverse = self.applied(of, Function::Reciprocal)?;
                let times = linear(number, 0.0)?;
                let image = if number == 1.0 { inverse } else { self.applied(inverse, times)? };
                self.set(call, Value::Built(image))
            }
            Operands::Images(_) | Operands::Constant { .. } => {
                let [first, second] = [self.image(call.need(0)?)?, self.image(call.need(1)?)?];
                let second = self.applied(second, Function::Reciprocal)?;
                let image = self.combined([first, second], Combine::Product)?;
                self.set(call, Value::Built(image))
            }
        }
    }

    /// What is computed of the numbers of two tables.
    pub(super) fn set_table(
        &mut self,
        call: Call<'m>,
        [a, b]: [Table<f32>; 2],
        of: fn(f32, f32) -> f32,
    ) -> Result<(), Problem> {
        let table = a.zip(&b, |x, y| Some(of(x, y)))?.expect("it is defined for all numbers");
        self.set(call, Value::Constant(Constant::listed(table)))
    }

    pub(super) fn set_number(&mut self, call: Call<'m>, number: f64) -> Result<(), Problem> {
        self.set(call, Value::Constant(Constant::filled(number, Vec::new())))
    }

    /// Numbers rounded up or down.
    pub(super) fn round(&mut self, call: Call<'m>, round: fn(f64) -> f64) -> Result<(), Problem> {
        if let Some(number) = self.scalar(call.need(0)?)? {
            return self.set_number(call, round(number));
        }
        let table = self.fractions(call.need(0)?)?;
        let table =
            table.ok_or_else(|| Problem::unsupported("values that are rounded", "numbers that are"))?;
        let rounded = table.map(|x| round(x.into()) as f32);
        self.set(call, Value::Constant(Constant::listed(rounded)))
    }

    /// A product with a number.
    fn scale(&mut self, call: Call<'m>, of: &'m str, number: f64) -> Result<(), Problem> {
        if near(number, 1.0) {
            return self.alias(call, of);
        }
        let mut term = self.term_of(call, of)?;
        // Nothing is put together from an activation times a number, but a multiple of it may be part of another.
        if matches!(term.complete(), Complete::Act(_)) {
            term = self.built_term(call, of)?;
        }
        self.set_term(call, Term { factor: term.factor * number, ..term })
    }
}

/// Whether a constant has a number for every output of a layer, and no other dimension.
fn is_bias(constant: &Constant<'_>, layer: &Layer<'_>) -> bool {
    let behind = match layer.kind {
        LayerKind::Conv { is_line, .. } | LayerKind::ConvTranspose { is_line, .. } => {
            2 - usize::from(is_line)
        }
        LayerKind::Linear | LayerKind::Dense => 0,
    };
    let outputs = layer.kind.outputs(&layer.weight.dims);
    let axis = constant.dims.len().checked_sub(1 + behind);
    constant.elements() == outputs && axis.is_some_and(|axis| constant.dims[axis] == outputs)
}

/// What becomes of pairs of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Combine {
    Sum,
    Product,
}

/// A number of the file.
pub(super) fn real(number: f64) -> Result<Real, Problem> {
    Real::new(number).ok_or_else(|| Problem::broken("a number that is not finite"))
}
