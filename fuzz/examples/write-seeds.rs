//! Writes good inputs of every target into folders of their names, for `cargo fuzz` to start from.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let root = std::env::args_os().nth(1).unwrap_or("fuzz/corpus".into());
    for target in swapnas_fuzz::TARGETS {
        let folder = Path::new(&root).join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, input) in swapnas_fuzz::seeds::of(target.name).iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), input)?;
        }
    }
    Ok(())
}
