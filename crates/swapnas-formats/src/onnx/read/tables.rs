//! Tables of whole numbers: shapes, indices, and what exporters compute of them.

use swapnas_graph::Strided;

use super::attributes::Call;
use super::constant::{MOST_CONSTANT, Number, Numbers, fixed, range_of};
use super::error::{Limit, Problem};
use super::pools::normal;
use super::reader::Reader;
use super::shapes::order_of;
use super::value::Value;

/// What is computed of whole numbers.
pub(super) type Arithmetic = fn(Number, Number) -> Option<Number>;

impl Numbers {
    /// The elements of a view of these.
    fn viewed(&self, view: Strided) -> Numbers {
        Numbers { items: view.places().map(|place| self.items[place]).collect(), dims: view.sizes().to_vec() }
    }

    fn view(&self) -> Result<Strided, Problem> {
        Strided::contiguous(&self.dims).ok_or_else(|| Problem::broken("a table of too many dimensions"))
    }

    /// Dimensions in another order; all turned round if none is given.
    pub(super) fn permuted(&self, order: Option<&[i64]>) -> Result<Self, Problem> {
        let order = order_of(order, self.dims.len())?;
        Ok(self.viewed(self.view()?.permuted(&order)))
    }

    /// Parts of a dimension from front to back; of lists, also from back to front.
    pub(super) fn part_of(&self, axis: i64, range: [i64; 3]) -> Result<Self, Problem> {
        let axis = normal(axis, self.dims.len())?;
        if axis == 0 {
            return self.part(range);
        }
        let found = range_of(range, self.dims[axis]);
        let (first, len) = found.ok_or_else(|| {
            Problem::unsupported("this part of a table", "parts of tables from front to back")
        })?;
        let step = range[2] as usize;
        Ok(self.viewed(self.view()?.part(axis, first, len.div_ceil(step), step)))
    }

    /// The elements with these indices of a dimension, which the dimensions of the indices replace.
    pub(super) fn gathered(&self, axis: i64, indices: &Numbers) -> Result<Self, Problem> {
        let axis = normal(axis, self.dims.len())?;
        let size = self.dims[axis];
        let places = indices.fixed()?;
        let places = places.iter().map(|place| normal(*place, size)).collect::<Result<Vec<_>, _>>()?;
        let inner: usize = self.dims[axis + 1..].iter().product();
        let outer: usize = self.dims[..axis].iter().product();
        limited(outer as u128 * places.len() as u128 * inner as u128)?;
        let mut items = Vec::with_capacity(outer * places.len() * inner);
        for row in 0..outer {
            for place in &places {
                items.extend_from_slice(&self.items[(row * size + place) * inner..][..inner]);
            }
        }
        let mut dims = self.dims.clone();
        dims.splice(axis..=axis, indices.dims.iter().copied());
        Ok(Numbers { items, dims })
    }

    /// Several joined along a dimension.
    pub(super) fn joined(all: &[Numbers], axis: i64) -> Result<Self, Problem> {
        let first = all.first().ok_or_else(|| Problem::broken("nothing to join"))?;
        let axis = normal(axis, first.dims.len())?;
        let alike = |other: &Numbers| {
            other.dims.len() == first.dims.len()
                && other.dims.iter().zip(&first.dims).enumerate().all(|(i, (a, b))| i == axis || a == b)
        };
        if !all.iter().all(alike) {
            return Err(Problem::broken("tables that do not fit are joined"));
        }
        limited(all.iter().map(|numbers| numbers.items.len() as u128).sum())?;
        let outer: usize = first.dims[..axis].iter().product();
        let mut items = Vec::new();
        for row in 0..outer {
            for numbers in all {
                let part = numbers.items.len() / outer;
                items.extend_from_slice(&numbers.items[row * part..(row + 1) * part]);
            }
        }
        let mut dims = first.dims.clone();
        dims[axis] = all.iter().map(|numbers| numbers.dims[axis]).sum();
        Ok(Numbers { items, dims })
    }

    /// The same with the elements of dimensions of one element repeated.
    pub(super) fn repeated(&self, wanted: &[usize]) -> Result<Self, Problem> {
        let dims = common(&self.dims, wanted)?;
        limited(dims.iter().map(|dim| *dim as u128).product())?;
        Ok(self.viewed(self.expanded(&dims)?))
    }

    fn expanded(&self, dims: &[usize]) -> Result<Strided, Problem> {
        let own = self.view()?;
        let before = dims.len() - self.dims.len();
        let strides = std::iter::repeat_n((1, 0), before).chain(own.dims());
        let all: Vec<(usize, usize)> = strides
            .zip(dims)
            .map(|((size, stride), dim)| (*dim, if size == 1 { 0 } else { stride }))
            .collect();
        Strided::new(&all, 0).ok_or_else(|| Problem::broken("a table of too many dimensions"))
    }
}

/// The dimensions that two tables have together.
fn common(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Problem> {
    let rank = a.len().max(b.len());
    let at = |dims: &[usize], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |axis| dims[axis]);
    let dim = |axis: usize| match [at(a, axis), at(b, axis)] {
        [1, other] | [other, 1] => Ok(other),
        [a, b] if a == b => Ok(a),
        _ => Err(Problem::broken(format!("tables of {a:?} and {b:?} do not fit"))),
    };
    (0..rank).map(dim).collect()
}

fn limited(found: u128) -> Result<(), Limit> {
    let most = MOST_CONSTANT as u128;
    if found > most { Err(Limit { what: "whole numbers of a table", found, most }) } else { Ok(()) }
}

