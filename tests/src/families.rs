//! Tiny models of many families as several exporters wrote them, and the table of what becomes of
//! each.
//!
//! `tests/reference/families` has a folder for each family, made by `families.py` beside it:
//!
//! - `reference.safetensors`: what transformers computes in f32, logits or hidden states;
//! - `<export>.onnx.gz`: an export, or `<export>.files.gz`: one of several files, as tensors of bytes
//!   by their paths;
//! - `<export>.refused`: why the exporter made none; neither where nobody asked it to;
//! - `<export>.safetensors`: what onnxruntime computes, for exports that were quantized, and for
//!   those whose graph is not the model; then `<export>.wrong` says how far off it is.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use safetensors::SafeTensors;
use tealight_import::ImportError;
use tempfile::TempDir;

use crate::agreement::{Agreement, Reference};
use crate::hidden::{HiddenAgreement, HiddenReference};
use crate::models::{compiled, root};
use crate::run::Settings;
use crate::storage::{FAMILY, STORAGES};

/// The exports: their files' names, and what the table calls them.
pub const EXPORTS: [(&str, &str); 6] = [
    ("genai-fp32", "genai fp32"),
    ("genai-int4", "genai int4"),
    ("optimum-fp32", "optimum fp32"),
    ("dynamo18", "dynamo, opset 18"),
    ("dynamo23", "dynamo, opset 23"),
    ("tealight-fp32", "models/export"),
];

/// What the tiny models were made for, in tokens, as a model's `config.json` says it.
pub const CONTEXT: &str = r#"{"max_position_embeddings": 64}"#;

/// One export of one family.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    /// The family's folder.
    pub family: &'a str,
    /// One of [`EXPORTS`], or of those in [`crate::storage`].
    pub name: &'a str,
}

/// What becomes of an export.
#[derive(Debug)]
pub enum Cell {
    /// It runs, and agrees so well with the model, or with its own quantized weights.
    Runs(Agreement),
    /// It runs and makes hidden states, which agree so well with the model's.
    Embeds(HiddenAgreement),
    /// It runs as its graph says, which is not the model: how far off, and our agreement with the
    /// graph.
    Wrong(Agreement, String),
    /// The importer does not take it.
    Refused(String),
    /// The exporter does not make it.
    Stopped(String),
    /// Others make it, so this exporter was not asked to.
    NotAsked,
}

/// The families, by name.
pub fn families() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the families are there");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("the folder can be read").file_name();
        name.into_string().expect("families have plain names")
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// Every export that there may be: of every family, and of every way to store weights.
pub fn exports() -> Vec<(String, &'static str)> {
    let of_family = |family: String| EXPORTS.map(|(name, _)| (family.clone(), name));
    let stored = STORAGES.map(|storage| (FAMILY.to_owned(), storage.name));
    families()
        .into_iter()
        .flat_map(of_family)
        .chain(stored)
        .collect()
}

fn folder() -> PathBuf {
    root().join("tests/reference/families")
}

impl Export<'_> {
    /// The model, as an exporter writes it; none if it was not made, or if it is several files.
    pub fn model(self) -> Option<Vec<u8>> {
        self.inflated("onnx.gz")
    }

    /// The model in a folder, as an exporter leaves it; none if it was not made.
    pub fn unpacked(self) -> Option<TempDir> {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let put = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("in the folder")).expect("a folder in it");
            fs::write(path, content).expect("room for the model");
        };
        if let Some(model) = self.model() {
            put("model.onnx", &model);
        } else {
            let packed = self.inflated("files.gz")?;
            let files = SafeTensors::deserialize(&packed).expect("the files are whole");
            for (name, content) in files.tensors() {
                put(&name, content.data());
            }
        }
        put("config.json", CONTEXT.as_bytes());
        Some(folder)
    }

    /// The content of a packed file.
    fn inflated(self, kind: &str) -> Option<Vec<u8>> {
        let packed = File::open(self.file(kind)).ok()?;
        let mut content = Vec::new();
        GzDecoder::new(packed)
            .read_to_end(&mut content)
            .expect("the export is whole");
        Some(content)
    }

    /// What others compute: from the export where it is not the model, else from the model.
    pub fn reference(self) -> Reference {
        let own = self.file("safetensors");
        match own.exists() {
            true => Reference::read(&own),
            false => Reference::read(&folder().join(self.family).join("reference.safetensors")),
        }
    }

    /// What transformers computes, of a model that makes hidden states.
    pub fn hidden(self) -> Option<HiddenReference> {
        HiddenReference::read(&folder().join(self.family).join("reference.safetensors"))
    }

    /// How far from the model the export itself is, where it is.
    pub fn wrong(self) -> Option<String> {
        let said = fs::read_to_string(self.file("wrong")).ok()?;
        Some(said.trim().to_owned())
    }

    /// Compiles and runs it.
    pub fn cell(self) -> Cell {
        let Some(model) = self.unpacked() else {
            return match fs::read_to_string(self.file("refused")) {
                Ok(why) => Cell::Stopped(why.trim().to_owned()),
                Err(_) => Cell::NotAsked,
            };
        };
        let plan = match compiled(model.path()) {
            Ok(compiled) => compiled.plan(),
            Err(error) => return Cell::Refused(shortened(error)),
        };
        if let Some(hidden) = self.hidden() {
            return Cell::Embeds(hidden.compare(&plan, Settings::exact()));
        }
        let agreement = self.reference().compare(&plan, Settings::exact());
        match self.wrong() {
            Some(why) => Cell::Wrong(agreement, why),
            None => Cell::Runs(agreement),
        }
    }

    fn file(self, kind: &str) -> PathBuf {
        folder()
            .join(self.family)
            .join(format!("{}.{kind}", self.name))
    }
}

