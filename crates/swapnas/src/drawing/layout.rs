//! Where the parts of a diagram go.
//!
//! Nodes stand in columns, each right of all that it reads (Sugiyama, Tagawa and Toda 1981). Between two
//! columns of nodes there is one for labels, and an edge has a bend in every column that it passes, so that
//! columns hold all there is but the curves between them: nothing can overlap. Within columns, the order is
//! the one with the fewest crossings found by sorting each after its neighbours, and heights minimise the
//! squares of what edges climb.

use swapnas_spaces::diagram::{Diagram, Edge};

use super::runs;

/// Height of a line of text, and its font size.
pub(super) const LINE: f64 = 16.0;
pub(super) const FONT: f64 = 12.0;

/// How wide a character is at most, on average, in the fonts that SVG viewers choose.
const CHARACTER: f64 = 0.58 * FONT;

/// Free room around the text on a node, around a label, between things of a column, and between columns.
const NODE_PADDING: f64 = 7.0;
const LABEL_PADDING: f64 = 3.0;
const SEPARATION: f64 = 7.0;
const GAP: f64 = 11.0;

/// From one end of an edge to the next on the side of a node.
const PORT: f64 = 8.0;

/// Times that all columns are sorted, and moved; after that, nothing changes that could be seen.
const SORTS: usize = 40;
const MOVES: usize = 400;

/// A diagram with a place for everything; lengths are in pixels of SVG.
pub(super) struct Layout {
    pub width: f64,
    pub height: f64,
    /// Of each node.
    pub boxes: Vec<Rectangle>,
    /// Of each edge.
    pub routes: Vec<Route>,
}

pub(super) struct Rectangle {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// The way of an edge: from each point to the next, in turn along a curve and straight to the right.
pub(super) struct Route {
    pub points: Vec<(f64, f64)>,
    /// The middle of the label and the width of the gap for it.
    pub label: Option<((f64, f64), f64)>,
}

/// What stands in a column.
struct Item {
    column: usize,
    kind: Kind,
    width: f64,
    height: f64,
    y: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Node,
    Bend { label: bool },
}

/// A piece of an edge from an item to one in the next column.
#[derive(Clone, Copy)]
struct Link {
    from: usize,
    to: usize,
    weight: f64,
    /// How far below the middle of the item it ends on either side.
    offsets: [f64; 2],
}

struct Draft {
    /// The nodes in their order, then all bends.
    items: Vec<Item>,
    links: Vec<Link>,
    /// The items that each edge passes.
    paths: Vec<Vec<usize>>,
    /// Items from top to bottom.
    columns: Vec<Vec<usize>>,
}

pub(super) fn lay_out(diagram: &Diagram) -> Layout {
    let mut draft = Draft::new(diagram);
    draft.order();
    draft.spread_ends();
    draft.settle();
    draft.finish(diagram)
}

/// The width of a line of text.
pub(super) fn text_width(text: &str) -> f64 {
    let characters =
        |(text, is_sub): (&str, bool)| text.chars().count() as f64 * if is_sub { 0.75 } else { 1.0 };
    runs(text).into_iter().map(characters).sum::<f64>() * CHARACTER
}

impl Draft {
    fn new(diagram: &Diagram) -> Self {
        let mut ranks = vec![0; diagram.nodes.len()];
        // Nodes come after what they read, so that one pass over them sees final ranks only.
        for to in 0..ranks.len() {
            let sources = diagram.edges.iter().filter(|edge| edge.to == to).map(|edge| ranks[edge.from] + 1);
            ranks[to] = sources.max().unwrap_or(0);
        }
        let degree = |node: usize| {
            let count =
                |end: fn(&Edge) -> usize| diagram.edges.iter().filter(|edge| end(edge) == node).count();
            count(|edge| edge.from).max(count(|edge| edge.to))
        };
        let mut items = Vec::new();
        for (place, node) in diagram.nodes.iter().enumerate() {
            let text = node.label.lines().map(text_width).fold(0.0, f64::max);
            let lines = node.label.lines().count() as f64 * LINE;
            items.push(Item {
                column: 2 * ranks[place],
                kind: Kind::Node,
                width: (text + 2.0 * NODE_PADDING).max(LINE + 2.0 * NODE_PADDING),
                height: (lines + 2.0 * NODE_PADDING).max(PORT * (degree(place) + 1) as f64),
                y: 0.0,
            });
        }
        let mut columns = vec![Vec::new(); 2 * ranks.iter().max().map_or(0, |rank| rank + 1)];
        items.iter().enumerate().for_each(|(index, item)| columns[item.column].push(index));
        let mut draft = Draft { items, links: Vec::new(), paths: Vec::new(), columns };
        let mut labels = vec![0; draft.columns.len()];
        for edge in &diagram.edges {
            draft.add_edge(edge, &mut labels);
        }
        draft
    }

