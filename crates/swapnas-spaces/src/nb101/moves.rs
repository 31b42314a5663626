//! Neighbours and children of cells.

use std::collections::BTreeSet;

use rand::{Rng, RngExt};

use super::cell::{Cell, MAX_VERTICES, Operation, pairs};
use super::{NasBench101, isomorphism};
use crate::{Arch, Architecture, Moves};

impl Moves for NasBench101 {
    /// The cells that are not isomorphic, as many as the benchmark trained.
    fn size(&self) -> u128 {
        423_624
    }

    /// Uniform over the cells that are not isomorphic: matrices and operations of all sizes are
    /// drawn uniformly until one is the canonical form of itself, which one of every class is.
    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        isomorphism::sample(rng).arch()
    }

    /// Another operation of one vertex, an edge more or less, or a vertex more between two others;
    /// as far as they are valid, pruned, in canonical form and not isomorphic to each other.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        neighbours(&arch.into()).iter().map(Architecture::arch).collect()
    }

    /// Every edge and every operation comes from either parent, with the output of both as the last
    /// vertex; drawn again until the cell is valid. It is not pruned.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        crossover(&a.into(), &b.into(), rng).arch()
    }

    /// In canonical form, those with few vertices first.
    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        Some(Box::new(isomorphism::all().map(|cell| cell.arch())))
    }
}

/// All cells, in canonical form, that differ from this one in an operation, an edge or a vertex.
fn neighbours(cell: &Cell) -> Vec<Cell> {
    let own = cell.canonical();
    let mut changed = Vec::new();
    for place in 0..own.ops().len() {
        changed.extend(Operation::ALL.map(|op| {
            let mut cell = own;
            cell.ops[place] = op;
            cell
        }));
    }
    for (source, target) in pairs(own.vertices()) {
        for (cell, source, target) in
            [Some((own, source, target)), reversed(&own, source, target)].into_iter().flatten()
        {
            let mut toggled = cell;
            toggled.toggle(source, target);
            changed.push(toggled);
            if cell.vertices() < MAX_VERTICES {
                changed.extend(Operation::ALL.map(|op| with_vertex(&cell, source, target, op)));
            }
        }
    }
    let valid = changed.iter().filter(|cell| cell.flaw().is_none());
    let forms: BTreeSet<Cell> = valid.map(Cell::canonical).filter(|form| *form != own).collect();
    forms.into_iter().collect()
}

/// The cell with two vertices in reverse order, and their new places; `None` if the later one depends
/// on the earlier one or if they are input and output.
fn reversed(cell: &Cell, earlier: usize, later: usize) -> Option<(Cell, usize, usize)> {
    if earlier == 0 || later == cell.output() {
        return None;
    }
    let mut before: u8 = 1 << later;
    for vertex in (earlier..later).rev() {
        if cell.readers[vertex] & before != 0 {
            before |= 1 << vertex;
        }
    }
    if before >> earlier & 1 == 1 {
        return None;
    }
    // What the later one depends on moves with it.
    let (moved, others): (Vec<usize>, Vec<usize>) =
        (earlier..=later).partition(|&vertex| before >> vertex & 1 == 1);
    let place = earlier + moved.len();
    let order: Vec<usize> =
        (0..earlier).chain(moved).chain(others).chain(later + 1..cell.vertices()).collect();
    Some((cell.relabelled(&order), place - 1, place))
}

/// The cell with one more vertex that reads `source` and is read by `target`.
fn with_vertex(cell: &Cell, source: usize, target: usize, op: Operation) -> Cell {
    // The new vertex takes the place of `target`, which moves up with all behind it.
    let moved = |vertex| if vertex < target { vertex } else { vertex + 1 };
    let mut ops = cell.ops().to_vec();
    ops.insert(target - 1, op);
    let mut grown = Cell::without_edges(&ops);
    cell.edges().for_each(|(source, target)| grown.connect(moved(source), moved(target)));
    grown.connect(source, target);
    grown.connect(target, target + 1);
    grown
}

/// A cell that has every edge and operation from either parent.
fn crossover(a: &Cell, b: &Cell, rng: &mut dyn Rng) -> Cell {
    let (long, short) = if a.vertices() >= b.vertices() { (a, b) } else { (b, a) };
    loop {
        let mut child = Cell::without_edges(long.ops());
        for (op, &other) in child.ops.iter_mut().zip(short.ops()) {
            if rng.random() {
                *op = other;
            }
        }
        for (source, target) in pairs(long.vertices()) {
            let parent = if rng.random() {
                has_edge(short, long, source, target)
            } else {
                long.has_edge(source, target)
            };
            if parent {
                child.connect(source, target);
            }
        }
        // A path of one parent has at most six edges, so that this takes few draws.
        if child.flaw().is_none() {
            return child;
        }
    }
}

/// Whether `short` has an edge, if its output is taken for that of `long` and the vertices that it
/// lacks come before the output.
fn has_edge(short: &Cell, long: &Cell, source: usize, target: usize) -> bool {
    if target == long.output() {
        source < short.output() && short.has_edge(source, short.output())
    } else {
        target < short.output() && short.has_edge(source, target)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nb101::isomorphism;

    #[test]
    fn children_have_their_parents_genes() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let small = Cell::new(&[(0, 1)], &[]).unwrap();
        let mut parents: Vec<Cell> = (0..20).map(|_| isomorphism::sample(&mut rng)).collect();
        parents.push(small);
        for a in &parents {
            for b in &parents {
                let (long, short) = if a.vertices() >= b.vertices() { (a, b) } else { (b, a) };
                let child = crossover(a, b, &mut rng);
                assert_eq!(child.vertices(), long.vertices());
                for (i, op) in child.ops().iter().enumerate() {
                    assert!(Some(op) == long.ops().get(i) || Some(op) == short.ops().get(i));
                }
                for (source, target) in pairs(long.vertices()) {
                    let edge = child.has_edge(source, target);
                    let of_short = has_edge(short, long, source, target);
                    assert!(edge == long.has_edge(source, target) || edge == of_short);
                }
            }
        }
    }

    #[test]
    fn neighbours_are_mutual() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        for _ in 0..5 {
            let cell = isomorphism::sample(&mut rng);
            for neighbour in neighbours(&cell) {
                let (large, little) = if neighbour.vertices() > cell.vertices() {
                    (neighbour, cell)
                } else {
                    (cell, neighbour)
                };
                // An edge less may take several vertices with it, which come back one at a time.
                if large.vertices() - little.vertices() <= 1
                    && large.edges().count() <= little.edges().count() + 2
                {
                    assert!(neighbours(&neighbour).contains(&cell), "{cell} and {neighbour}");
                }
            }
        }
    }
}
