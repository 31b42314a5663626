//! Numbers that are known before the network runs, in dimensions: shapes, indices, masks, and what is computed of them.

use swapnas_graph::Strided;

use super::constant::{MOST_CONSTANT, Number, fixed};
use super::error::{Limit, Problem};
use super::pools::normal;
use super::shapes::order_of;

/// Numbers in dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table<T> {
    pub items: Vec<T>,
    /// Dimensions, outermost first; none of one number by itself.
    pub dims: Vec<usize>,
}

/// Whole numbers: a shape, a part of one, indices, or one number by itself.
pub(super) type Numbers = Table<Number>;

impl Numbers {
    /// The numbers, if none depends on the batch.
    pub(super) fn fixed(&self) -> Result<Vec<i64>, Problem> {
        fixed(&self.items)
    }

    /// Indices along one dimension as indices of all dimensions, the others being those of the index itself.
    pub(super) fn as_tuples(&self, axis: i64) -> Result<Self, Problem> {
        let Table { items, dims } = self;
        let axis = normal(axis, dims.len())?;
        limited(items.len() as u128 * dims.len() as u128)?;
        let mut tuples = Vec::with_capacity(items.len() * dims.len());
        for (place, index) in items.iter().enumerate() {
            let (first, mut rest) = (tuples.len(), place);
            tuples.resize(first + dims.len(), Number::plain(0));
            for (own, size) in tuples[first..].iter_mut().zip(dims).rev() {
                *own = Number::plain((rest % size) as i64);
                rest /= size;
            }
            tuples[first + axis] = *index;
        }
        Ok(Table { items: tuples, dims: [&dims[..], &[dims.len()]].concat() })
    }

    /// The sum of all numbers of a dimension up to each.
    pub(super) fn summed(&self, axis: usize) -> Result<Self, Problem> {
        let mut sums = self.fixed()?;
        let (size, inner) = (self.dims[axis], self.dims[axis + 1..].iter().product::<usize>());
        for place in (0..sums.len()).filter(|place| place / inner % size > 0) {
            sums[place] = sums[place].saturating_add(sums[place - inner]);
        }
        Ok(Table { items: sums.into_iter().map(Number::plain).collect(), dims: self.dims.clone() })
    }
}

impl<T: Copy> Table<T> {
    /// Numbers of one dimension.
    pub(super) fn list(items: Vec<T>) -> Self {
        Table { dims: vec![items.len()], items }
    }

    /// The same numbers with other dimensions; they have to be as many.
    pub(super) fn with_dims(self, dims: Vec<usize>) -> Self {
        Table { dims, ..self }
    }

    /// Something of each number.
    pub(super) fn map<U>(&self, of: impl FnMut(T) -> U) -> Table<U> {
        Table { items: self.items.iter().copied().map(of).collect(), dims: self.dims.clone() }
    }

    /// Something of each pair of numbers, those of dimensions of one number repeated; none if it is not defined for
    /// one of them.
    pub(super) fn zip<U: Copy, V>(
        &self,
        other: &Table<U>,
        mut of: impl FnMut(T, U) -> Option<V>,
    ) -> Result<Option<Table<V>>, Problem> {
        let dims = common(&self.dims, &other.dims)?;
        limited(dims.iter().map(|dim| *dim as u128).product())?;
        let (a, b) = (self.expanded(&dims)?, other.expanded(&dims)?);
        let pairs = a.places().zip(b.places());
        let items: Option<Vec<V>> = pairs.map(|(x, y)| of(self.items[x], other.items[y])).collect();
        Ok(items.map(|items| Table { items, dims }))
    }

    /// The numbers at indices, replaced by others.
    pub(super) fn scattered(mut self, indices: &Numbers, updates: &Self) -> Result<Self, Problem> {
        let (places, dims) = places_of(indices, &self.dims)?;
        if updates.dims != dims {
            return Err(Problem::broken("indices and numbers that do not fit are scattered"));
        }
        let row = dims[indices.dims.len() - 1..].iter().product::<usize>();
        for (number, to) in places.into_iter().enumerate() {
            self.items[to * row..(to + 1) * row]
                .copy_from_slice(&updates.items[number * row..(number + 1) * row]);
        }
        Ok(self)
    }

    /// The numbers at indices.
    pub(super) fn at(&self, indices: &Numbers) -> Result<Self, Problem> {
        let (places, dims) = places_of(indices, &self.dims)?;
        let row = dims[indices.dims.len() - 1..].iter().product::<usize>();
        limited(row as u128 * places.len() as u128)?;
        let items = places.into_iter().flat_map(|place| &self.items[place * row..(place + 1) * row]);
        Ok(Table { items: items.copied().collect(), dims })
    }

    /// A part of the outermost dimension.
    fn part(&self, range: [i64; 3]) -> Result<Self, Problem> {
        let Some((&rows, inner)) = self.dims.split_first() else {
            return Err(Problem::broken("one number has no parts"));
        };
        let row = inner.iter().product::<usize>();
        let rows = parts(range, rows)?;
        let dims = [rows.len()].into_iter().chain(inner.iter().copied()).collect();
        let items = rows.into_iter().flat_map(|place| &self.items[place * row..(place + 1) * row]);
        Ok(Table { items: items.copied().collect(), dims })
    }

