//! What is computed of tables, before the network runs.

use super::arithmetic::Combine;
use super::attributes::Call;
use super::constant::{Constant, Number, fixed};
use super::error::Problem;
use super::functions::linear;
use super::pools::normal;
use super::reader::Reader;
use super::table::{Numbers, Table, limited};
use super::value::Value;

/// What is computed of whole numbers.
pub(super) type Arithmetic = fn(Number, Number) -> Option<Number>;

/// Of one table or another, by whether a third says so.
fn chosen<T: Copy>(condition: &Numbers, a: &Table<T>, b: &Table<T>) -> Result<Table<T>, Problem> {
    let both = a.zip(b, |x, y| Some((x, y)))?.expect("pairs of all numbers");
    let pick = |c: Number, (x, y)| Some(if c.value != 0 { x } else { y });
    Ok(condition.zip(&both, pick)?.expect("one of all pairs"))
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
        let computed = a.zip(b, arithmetic)?.ok_or_else(|| {
            Problem::unsupported(
                "a size that is computed this way",
                "whole sizes, and multiples of the batch",
            )
        })?;
        self.set(call, Value::Numbers(computed))
    }

    /// The same of the two inputs of a node.
    pub(super) fn pairwise(&mut self, call: Call<'m>, arithmetic: Arithmetic) -> Result<(), Problem> {
        let [a, b] = [self.whole_numbers(call.need(0)?)?, self.whole_numbers(call.need(1)?)?];
        self.compute(call, &a, &b, arithmetic)
    }

    /// Numbers that are known and that the network does not learn, whole ones or not.
    pub(super) fn fractions(&mut self, name: &'m str) -> Result<Option<Table<f32>>, Problem> {
        Ok(match self.value(name)? {
            Value::Constant(constant) => constant.table(),
            Value::Numbers(numbers) if numbers.items.iter().all(|number| !number.of_batch) => {
                Some(numbers.map(|number| number.value as f32))
            }
            _ => None,
        })
    }

    /// The same of the two inputs of a node, if not both are whole numbers.
    pub(super) fn two_fractions(&mut self, names: [&'m str; 2]) -> Result<Option<[Table<f32>; 2]>, Problem> {
        let are_whole = [self.value(names[0])?, self.value(names[1])?];
        if are_whole.iter().all(|value| matches!(value, Value::Numbers(_))) {
            return Ok(None);
        }
        Ok(self.fractions(names[0])?.zip(self.fractions(names[1])?).map(|(a, b)| [a, b]))
    }

    /// The comparisons and logical operations of tables, and the remainder.
    pub(super) fn compare(&mut self, call: Call<'m>, operator: &str) -> Result<(), Problem> {
        // Texts have no tokens that stand for nothing, which is what tokens are compared with.
        for (tokens, other) in [(0, 1), (1, 0)] {
            if operator == "Equal"
                && let Some(tokens) = self.tokens_of_text(call.need(tokens)?)?
                && self.scalar(call.need(other)?)?.is_some()
            {
                let items = vec![Number::plain(0); tokens.view.len()];
                return self.set(call, Value::Numbers(Table { items, dims: tokens.dims().to_vec() }));
            }
        }
        let of_fractions: Option<fn(&f32, &f32) -> bool> = match operator {
            "Equal" => Some(f32::eq),
            "Greater" => Some(f32::gt),
            "GreaterOrEqual" => Some(f32::ge),
            "Less" => Some(f32::lt),
            "LessOrEqual" => Some(f32::le),
            _ => None,
        };
        if let Some(holds) = of_fractions
            && let Some([a, b]) = self.two_fractions([call.need(0)?, call.need(1)?])?
        {
            let table = a.zip(&b, |x, y| Some(truth(holds(&x, &y))))?;
            return self.set(call, Value::Numbers(table.expect("it is defined for all numbers")));
        }
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
    pub(super) fn each(
        &mut self,
        call: Call<'m>,
        of: fn(i64) -> i64,
        of_fraction: fn(f32) -> f32,
    ) -> Result<(), Problem> {
        if matches!(self.value(call.need(0)?)?, Value::Constant(_))
            && let Some(table) = self.fractions(call.need(0)?)?
        {
            return self.set(call, Value::Constant(Constant::listed(table.map(of_fraction))));
        }
        let numbers = self.numbers(call.need(0)?)?;
        let items = numbers.fixed()?.into_iter().map(|number| Number::plain(of(number))).collect();
        self.set(call, Value::Numbers(Numbers { items, dims: numbers.dims }))
    }

    /// The contrary of what a table says, or 1 - x of what is computed.
    pub(super) fn not(&mut self, call: Call<'m>) -> Result<(), Problem> {
        match self.value(call.need(0)?)? {
            Value::Built(_) => self.apply(call, call.need(0)?, linear(-1.0, 1.0)?),
            _ => self.each(call, |x| i64::from(x == 0), |x| f32::from(u8::from(x == 0.0))),
        }
    }

    /// One thing or another, by whether a table says so.
    pub(super) fn choose(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let condition = self.numbers(call.need(0)?)?;
        let names = [call.need(1)?, call.need(2)?];
        if let [Value::Numbers(a), Value::Numbers(b)] = [self.value(names[0])?, self.value(names[1])?] {
            let chosen = chosen(&condition, &a, &b)?;
            return self.set(call, Value::Numbers(chosen));
        }
        if let Some([a, b]) = self.two_fractions(names)? {
            let chosen = chosen(&condition, &a, &b)?;
            return self.set(call, Value::Constant(Constant::listed(chosen)));
        }
        // The same everywhere, one of both is what is chosen, unless the other has more elements.
        if let [says] = condition.items[..] {
            let [chosen, other] = if says.value != 0 { names } else { [names[1], names[0]] };
            let is_one = matches!(self.value(other)?, Value::Constant(other) if other.dims.is_empty());
            if condition.dims.is_empty() && is_one {
                return self.alias(call, chosen);
            }
        }
        self.choose_elements(call, &condition, names)
    }

    /// A table in which some numbers are replaced: by indices of all dimensions, or of the first ones.
    pub(super) fn scatter(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let indices = self.numbers(call.need(1)?)?;
        self.replace(call, &indices)
    }

    /// The same by indices along one dimension, the others being those of the index itself.
    pub(super) fn scatter_along(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let indices = self.numbers(call.need(1)?)?.as_tuples(call.int("axis")?.unwrap_or(0))?;
        self.replace(call, &indices)
    }

    /// The numbers of a table at such indices.
    pub(super) fn gather_along(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let indices = self.numbers(call.need(1)?)?.as_tuples(call.int("axis")?.unwrap_or(0))?;
        if let Value::Numbers(numbers) = self.value(call.need(0)?)? {
            return self.set(call, Value::Numbers(numbers.at(&indices)?));
        }
        let table = self.fractions(call.need(0)?)?;
        let table =
            table.ok_or_else(|| Problem::unsupported("indices for each element", "indices for all rows"))?;
        self.set(call, Value::Constant(Constant::listed(table.at(&indices)?)))
    }

    /// What is above or below a diagonal of each matrix, and zeros elsewhere.
    pub(super) fn triangle(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let is_upper = call.switch("upper", true)?;
        let diagonal = match call.input(1) {
            Some(name) => match self.whole_numbers(name)?.fixed()?[..] {
                [diagonal] => diagonal,
                _ => return Err(Problem::broken("a triangle with several diagonals")),
            },
            None => 0,
        };
        let name = call.need(0)?;
        let keeps = |place: usize, dims: &[usize]| {
            let &[.., rows, columns] = dims else { return true };
            let [row, column] = [place / columns % rows, place % columns].map(|place| place as i64);
            if is_upper { column - row >= diagonal } else { column - row <= diagonal }
        };
        if let Value::Numbers(mut numbers) = self.value(name)? {
            for (place, number) in numbers.items.iter_mut().enumerate() {
                *number = if keeps(place, &numbers.dims) { *number } else { Number::plain(0) };
            }
            return self.set(call, Value::Numbers(numbers));
        }
        let Some(mut table) = self.fractions(name)? else {
            return Err(Problem::unsupported("a triangle of what is computed", "triangles of constants"));
        };
        for (place, number) in table.items.iter_mut().enumerate() {
            *number = if keeps(place, &table.dims) { *number } else { 0.0 };
        }
        self.set(call, Value::Constant(Constant::listed(table)))
    }

    /// For each number a list with one number in its place and another one everywhere else.
    pub(super) fn one_hot(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let places = self.numbers(call.need(0)?)?;
        let [depth] = self.whole_numbers(call.need(1)?)?.fixed()?[..] else {
            return Err(Problem::broken("lists of several lengths"));
        };
        let &[off, on] = &self.whole_numbers(call.need(2)?)?.items[..] else {
            return Err(Problem::broken("it needs one number for what is there and one for what is not"));
        };
        let rank = places.dims.len() + 1;
        if normal(call.int("axis")?.unwrap_or(-1), rank)? + 1 != rank {
            return Err(Problem::unsupported("lists in another dimension than the last", "such in the last"));
        }
        let length = usize::try_from(depth).map_err(|_| Problem::broken("a list of negative length"))?;
        limited(length as u128 * places.items.len() as u128)?;
        let mut items = Vec::with_capacity(length * places.items.len());
        for place in places.fixed()? {
            let place = normal(place, length)?;
            items.extend((0..length).map(|other| if other == place { on } else { off }));
        }
        let dims = [&places.dims[..], &[length]].concat();
        self.set(call, Value::Numbers(Numbers { items, dims }))
    }

    fn replace(&mut self, call: Call<'m>, indices: &Numbers) -> Result<(), Problem> {
        if call.text("reduction")?.is_some_and(|reduction| reduction != "none") {
            return Err(Problem::unsupported(
                "numbers that are scattered and added",
                "such that replace others",
            ));
        }
        let names = [call.need(0)?, call.need(2)?];
        if let [Value::Numbers(numbers), Value::Numbers(updates)] =
            [self.value(names[0])?, self.value(names[1])?]
        {
            let replaced = numbers.scattered(indices, &updates)?;
            return self.set(call, Value::Numbers(replaced));
        }
        let updates = self.fractions(names[1])?;
        let updates =
            updates.ok_or_else(|| Problem::unsupported("values that are scattered", "constants that are"))?;
        if let Some(numbers) = self.fractions(names[0])? {
            let replaced = numbers.scattered(indices, &updates)?;
            return self.set(call, Value::Constant(Constant::listed(replaced)));
        }
        // What is computed keeps the elements that are not replaced: times 1 or 0, plus 0 or what replaces it.
        let of = self.image(names[0])?;
        if of.batch.is_some() {
            return Err(Problem::unsupported(
                "replaced elements of samples",
                "replaced elements of parameters",
            ));
        }
        limited(of.view.len() as u128)?;
        let all = |number: f32| Table { items: vec![number; of.view.len()], dims: of.dims().to_vec() };
        let kept = all(1.0).scattered(indices, &updates.map(|_| 0.0))?;
        let put = all(0.0).scattered(indices, &updates)?;
        let kept = self.constant_image(&Constant::listed(kept))?;
        let put = self.constant_image(&Constant::listed(put))?;
        let image = self.combined([of, kept], Combine::Product)?;
        let image = self.combined([image, put], Combine::Sum)?;
        self.set(call, Value::Built(image))
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
