//! What lies beside a graph, for those who run graphs that no plan can be made of.

use std::path::{Path, PathBuf};

use crate::model_files::{GenerationDefaults, ModelTexts};
use crate::{ImportError, locate, source};

/// A model that stays a graph.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Uncompiled {
    /// The graph's file.
    pub graph: PathBuf,
    /// Bytes of the graph and of the files with its weights.
    pub bytes: u64,
    /// Where `tokenizer.json` is, if there is one.
    pub tokenizer: Option<PathBuf>,
    /// The chat template's Jinja source.
    pub chat_template: Option<String>,
    /// Stop tokens, special tokens and sampling defaults.
    pub generation: GenerationDefaults,
    /// Whether a file says what answers may look like.
    pub has_answers: bool,
    /// The folder's name.
    pub folder: String,
    /// First of the configuration's `architectures`.
    pub architecture: Option<String>,
    /// The licence that README or LICENSE name.
    pub licence: Option<String>,
    /// Positions that the configuration declares, in tokens.
    pub context: Option<usize>,
}

impl Uncompiled {
    /// Of the model in a folder, or in an .onnx file.
    ///
    /// # Errors
    /// If the graph cannot be found or read, or a text beside it is malformed.
    pub fn of(model: &Path) -> Result<Uncompiled, ImportError> {
        let graph = locate::graph(model)?;
        let texts = ModelTexts::beside(&graph, false)?;
        let files = source::files(&graph)?;
        let weighs = |path: &Path| path.metadata().map_or(0, |meta| meta.len());
        let is_text = |name: &str| crate::model_files::FILES.contains(&name);
        let of_graph = files.iter().filter(|file| !is_text(&file.name));
        let bytes = of_graph.map(|file| weighs(&file.path)).sum();
        let mut files = files.into_iter();
        let tokenizer = files.find(|file| file.name == "tokenizer.json" && file.path.is_file());
        Ok(Uncompiled {
            bytes,
            tokenizer: tokenizer.map(|file| file.path),
            chat_template: texts.chat_template,
            generation: texts.generation,
            has_answers: texts.answers.is_some(),
            folder: texts.source.folder,
            architecture: texts.architecture,
            licence: texts.licence,
            context: locate::declared_context(&graph),
            graph,
        })
    }
}
