//! Products of matrices.

use swapnas_graph::Strided;
use swapnas_graph::tensor::Product;

use super::attributes::Call;
use super::error::Problem;
use super::reader::Reader;
use super::shapes::shape_of;
use super::value::{Image, Value};
use super::views::Common;

impl<'m> Reader<'m> {
    pub(super) fn matmul(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let names = [call.need(0)?, call.need(1)?];
        if let Value::Constant(weight) = self.value(names[1])?
            && weight.dims.len() == 2
            && !matches!(self.value(names[0])?, Value::Constant(_))
        {
            let weight = weight.transposed()?;
            return self.linear(call, weight, None);
        }
        let images = [self.image(names[0])?, self.image(names[1])?];
        let [a, b] = self.as_batches(images);
        if a.dims().len() < 2 || b.dims().len() < 2 {
            return Err(Problem::unsupported("a product with a vector", "products of matrices"));
        }
        let matrices = |image: &Image| {
            let (others, matrix) = image.dims().split_at(image.dims().len() - 2);
            (others.to_vec(), [matrix[0], matrix[1]])
        };
        let ((before_a, [rows, terms]), (before_b, [terms_b, columns])) = (matrices(&a), matrices(&b));
        let in_matrix = |image: &Image| image.batch.is_some_and(|axis| axis + 2 >= image.dims().len());
        if terms != terms_b || in_matrix(&a) || in_matrix(&b) {
            return Err(self.unequal(&[a, b]));
        }
        // Whatever the last two dimensions, the others have to fit.
        let outer = |image: Image, before: &[usize]| {
            let dims: Vec<_> = image.view.dims().take(before.len()).collect();
            image.with(Strided::new(&dims, 0).expect("a part of a view"), image.batch)
        };
        let Common { dims, batch, before } = self.common(&[outer(a, &before_a), outer(b, &before_b)])?;
        let with_matrix = |matrix: [usize; 2]| Common { dims: [&dims[..], &matrix].concat(), batch, before };
        let of_a = self.expanded(a, &with_matrix([rows, terms]))?;
        let of_b = self.expanded(b, &with_matrix([terms, columns]))?;
        let image = self.matrices([a, b], [of_a, of_b], batch)?;
        self.set(call, Value::Built(image))
    }

    /// The products of matrices of two views, `[.., i, k]` and `[.., k, j]`.
    pub(super) fn matrices(
        &mut self,
        of: [Image; 2],
        [a, b]: [Strided; 2],
        batch: Option<usize>,
    ) -> Result<Image, Problem> {
        let rank = a.sizes().len();
        let mut dims = a.sizes().to_vec();
        dims[rank - 1] = b.sizes()[rank - 1];
        // Columns lie before rows: what attention makes of heads has their features as channels then, and tokens as
        // pixels.
        let order: Vec<usize> = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
        let stored: Vec<usize> = order.iter().map(|axis| dims[*axis]).collect();
        let stored_view = Strided::contiguous(&stored);
        let out = stored_view.ok_or_else(|| Problem::broken("a product that is too large"))?.permuted(&order);
        let product = Product { a, b, out };
        let value = self.builder.product(of.map(|image| image.value), product, shape_of(&stored))?;
        let before = of.iter().find(|image| image.batch.is_some()).map_or(1, |image| image.before);
        Ok(Image { value, view: out, batch, before })
    }

