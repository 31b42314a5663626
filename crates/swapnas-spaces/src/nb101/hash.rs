//! The benchmark's hash of a cell, which does not depend on the order of vertices.

use md5::{Digest, Md5};

use super::Cell;

impl Cell {
    /// The hash under which the benchmark keeps the cell: 32 hexadecimal digits.
    ///
    /// It is the same for isomorphic cells and for cells that are equal once pruned. Every vertex
    /// starts with the MD5 of its degrees and operation and is hashed again with its neighbours as
    /// often as there are vertices (Ying et al., 2019, section 2.3; `graph_util.py` in their
    /// repository fixes how the numbers are written).
    pub fn hash(&self) -> String {
        let cell = self.pruned();
        let vertices = cell.vertices();
        let mut hashes: Vec<String> = (0..vertices)
            .map(|vertex| {
                let targets = (0..vertices).filter(|&target| cell.has_edge(vertex, target)).count();
                let label = match vertex {
                    0 => -1,
                    _ if vertex == cell.output() => -2,
                    _ => cell.ops()[vertex - 1] as i32,
                };
                md5(&format!("({targets}, {}, {label})", cell.sources(vertex).count()))
            })
            .collect();
        for _ in 0..vertices {
            let join = |among: &dyn Fn(usize) -> bool| {
                let mut joined: Vec<&str> =
                    (0..vertices).filter(|&other| among(other)).map(|other| hashes[other].as_str()).collect();
                joined.sort_unstable();
                joined.concat()
            };
            hashes = (0..vertices)
                .map(|vertex| {
                    let sources = join(&|other| cell.has_edge(other, vertex));
                    let targets = join(&|other| cell.has_edge(vertex, other));
                    md5(&format!("{sources}|{targets}|{}", hashes[vertex]))
                })
                .collect();
        }
        hashes.sort_unstable();
        md5(&format!("['{}']", hashes.join("', '")))
    }
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