    /// The elements of a view of these.
    fn viewed(&self, view: Strided) -> Self {
        Table { items: view.places().map(|place| self.items[place]).collect(), dims: view.sizes().to_vec() }
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
        let mut items = Vec::new();
        // Where a dimension is 0, there are no rows, however many the others would make.
        for row in 0..if self.items.is_empty() { 0 } else { outer } {
            for place in &places {
                items.extend_from_slice(&self.items[(row * size + place) * inner..][..inner]);
            }
        }
        let mut dims = self.dims.clone();
        dims.splice(axis..=axis, indices.dims.iter().copied());
        Ok(Table { items, dims })
    }

    /// Several joined along a dimension.
    pub(super) fn joined(all: &[Self], axis: i64) -> Result<Self, Problem> {
        let first = all.first().ok_or_else(|| Problem::broken("nothing to join"))?;
        let axis = normal(axis, first.dims.len())?;
        let alike = |other: &Self| {
            other.dims.len() == first.dims.len()
                && other.dims.iter().zip(&first.dims).enumerate().all(|(i, (a, b))| i == axis || a == b)
        };
        if !all.iter().all(alike) {
            return Err(Problem::broken("tables that do not fit are joined"));
        }
        limited(all.iter().map(|numbers| numbers.items.len() as u128).sum())?;
        let outer: usize = first.dims[..axis].iter().product();
        let is_empty = all.iter().all(|numbers| numbers.items.is_empty());
        let mut items = Vec::new();
        for row in 0..if is_empty { 0 } else { outer } {
            for numbers in all {
                let part = numbers.items.len() / outer;
                items.extend_from_slice(&numbers.items[row * part..(row + 1) * part]);
            }
        }
        let mut dims = first.dims.clone();
        dims[axis] = all.iter().map(|numbers| numbers.dims[axis]).sum();
        Ok(Table { items, dims })
    }