    /// A sum over products of elements, as of two matrices: `bhid,bhjd->bhij` and the like.
    pub(super) fn einsum(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let equation = call.text("equation")?.unwrap_or_default();
        let unsupported = || {
            Problem::unsupported(
                format!("the sum `{}`", swapnas_graph::plain(&equation)),
                "products of two values with a letter for each dimension",
            )
        };
        let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (inputs, output) = text.split_once("->").ok_or_else(unsupported)?;
        let (first, second) = inputs.split_once(',').ok_or_else(unsupported)?;
        let letters = |text: &str| -> Vec<char> { text.chars().collect() };
        let [la, lb, lout] = [first, second, output].map(letters);
        let distinct = |letters: &[char]| {
            letters.iter().enumerate().all(|(i, c)| c.is_ascii_alphabetic() && !letters[..i].contains(c))
        };
        let images = [self.image(call.need(0)?)?, self.image(call.need(1)?)?];
        let fits = [&la, &lb].into_iter().zip(&images).all(|(l, image)| l.len() == image.dims().len());
        if ![&la, &lb, &lout].into_iter().all(|letters| distinct(letters)) || !fits {
            return Err(unsupported());
        }
        let [a, b] = images;
        let both: Vec<char> = lout.iter().copied().filter(|c| la.contains(c) && lb.contains(c)).collect();
        let rows: Vec<char> = la.iter().copied().filter(|c| !lb.contains(c)).collect();
        let columns: Vec<char> = lb.iter().copied().filter(|c| !la.contains(c)).collect();
        let terms: Vec<char> = la.iter().copied().filter(|c| lb.contains(c) && !lout.contains(c)).collect();
        if !rows.iter().chain(&columns).all(|c| lout.contains(c))
            || lout.len() != both.len() + rows.len() + columns.len()
        {
            return Err(unsupported());
        }
        // The letter of the batch.
        let of_batch = |image: &Image, letters: &[char]| image.batch.map(|axis| letters[axis]);
        let letter = match [of_batch(&a, &la), of_batch(&b, &lb)] {
            [Some(x), Some(y)] if x != y => return Err(self.unequal(&images)),
            [x, y] => x.or(y),
        };
        if letter.is_some_and(|letter| terms.contains(&letter)) {
            return Err(Problem::unsupported("a sum over the batch", "sums within samples"));
        }
        let size = |c: &char| {
            let of = |image: &Image, letters: &[char]| {
                letters.iter().position(|other| other == c).map(|axis| image.dims()[axis])
            };
            of(&a, &la).unwrap_or(1).max(of(&b, &lb).unwrap_or(1))
        };
        let group = |letters: &[char]| letters.iter().map(size).product::<usize>();
        let dims = |image: &Image, own: &[char], letters: &[&[char]]| -> Option<Strided> {
            let all: Vec<(usize, usize)> = letters
                .iter()
                .flat_map(|letters| letters.iter())
                .map(|c| {
                    let axis = own.iter().position(|other| other == c);
                    axis.map_or((size(c), 0), |axis| {
                        (size(c), if image.dims()[axis] == 1 { 0 } else { image.view.strides()[axis] })
                    })
                })
                .collect();
            Strided::new(&all, image.view.offset())
        };
        for (image, own) in [(&a, &la), (&b, &lb)] {
            if own.iter().zip(image.dims()).any(|(c, dim)| *dim != 1 && *dim != size(c)) {
                return Err(self.unequal(&images));
            }
        }
        // Several letters of a kind become one dimension, for which elements may have to be moved.
        let sizes = [&both[..], &rows, &terms, &columns].map(group);
        let [batches, m, k, n] = sizes;
        let mut factors = Vec::new();
        for (image, own, letters, wanted) in [
            (a, &la, [&both[..], &rows, &terms], [batches, m, k]),
            (b, &lb, [&both[..], &terms, &columns], [batches, k, n]),
        ] {
            let view = dims(&image, own, &letters).ok_or_else(unsupported)?;
            factors.push(match view.reshaped(&wanted) {
                Some(view) => (image, view),
                None => {
                    let moved = image.with(view, None);
                    let value = self.in_order(moved, shape_of(view.sizes()))?;
                    let view = Strided::contiguous(&wanted).ok_or_else(unsupported)?;
                    (Image { value, ..image }, view)
                }
            });
        }
        let [(a, of_a), (b, of_b)] = factors[..] else { unreachable!("two factors") };
        let product = self.matrices([a, b], [of_a, of_b], None)?;
        let all: Vec<char> = both.iter().chain(&rows).chain(&columns).copied().collect();
        let all_sizes: Vec<usize> = all.iter().map(size).collect();
        let image = self.in_dims(product, &all_sizes)?;
        let order: Vec<usize> = lout
            .iter()
            .map(|c| all.iter().position(|other| other == c).expect("a letter of the output"))
            .collect();
        let batch = letter.and_then(|letter| lout.iter().position(|c| *c == letter));
        self.set(call, Value::Built(image.with(image.view.permuted(&order), batch)))
    }
}
