//! Canonical forms, and what is drawn and listed with their help.

use rand::{Rng, RngExt};

use super::cell::{Cell, MAX_EDGES, MAX_VERTICES, Operation, pairs};

impl Cell {
    /// The cell that stands for all that are isomorphic to this one once pruned: of all orders of
    /// its vertices, the one with the smallest matrix and, among equal matrices, operations.
    ///
    /// The benchmark counts isomorphic cells as one. Where the output channels do not divide evenly,
    /// the first vertices get the remainder, so that the parameters of such networks may differ a
    /// little.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let pruned = self.pruned();
        let forms = pruned.orders().into_iter().map(|order| pruned.relabelled(&order));
        forms.min().expect("the order of a cell is one of its orders")
    }

    /// All orders of the vertices in which edges go from earlier to later ones, with input and
    /// output in their places.
    fn orders(&self) -> Vec<Vec<usize>> {
        let mut orders = vec![vec![0]];
        for _ in 1..self.output() {
            let longer = |order: &Vec<usize>| {
                let ready = |&vertex: &usize| {
                    !order.contains(&vertex) && self.sources(vertex).all(|source| order.contains(&source))
                };
                let next: Vec<usize> = (1..self.output()).filter(ready).collect();
                next.into_iter().map(|vertex| [&order[..], &[vertex]].concat()).collect::<Vec<_>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        orders.iter_mut().for_each(|order| order.push(self.output()));
        orders
    }

    /// Whether a pruned cell is the canonical form of itself.
    fn is_canonical(&self) -> bool {
        self.orders().iter().all(|order| self.relabelled(order) >= *self)
    }
}

/// The graph with the edges set in `matrix`, if every vertex is on a path from input to output and the
/// edges are not too many. All operations are the first one.
fn graph(vertices: usize, matrix: u64) -> Option<Cell> {
    // Most matrices have too many edges, and this is seen at once.
    if matrix.count_ones() as usize > MAX_EDGES {
        return None;
    }
    let mut cell = Cell::without_edges(&[Operation::Conv3x3BnRelu; MAX_VERTICES - 2][..vertices - 2]);
    for (bit, (source, target)) in pairs(vertices).enumerate() {
        if matrix >> bit & 1 == 1 {
            cell.connect(source, target);
        }
    }
    (cell.alive().count_ones() as usize == vertices).then_some(cell)
}

/// The cell with these operations, each a digit to the base of three.
fn with_ops(mut cell: Cell, mut ops: u64) -> Cell {
    let places = cell.vertices - 2;
    for op in &mut cell.ops[..places] {
        *op = Operation::ALL[(ops % 3) as usize];
        ops /= 3;
    }
    cell
}

/// Numbers of matrices and of operations for so many vertices.
fn counts(vertices: usize) -> (u64, u64) {
    (1 << (vertices * (vertices - 1) / 2), 3u64.pow(vertices as u32 - 2))
}

/// A cell drawn uniformly from those in canonical form.
pub(super) fn sample(rng: &mut dyn Rng) -> Cell {
    let of_size = |vertices| {
        let (matrices, ops) = counts(vertices);
        matrices * ops
    };
    let total = (2..=MAX_VERTICES).map(of_size).sum();
    loop {
        let mut number = rng.random_range(0..total);
        let mut vertices = 2;
        while number >= of_size(vertices) {
            number -= of_size(vertices);
            vertices += 1;
        }
        let (matrices, _) = counts(vertices);
        if let Some(graph) = graph(vertices, number % matrices) {
            let cell = with_ops(graph, number / matrices);
            if cell.is_canonical() {
                return cell;
            }
        }
    }
}

/// All cells in canonical form.
pub(super) fn all() -> impl Iterator<Item = Cell> + Send {
    (2..=MAX_VERTICES).flat_map(|vertices| {
        let (matrices, ops) = counts(vertices);
        let graphs = (0..matrices).filter_map(move |matrix| graph(vertices, matrix));
        graphs.flat_map(move |graph| {
            // A cell is canonical if its matrix is, and if no order that keeps the matrix has
            // smaller operations.
            let orders = graph.orders();
            let forms: Vec<Cell> = orders.iter().map(|order| graph.relabelled(order)).collect();
            let smallest = forms.iter().all(|form| *form >= graph);
            let symmetries: Vec<Vec<usize>> = orders
                .into_iter()
                .zip(&forms)
                .filter(|(_, form)| **form == graph)
                .map(|(order, _)| order)
                .collect();
            let candidates = if smallest { ops } else { 0 };
            let cells = (0..candidates).map(move |ops| with_ops(graph, ops));
            cells.filter(move |cell| symmetries.iter().all(|order| cell.relabelled(order) >= *cell))
        })
    })
}