/// An error, without nodes' names.
fn shortened(error: ImportError) -> String {
    let operators = match error {
        ImportError::Unrecognised(operators) => operators,
        ImportError::TracedExperts { .. } => {
            return "a mixture of experts traced with those that an example hit".to_owned();
        }
        other => return other.to_string(),
    };
    let mut names: Vec<String> = operators.into_iter().map(|known| known.operator).collect();
    names.sort();
    names.dedup();
    format!("not recognised: {}", names.join(", "))
}

/// Every export of every family.
pub fn matrix() -> Vec<(String, Vec<Cell>)> {
    let row = |family: String| {
        let export = |&(name, _)| Export {
            family: &family,
            name,
        };
        let cells = EXPORTS.iter().map(|name| export(name).cell()).collect();
        (family, cells)
    };
    families().into_iter().map(row).collect()
}

/// The table for people, with a note for each cell that needs one.
pub fn markdown(matrix: &[(String, Vec<Cell>)]) -> String {
    let mut text = String::from("| family |");
    for (_, title) in EXPORTS {
        let _ = write!(text, " {title} |");
    }
    text.push_str("\n| --- |");
    text.push_str(&" --- |".repeat(EXPORTS.len()));
    let mut notes: Vec<&str> = Vec::new();
    for (family, cells) in matrix {
        let _ = write!(text, "\n| {family} |");
        for cell in cells {
            let note = match cell {
                Cell::Runs(_) | Cell::Embeds(_) | Cell::NotAsked => None,
                Cell::Wrong(_, why) | Cell::Refused(why) | Cell::Stopped(why) => Some(why.as_str()),
            };
            let number = note.map(|note| {
                let known = notes.iter().position(|known| *known == note);
                known.unwrap_or_else(|| {
                    notes.push(note);
                    notes.len() - 1
                }) + 1
            });
            let number = number.map_or(String::new(), |number| format!(" ({number})"));
            let said = match cell {
                Cell::Runs(agreement) => shown(agreement),
                Cell::Embeds(agreement) => format!("cosine {:.6}", agreement.cosine),
                Cell::Wrong(agreement, _) => format!("{} of its graph", shown(agreement)),
                Cell::Refused(_) => "refused".to_owned(),
                Cell::Stopped(_) => "not exported".to_owned(),
                Cell::NotAsked => "–".to_owned(),
            };
            let _ = write!(text, " {said}{number} |");
        }
    }
    text.push('\n');
    for (number, note) in (1..).zip(notes) {
        let note = note.lines().collect::<Vec<_>>().join(" ");
        let _ = write!(text, "\n{number}. `{note}`");
    }
    text.push('\n');
    text
}

/// Top-1 agreement and mean KL, which rounding makes anything below a millionth.
pub(crate) fn shown(agreement: &Agreement) -> String {
    let top1 = 100.0 * agreement.top1;
    match agreement.kl.abs() < 1e-6 {
        true => format!("{top1:.1} %, < 1e-6"),
        false => format!("{top1:.1} %, {:.0e}", agreement.kl),
    }
}
