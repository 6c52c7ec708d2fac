//! What `--model` names: a file, a folder, or a model of the catalogue.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tealight::models;

use crate::exit::Failure;

/// The folder that models of the catalogue are looked for in.
const FOLDER: &str = "TEALIGHT_MODELS";

/// Where a model is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this program.
    Embedded,
    /// In this file or folder.
    Path(PathBuf),
}

/// Finds the model that `named` means; the embedded one if nothing is named.
///
/// # Errors
/// Nothing is there, and no model of the catalogue that is on this machine has that name.
pub(crate) fn resolve(named: Option<&str>) -> Result<Place, Failure> {
    resolve_in(named, std::env::var_os(FOLDER))
}

fn resolve_in(named: Option<&str>, folder: Option<OsString>) -> Result<Place, Failure> {
    let Some(named) = named else {
        return Ok(Place::Embedded);
    };
    // A path that is not there is the library's to report: it knows what the system said.
    if Path::new(named).exists() || looks_like_path(named) {
        return Ok(Place::Path(named.into()));
    }
    let known = models::find(named);
    if known.is_some_and(|model| model.hugging_face.is_none()) {
        return Ok(Place::Embedded);
    }
    if let Some(folder) = folder.map(PathBuf::from) {
        let found = [folder.join(named), folder.join(format!("{named}.tea"))];
        if let Some(path) = found.into_iter().find(|path| path.exists()) {
            return Ok(Place::Path(path));
        }
    }
    Err(
        match known.and_then(|model| Some((model, model.hugging_face?))) {
            Some((model, repository)) => Failure::missing(format!(
                "`{named}` ({}, {}) is in the catalogue but not on this machine: export {repository} \
             to ONNX and name its folder, or put it into the folder that {FOLDER} names",
                model.family, model.licence,
            )),
            None => Failure::missing(format!(
                "`{named}` is no file, no folder and no model of the catalogue ({})",
                catalogue()
            )),
        },
    )
}

fn looks_like_path(named: &str) -> bool {
    let ending = Path::new(named)
        .extension()
        .and_then(|ending| ending.to_str());
    named.contains(std::path::is_separator) || matches!(ending, Some("tea" | "onnx"))
}

fn catalogue() -> String {
    models::CATALOGUE
        .iter()
        .map(|model| model.name)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_named_is_the_embedded_model_and_so_is_its_name() {
        assert_eq!(resolve_in(None, None).unwrap(), Place::Embedded);
        assert_eq!(resolve_in(Some("home"), None).unwrap(), Place::Embedded);
    }

    #[test]
    fn a_path_stays_a_path() {
        let place = resolve_in(Some("nowhere/model.tea"), None).unwrap();
        assert_eq!(place, Place::Path("nowhere/model.tea".into()));
    }

    #[test]
    fn a_catalogue_name_is_looked_up_in_the_models_folder() {
        let folder = tempfile::tempdir().unwrap();
        let plan = folder.path().join("smollm2-135m-instruct.tea");
        std::fs::write(&plan, b"").unwrap();
        let place = resolve_in(Some("smollm2-135m-instruct"), Some(folder.path().into())).unwrap();
        assert_eq!(place, Place::Path(plan));
        assert!(resolve_in(Some("smollm2-135m-instruct"), None).is_err());
    }
}