    /// Adds the bends of an edge, one in each column between its ends; the label goes to the column that
    /// has the fewest so far, and among those to the one nearest to the middle.
    fn add_edge(&mut self, edge: &Edge, labels: &mut [usize]) {
        let (first, last) = (self.items[edge.from].column, self.items[edge.to].column);
        let candidates = (first + 1..last).step_by(2).filter(|_| !edge.label.is_empty());
        let labelled = candidates.min_by_key(|&column| (labels[column], (2 * column).abs_diff(first + last)));
        let mut path = vec![edge.from];
        for (column, labels) in labels.iter_mut().enumerate().take(last).skip(first + 1) {
            let label = labelled == Some(column);
            *labels += usize::from(label);
            let (width, height) =
                if label { (text_width(edge.label) + 2.0 * LABEL_PADDING, LINE) } else { (0.0, 2.0) };
            path.push(self.items.len());
            self.columns[column].push(self.items.len());
            self.items.push(Item { column, kind: Kind::Bend { label }, width, height, y: 0.0 });
        }
        path.push(edge.to);
        for pair in path.windows(2) {
            let is_bend = |item: usize| self.items[item].kind != Kind::Node;
            // Bends in the middle of an edge are seen most.
            let weight = match (is_bend(pair[0]), is_bend(pair[1])) {
                (true, true) => 6.0,
                (false, false) => 2.0,
                _ => 1.0,
            };
            self.links.push(Link { from: pair[0], to: pair[1], weight, offsets: [0.0; 2] });
        }
        self.paths.push(path);
    }

    /// Sorts columns so that few links cross.
    fn order(&mut self) {
        let mut best = self.columns.clone();
        let mut fewest = self.crossings();
        for start in 0..2 {
            if start == 1 {
                self.columns.iter_mut().for_each(|column| column.reverse());
            }
            for sweep in 0..SORTS {
                let forwards = sweep % 2 == 0;
                for step in 0..self.columns.len() {
                    let column = if forwards { step } else { self.columns.len() - 1 - step };
                    self.sort_by_neighbours(column, forwards);
                }
                self.swap_while_better();
                let crossings = self.crossings();
                if crossings < fewest {
                    (fewest, best) = (crossings, self.columns.clone());
                }
            }
        }
        self.columns = best;
    }