    /// All numbers of each dimension so many times, one after the other.
    pub(super) fn tiled(&self, times: &[i64]) -> Result<Self, Problem> {
        if times.len() != self.dims.len() {
            return Err(Problem::broken("a table is repeated along dimensions that it has not"));
        }
        let mut tiled = self.clone();
        for (axis, times) in times.iter().enumerate().filter(|(_, times)| **times != 1) {
            let size = tiled.dims[axis] as i64;
            let times =
                usize::try_from(*times).map_err(|_| Problem::broken("a table, less than no times"))?;
            limited(times as u128 * tiled.items.len().max(1) as u128)?;
            let places = (0..times).flat_map(|_| (0..size).map(Number::plain)).collect();
            tiled = tiled.gathered(axis as i64, &Table::list(places))?;
        }
        Ok(tiled)
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

/// The rows at indices of some first dimensions, which are the last dimension of a table of indices, and the dimensions
/// of all that is there.
pub(super) fn places_of(indices: &Numbers, dims: &[usize]) -> Result<(Vec<usize>, Vec<usize>), Problem> {
    let broken = || Problem::broken("there are indices of more dimensions than there are");
    let (&depth, rows) = indices.dims.split_last().ok_or_else(broken)?;
    let (outer, inner) = dims.split_at_checked(depth).ok_or_else(broken)?;
    let count: usize = rows.iter().product();
    limited(count as u128)?;
    let indices = indices.fixed()?;
    let place = |number: usize| {
        let mut index = indices[number * depth..(number + 1) * depth].iter().zip(outer);
        index.try_fold(0, |place, (index, size)| Ok::<_, Problem>(place * size + normal(*index, *size)?))
    };
    Ok(((0..count).map(place).collect::<Result<_, _>>()?, [rows, inner].concat()))
}

/// The dimensions that two tables have together.
pub(super) fn common(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Problem> {
    let rank = a.len().max(b.len());
    let at = |dims: &[usize], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |axis| dims[axis]);
    let dim = |axis: usize| match [at(a, axis), at(b, axis)] {
        [1, other] | [other, 1] => Ok(other),
        [a, b] if a == b => Ok(a),
        _ => Err(Problem::broken(format!("tables of {a:?} and {b:?} do not fit"))),
    };
    (0..rank).map(dim).collect()
}

pub(super) fn limited(found: u128) -> Result<(), Limit> {
    let most = MOST_CONSTANT as u128;
    if found > most { Err(Limit { what: "numbers of a table", found, most }) } else { Ok(()) }
}

/// The first place and the number of places of a range that goes forward and is not empty.
pub(super) fn range_of([start, end, step]: [i64; 3], size: usize) -> Option<(usize, usize)> {
    let size = i64::try_from(size).ok()?;
    let bound = |bound: i64| (if bound < 0 { bound.saturating_add(size) } else { bound }).clamp(0, size);
    let (first, end) = (bound(start), bound(end));
    let fits = (1..=size).contains(&step) && first < end;
    fits.then_some((first as usize, (end - first) as usize))
}

/// The places of a range of a list, which may go backward.
fn parts([start, end, step]: [i64; 3], size: usize) -> Result<Vec<usize>, Problem> {
    if step > 0 {
        let Some((first, len)) = range_of([start, end, step.min(size.max(1) as i64)], size) else {
            return Ok(Vec::new());
        };
        return Ok((first..first + len).step_by(step as usize).collect());
    }
    if step == 0 {
        return Err(Problem::broken("steps of 0"));
    }
    let size = size as i64;
    let bound = |bound: i64| (if bound < 0 { bound.saturating_add(size) } else { bound }).clamp(-1, size - 1);
    let (first, end) = (bound(start), bound(end));
    let places = (0..).map(|i: i64| step.checked_mul(i).and_then(|way| first.checked_add(way)));
    let places = places.map_while(|place| place.filter(|place| *place > end));
    Ok(places.map(|place| place as usize).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(dims: &[usize]) -> Table<i64> {
        Table { items: (0..dims.iter().product::<usize>() as i64).collect(), dims: dims.to_vec() }
    }

    fn numbers(items: &[i64], dims: &[usize]) -> Numbers {
        Table { items: items.iter().copied().map(Number::plain).collect(), dims: dims.to_vec() }
    }

    #[test]
    fn numbers_are_taken_and_put_by_their_indices() {
        let of = table(&[2, 3, 2]);
        // By two of three dimensions: pairs of numbers.
        let indices = numbers(&[1, 0, 0, -1], &[2, 2]);
        let found = of.at(&indices).unwrap();
        assert_eq!(found, Table { items: vec![6, 7, 4, 5], dims: vec![2, 2] });
        let put = of.clone().scattered(&indices, &found.map(|x| -x)).unwrap();
        assert_eq!(put.items, [0, 1, 2, 3, -4, -5, -6, -7, 8, 9, 10, 11]);
        // By one dimension, the others as they are.
        let along = numbers(&[2, 0, 1, 1], &[1, 2, 2]).as_tuples(1).unwrap();
        assert_eq!(of.at(&along).unwrap(), Table { items: vec![4, 1, 2, 3], dims: vec![1, 2, 2] });
        let wrong = |indices: &Numbers| of.at(indices).unwrap_err().to_string();
        insta::assert_snapshot!(wrong(&numbers(&[0; 4], &[4])), @"the file is broken: there are indices of more dimensions than there are");
        assert!(of.at(&numbers(&[0, 3], &[1, 2])).is_err(), "the second dimension ends at 2");
        assert!(of.clone().scattered(&indices, &table(&[2, 3])).is_err());
    }

    #[test]
    fn tables_are_repeated_summed_and_paired() {
        let of = table(&[2, 2]);
        assert_eq!(of.tiled(&[1, 2]).unwrap().items, [0, 1, 0, 1, 2, 3, 2, 3]);
        assert_eq!(of.tiled(&[2, 1]).unwrap().items, [0, 1, 2, 3, 0, 1, 2, 3]);
        for times in [&[2][..], &[1, i64::MAX], &[-1, 1]] {
            assert!(of.tiled(times).is_err(), "{times:?}");
        }
        let sums = |axis| numbers(&[1, 2, 3, 4, 5, 6], &[2, 3]).summed(axis).unwrap().fixed().unwrap();
        assert_eq!(sums(0), [1, 2, 3, 5, 7, 9]);
        assert_eq!(sums(1), [1, 3, 6, 4, 9, 15]);
        let column = Table { items: vec![10, 20], dims: vec![2, 1] };
        let pairs = of.zip(&column, |a, b| Some(a + b)).unwrap().unwrap();
        assert_eq!(pairs, Table { items: vec![10, 11, 22, 23], dims: vec![2, 2] });
        assert_eq!(of.zip(&column, |a, b| a.checked_rem(b - 10)).unwrap(), None);
        assert!(of.zip(&table(&[3]), |a, b| Some((a, b))).is_err());
    }

    /// A file can say that there are very many rows of nothing.
    #[test]
    fn tables_of_nothing_take_no_time_and_no_memory() {
        let many = 1 << 61;
        let of = table(&[many, 0, 2]);
        assert!(of.gathered(1, &numbers(&[], &[0])).unwrap().items.is_empty());
        assert!(Table::joined(&[of.clone(), of.clone()], 2).unwrap().items.is_empty());
        assert!(of.tiled(&[1, i64::MAX, 1]).is_err());
        let none = numbers(&[], &[many, 0]);
        assert!(of.at(&none).is_err());
        assert!(of.clone().scattered(&none, &of).is_err());
        assert!(numbers(&[], &[0, many]).as_tuples(0).unwrap().items.is_empty());
        assert!(of.zip(&of, |a, b| Some(a + b)).unwrap().unwrap().items.is_empty());
    }
}
