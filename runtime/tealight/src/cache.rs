//! Compiled models, kept between starts.
//!
//! In comes an ONNX folder or file, out goes the path of its plan. The first time the model is
//! imported; later starts find the plan by a [`Stamp`] of the model's files (their sizes, times
//! and numbers on disk), without reading them. Where a stamp no longer fits, the files are
//! hashed, and a plan of the same content is used again.
//!
//! ```text
//! <place>/<content key>.tea     a plan; the key names the content of all files, the plan format
//!                               and the importer
//! <place>/<content key>.lock    held by the process that imports
//! <place>/<path key>.stamp      the model's files when they were last hashed, and their key
//! ```
//!
//! The place is the user's cache folder or, where that cannot be written, a folder beside the
//! model. Nothing is ever deleted but what an interrupted import left of the same plan: plans
//! of models that are gone are their owner's to remove.

mod error;
mod key;
mod place;
mod stamp;

use std::fs;
use std::path::{Path, PathBuf};

use tealight_core::plan::Plan;
use tealight_import::{ImportError, Progress, SourceFile};

pub use error::CacheError;
use place::Place;
pub(crate) use place::user_folder;
use stamp::Stamp;

/// The plan of the model at `path`, an ONNX file or a folder that holds one, imported now if
/// need be. Plans are kept in `folder`, or in the user's cache folder.
pub(crate) fn compiled(
    path: &Path,
    folder: Option<PathBuf>,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, CacheError> {
    let importer = TealightImport;
    Cache {
        importer: &importer,
        folder: folder.or_else(user_folder),
    }
    .compiled(path, progress)
}

/// What the cache needs of an importer.
trait Importer {
    /// Every file that the plan depends on; those that are absent but would matter, too.
    fn files(&self, model: &Path) -> Result<Vec<SourceFile>, ImportError>;

    /// Writes the plan to `output`, whole or not at all.
    fn import(
        &self,
        model: &Path,
        output: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), ImportError>;
}

struct TealightImport;

impl Importer for TealightImport {
    fn files(&self, model: &Path) -> Result<Vec<SourceFile>, ImportError> {
        tealight_import::source_files(model)
    }

    fn import(
        &self,
        model: &Path,
        output: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), ImportError> {
        tealight_import::import(model, output, progress).map(drop)
    }
}

struct Cache<'a> {
    importer: &'a dyn Importer,
    /// The user's cache folder, if there is one.
    folder: Option<PathBuf>,
}

impl Cache<'_> {
    fn compiled(
        &self,
        model: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf, CacheError> {
        let failed = |source| CacheError::Model {
            path: model.to_owned(),
            source,
        };
        let model = model.canonicalize().map_err(failed)?;
        let places = self.places(&model);
        for place in &places {
            if let Some(plan) = place
                .stamp(&model)
                .and_then(|stamp| place.sound_plan(&stamp.key))
            {
                return Ok(plan);
            }
        }

        let files = self.importer.files(&model)?;
        let (stamp, key) = key::of_contents(&files, progress)?;
        for place in &places {
            if let Some(plan) = place.sound_plan(&key) {
                place.keep_stamp(&model, &stamp);
                return Ok(plan);
            }
        }
        self.import(&model, &stamp, &places, progress)
    }

    fn places(&self, model: &Path) -> Vec<Place> {
        let beside = if model.is_dir() {
            Some(model)
        } else {
            model.parent()
        };
        let beside = beside.map(|folder| folder.join(place::BESIDE));
        self.folder
            .iter()
            .cloned()
            .chain(beside)
            .map(Place::new)
            .collect()
    }

    fn import(
        &self,
        model: &Path,
        stamp: &Stamp,
        places: &[Place],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf, CacheError> {
        let mut tried = Vec::new();
        for place in places {
            let _lock = match place.lock(&stamp.key, progress) {
                Ok(lock) => lock,
                Err(error) => {
                    log::debug!(
                        "cannot keep plans in `{}`: {error}",
                        place.folder().display()
                    );
                    tried.push((place.folder().to_owned(), error));
                    continue;
                }
            };
            // Whoever held the lock before may have left what is wanted.
            let plan = match place.sound_plan(&stamp.key) {
                Some(plan) => plan,
                None => {
                    let plan = place.plan(&stamp.key);
                    place.clear_leftovers(&stamp.key);
                    self.importer.import(model, &plan, progress)?;
                    if !stamp.holds() {
                        // The plan is not what its key says.
                        let _ = fs::remove_file(&plan);
                        return Err(CacheError::Changed {
                            path: model.to_owned(),
                        });
                    }
                    plan
                }
            };
            place.keep_stamp(model, stamp);
            return Ok(plan);
        }
        Err(CacheError::NoPlace { tried })
    }
}

/// Whether the file at `path` is a plan that this version reads.
fn is_sound(path: &Path) -> bool {
    let Ok(file) = fs::File::open(path) else {
        return false;
    };
    // SAFETY: plans are replaced as a whole and never written in place; the mapping ends here.
    let Ok(bytes) = (unsafe { memmap2::Mmap::map(&file) }) else {
        return false;
    };
    match Plan::open(&bytes[..]) {
        Ok(_) => true,
        Err(error) => {
            log::warn!("`{}` is compiled again: {error}", path.display());
            false
        }
    }
}

#[cfg(test)]
mod tests;
