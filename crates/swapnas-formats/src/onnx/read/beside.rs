//! Numbers that a file has in others beside it, as exporters leave them where they take more than 2 GB.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use super::constant::is_external;
use super::error::{ReadError, quote};
use crate::onnx::proto::{DataLocation, Entry, Model, Tensor};

/// Reads those of all initialisers from files in the folder.
pub(super) fn bring(model: &mut Model, folder: &Path) -> Result<(), ReadError> {
    let tensors = model.graph.iter_mut().flat_map(|graph| &mut graph.initializer);
    for tensor in tensors.filter(|tensor| is_external(tensor)) {
        let numbers = bytes(tensor, folder)
            .map_err(|reason| ReadError::Weights { name: quote(&tensor.name), reason })?;
        tensor.raw_data = numbers.into();
        tensor.data_location = DataLocation::Default.into();
    }
    Ok(())
}

/// What the tensor says that its bytes are: `length` bytes from `offset` on of a file in the folder, or all from there.
fn bytes(tensor: &Tensor, folder: &Path) -> Result<Vec<u8>, String> {
    let find = |key: &str| tensor.external_data.iter().find(|entry| entry.key == key);
    let count = |key: &str| match find(key) {
        Some(Entry { value, .. }) => match value.parse::<u64>() {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(format!("their {key} {} is no whole number", quote(value))),
        },
        None => Ok(None),
    };
    let location = &find("location").ok_or("they are in another file, which is not named")?.value;
    // A file from elsewhere is not to choose what else is read.
    if location.is_empty() || !Path::new(location).components().all(|c| matches!(c, Component::Normal(_))) {
        return Err(format!("the other file, {}, has to be in the folder of the model", quote(location)));
    }
    let (offset, length) = (count("offset")?.unwrap_or(0), count("length")?);
    let mut bytes = Vec::new();
    let mut read = || {
        let mut file = File::open(folder.join(location))?;
        file.seek(SeekFrom::Start(offset))?;
        file.take(length.unwrap_or(u64::MAX)).read_to_end(&mut bytes)
    };
    let read = read().map_err(|error| format!("{}: {error}", quote(location)))?;
    match length {
        Some(length) if length > read as u64 => {
            Err(format!("{} ends after {read} of {length} bytes from byte {offset} on", quote(location)))
        }
        _ => Ok(bytes),
    }
}