    /// Sorts a column after the mean place of what its items are linked to on one side.
    fn sort_by_neighbours(&mut self, column: usize, left: bool) {
        let places = self.places();
        let key = |item: usize| {
            let ends = self.links.iter().filter_map(|link| match left {
                true => (link.to == item).then_some(link.from),
                false => (link.from == item).then_some(link.to),
            });
            let ends: Vec<f64> = ends.map(|end| places[end]).collect();
            if ends.is_empty() { places[item] } else { ends.iter().sum::<f64>() / ends.len() as f64 }
        };
        let mut sorted: Vec<(f64, usize)> =
            self.columns[column].iter().map(|&item| (key(item), item)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.columns[column] = sorted.into_iter().map(|(_, item)| item).collect();
    }

    /// Swaps neighbours within columns as long as that takes crossings away.
    fn swap_while_better(&mut self) {
        let mut fewest = self.crossings();
        loop {
            let before = fewest;
            for column in 0..self.columns.len() {
                for upper in 1..self.columns[column].len() {
                    self.columns[column].swap(upper - 1, upper);
                    let crossings = self.crossings();
                    if crossings < fewest {
                        fewest = crossings;
                    } else {
                        self.columns[column].swap(upper - 1, upper);
                    }
                }
            }
            if fewest == before {
                return;
            }
        }
    }

    /// Of every item, its place in its column, from 0 to 1.
    fn places(&self) -> Vec<f64> {
        let mut places = vec![0.0; self.items.len()];
        for column in &self.columns {
            for (place, &item) in column.iter().enumerate() {
                places[item] = (place as f64 + 0.5) / column.len() as f64;
            }
        }
        places
    }

    fn crossings(&self) -> usize {
        let places = self.places();
        let crosses = |a: &Link, b: &Link| {
            self.items[a.from].column == self.items[b.from].column
                && (places[a.from] - places[b.from]) * (places[a.to] - places[b.to]) < 0.0
        };
        let pairs = self.links.iter().enumerate();
        pairs.map(|(i, a)| self.links[..i].iter().filter(|b| crosses(a, b)).count()).sum()
    }

    /// Spreads the ends of links over the sides of nodes, in the order of what is at their other ends.
    fn spread_ends(&mut self) {
        let places = self.places();
        for node in (0..self.items.len()).filter(|&item| self.items[item].kind == Kind::Node) {
            for side in 0..2 {
                let ends = |link: &Link| if side == 0 { (link.from, link.to) } else { (link.to, link.from) };
                let mut links: Vec<usize> =
                    (0..self.links.len()).filter(|&link| ends(&self.links[link]).0 == node).collect();
                links.sort_by(|&a, &b| {
                    let place = |link: usize| places[ends(&self.links[link]).1];
                    place(a).total_cmp(&place(b))
                });
                let middle = (links.len() as f64 - 1.0) / 2.0;
                for (place, link) in links.into_iter().enumerate() {
                    self.links[link].offsets[side] = (place as f64 - middle) * PORT;
                }
            }
        }
    }

    /// Gives every item its height, the order within columns being fixed.
    fn settle(&mut self) {
        for column in self.columns.clone() {
            let room: f64 = column.iter().map(|&item| self.items[item].height + SEPARATION).sum();
            let mut y = -room / 2.0;
            for item in column {
                let half = (self.items[item].height + SEPARATION) / 2.0;
                self.items[item].y = y + half;
                y += 2.0 * half;
            }
        }
        for _ in 0..MOVES {
            for column in 0..self.columns.len() {
                self.settle_column(column);
            }
        }
        let top = self.items.iter().map(|item| item.y - item.height / 2.0).fold(f64::INFINITY, f64::min);
        self.items.iter_mut().for_each(|item| item.y -= top);
    }

    /// Moves the items of a column as near to their neighbours as they can get without coming too near to
    /// each other: a weighted isotonic regression, by pooling adjacent violators.
    fn settle_column(&mut self, column: usize) {
        struct Pool {
            weight: f64,
            sum: f64,
            items: usize,
        }
        let mut pools: Vec<Pool> = Vec::new();
        let mut offsets = Vec::new();
        let mut offset = 0.0;
        for (place, &item) in self.columns[column].iter().enumerate() {
            if place > 0 {
                let above = &self.items[self.columns[column][place - 1]];
                offset += (above.height + self.items[item].height) / 2.0 + SEPARATION;
            }
            offsets.push(offset);
            let (mut weight, mut sum) = (0.0, 0.0);
            for link in self.links.iter().filter(|link| link.from == item || link.to == item) {
                let [from, to] = link.offsets;
                let (other, shift) =
                    if link.from == item { (link.to, to - from) } else { (link.from, from - to) };
                weight += link.weight;
                sum += link.weight * (self.items[other].y + shift);
            }
            // What is linked to nothing stays where it is.
            if weight == 0.0 {
                (weight, sum) = (1.0, self.items[item].y);
            }
            pools.push(Pool { weight, sum: sum - weight * offset, items: 1 });
            while let [.., a, b] = &pools[..]
                && a.sum / a.weight > b.sum / b.weight
            {
                let (weight, sum, items) = (a.weight + b.weight, a.sum + b.sum, a.items + b.items);
                pools.truncate(pools.len() - 2);
                pools.push(Pool { weight, sum, items });
            }
        }
        let places = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.sum / pool.weight, pool.items));
        for ((&item, offset), place) in self.columns[column].iter().zip(offsets).zip(places) {
            self.items[item].y = place + offset;
        }
    }