/// Whether a comparison holds, as a number.
fn truth(holds: bool) -> Number {
    Number::plain(i64::from(holds))
}

impl<'m> Reader<'m> {
    /// Computes something of numbers, one by one.
    pub(super) fn compute(
        &mut self,
        call: Call<'m>,
        a: &Numbers,
        b: &Numbers,
        arithmetic: Arithmetic,
    ) -> Result<(), Problem> {
        let dims = common(&a.dims, &b.dims)?;
        limited(dims.iter().map(|dim| *dim as u128).product())?;
        let (of_a, of_b) = (a.expanded(&dims)?, b.expanded(&dims)?);
        let pairs = of_a.places().zip(of_b.places());
        let items: Option<Vec<Number>> = pairs.map(|(x, y)| arithmetic(a.items[x], b.items[y])).collect();
        let items = items.ok_or_else(|| {
            Problem::unsupported(
                "a size that is computed this way",
                "whole sizes, and multiples of the batch",
            )
        })?;
        self.set(call, Value::Numbers(Numbers { items, dims }))
    }

    /// The same of the two inputs of a node.
    pub(super) fn pairwise(&mut self, call: Call<'m>, arithmetic: Arithmetic) -> Result<(), Problem> {
        let [a, b] = [self.whole_numbers(call.need(0)?)?, self.whole_numbers(call.need(1)?)?];
        self.compute(call, &a, &b, arithmetic)
    }

    /// The comparisons and logical operations of tables, and the remainder.
    pub(super) fn compare(&mut self, call: Call<'m>, operator: &str) -> Result<(), Problem> {
        // How many times the batch, and how many, are never the same number, whatever the batch.
        let arithmetic: Arithmetic = match operator {
            "Equal" => |a, b| Some(truth(a == b)),
            "Greater" => |a, b| (a.of_batch == b.of_batch).then(|| truth(a.value > b.value)),
            "GreaterOrEqual" => |a, b| (a.of_batch == b.of_batch).then(|| truth(a.value >= b.value)),
            "Less" => |a, b| (a.of_batch == b.of_batch).then(|| truth(a.value < b.value)),
            "LessOrEqual" => |a, b| (a.of_batch == b.of_batch).then(|| truth(a.value <= b.value)),
            "And" => |a, b| Some(truth(a.value != 0 && b.value != 0)),
            "Or" => |a, b| Some(truth(a.value != 0 || b.value != 0)),
            _ => |a, b| {
                let rest = a.value.checked_rem(b.value)?;
                // The remainder has the sign of the divisor.
                let rest = if rest != 0 && (rest < 0) != (b.value < 0) { rest + b.value } else { rest };
                (!a.of_batch && !b.of_batch).then(|| Number::plain(rest))
            },
        };
        self.pairwise(call, arithmetic)
    }

    /// Computes something of each number.
    pub(super) fn each(&mut self, call: Call<'m>, of: fn(i64) -> i64) -> Result<(), Problem> {
        let numbers = self.numbers(call.need(0)?)?;
        let items = numbers.fixed()?.into_iter().map(|number| Number::plain(of(number))).collect();
        self.set(call, Value::Numbers(Numbers { items, dims: numbers.dims }))
    }

    /// One thing or another, by whether a table says so.
    pub(super) fn choose(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let condition = self.numbers(call.need(0)?)?;
        let names = [call.need(1)?, call.need(2)?];
        if let [Value::Numbers(a), Value::Numbers(b)] = [self.value(names[0])?, self.value(names[1])?] {
            let dims = common(&common(&a.dims, &b.dims)?, &condition.dims)?;
            limited(dims.iter().map(|dim| *dim as u128).product())?;
            let (of_a, of_b, of_c) = (a.expanded(&dims)?, b.expanded(&dims)?, condition.expanded(&dims)?);
            let places = of_c.places().zip(of_a.places().zip(of_b.places()));
            let pick = |(c, (x, y)): (usize, (usize, usize))| {
                if condition.items[c].value != 0 { a.items[x] } else { b.items[y] }
            };
            let items = places.map(pick).collect();
            return self.set(call, Value::Numbers(Numbers { items, dims }));
        }
        self.choose_elements(call, &condition, names)
    }

    /// Numbers from one to another in equal steps.
    pub(super) fn range(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let mut bound = |index: usize| -> Result<i64, Problem> {
            match self.whole_numbers(call.need(index)?)?.fixed()?[..] {
                [number] => Ok(number),
                _ => Err(Problem::broken("a range with bounds that are no single numbers")),
            }
        };
        let (start, end, step) = (bound(0)?, bound(1)?, bound(2)?);
        if step == 0 {
            return Err(Problem::broken("steps of 0"));
        }
        let count = (i128::from(end) - i128::from(start)).div_euclid(i128::from(step))
            + i128::from((i128::from(end) - i128::from(start)).rem_euclid(i128::from(step)) != 0);
        let count = count.max(0) as u128;
        limited(count)?;
        let items = (0..count as i64).map(|i| Number::plain(start + i * step)).collect();
        self.set(call, Value::Numbers(Numbers::list(items)))
    }

    /// The product of a list of sizes.
    pub(super) fn product_of_list(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let numbers = self.numbers(call.need(0)?)?;
        let keeps = call.switch("keepdims", true)?;
        let product = fixed(&numbers.items)?.iter().try_fold(1i64, |product, x| product.checked_mul(*x));
        let product = product.ok_or_else(|| Problem::broken("sizes that are too large"))?;
        let dims = if keeps { vec![1; numbers.dims.len()] } else { Vec::new() };
        self.set(call, Value::Numbers(Numbers { items: vec![Number::plain(product)], dims }))
    }
}