    /// Left and right end of every column. Steep links get more room.
    fn spans(&self) -> Vec<(f64, f64)> {
        let mut spans = Vec::with_capacity(self.columns.len());
        let mut x = 0.0;
        for (index, column) in self.columns.iter().enumerate() {
            let width = column.iter().map(|&item| self.items[item].width).fold(0.0, f64::max);
            spans.push((x, x + width));
            let links = self.links.iter().filter(|link| self.items[link.from].column == index);
            let climbs = links.map(|link| (self.items[link.from].y - self.items[link.to].y).abs());
            x += width + GAP + (0.2 * climbs.fold(0.0, f64::max)).min(30.0);
        }
        spans
    }

    /// Where an edge leaves its first and reaches its last node.
    fn ends(&self, path: &[usize]) -> (f64, f64) {
        let offset = |side: usize, from: usize, to: usize| {
            let link = self.links.iter().find(|link| (link.from, link.to) == (from, to));
            link.map_or(0.0, |link| link.offsets[side])
        };
        let (first, last) = (path[0], path[path.len() - 1]);
        let (start, end) = (offset(0, first, path[1]), offset(1, path[path.len() - 2], last));
        (self.items[first].y + start, self.items[last].y + end)
    }

    fn finish(&self, diagram: &Diagram) -> Layout {
        let spans = self.spans();
        let rectangle = |item: &Item| {
            let (left, right) = spans[item.column];
            let Item { width, height, y, .. } = *item;
            Rectangle { x: (left + right - width) / 2.0, y: y - height / 2.0, width, height }
        };
        let boxes: Vec<Rectangle> = self.items[..diagram.nodes.len()].iter().map(rectangle).collect();
        let routes = (0..diagram.edges.len()).map(|edge| {
            let (path, edge) = (&self.paths[edge], &diagram.edges[edge]);
            let mut points = Vec::new();
            let mut label = None;
            for &item in &path[1..path.len() - 1] {
                let Item { column, kind, width, y, .. } = self.items[item];
                let (left, right) = spans[column];
                points.extend([(left, y), (right, y)]);
                if kind == (Kind::Bend { label: true }) {
                    label = Some((((left + right) / 2.0, y), width));
                }
            }
            let (from, to) = (&boxes[edge.from], &boxes[edge.to]);
            let (start, end) = self.ends(path);
            let column = |node: usize| spans[self.items[node].column];
            points.insert(0, (column(edge.from).1, start));
            points.insert(0, (from.x + from.width, start));
            points.extend([(column(edge.to).0, end), (to.x, end)]);
            Route { points, label }
        });
        Layout {
            width: boxes.iter().map(|b| b.x + b.width).fold(0.0, f64::max),
            height: self.items.iter().map(|item| item.y + item.height / 2.0).fold(0.0, f64::max),
            routes: routes.collect(),
            boxes,
        }
    }
}
