//! What a text brings a model's linear maps, for rounding their weights to 4 bits.
//!
//! Enters: an ONNX model and a text. The model is compiled with 8 bits, which changes next to nothing of
//! what goes through it, and reads the text. Leaves: for each linear map of its layers the products of
//! its inputs, when the importer asks for them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use tealight_core::executor::{Config, KvType};
use tealight_core::ops::{Op, TensorId};
use tealight_import::{ImportOptions, InputProducts, Progress, Quantize, Step};
use tempfile::TempPath;

use crate::step::{arena, cache};
use crate::{CacheError, Error, Model, ModelOptions, Result, TokenId};

/// Tokens that see each other: a text is read in windows.
const WINDOW: usize = 512;
/// Tokens of a window that are read at once, since each needs a row of logits.
const STEP: usize = 64;
/// Products of as many maps are kept at a time as take this many bytes; for those that come later the text is
/// read again.
const MOST_BYTES: usize = 1 << 30;

/// A text, read by a model that is to be compiled; see [`ImportOptions::calibration`].
///
/// ```no_run
/// use std::rc::Rc;
/// use tealight::import::{ImportOptions, Quantize, import_with};
/// use tealight::{Calibration, ModelOptions};
///
/// let text = std::fs::read_to_string("text.txt")?;
/// let (model, output) = ("smollm2".as_ref(), "smollm2.tea".as_ref());
/// let calibration = Calibration::new(model, &text, 32_768, &ModelOptions::new(), &mut |_| {})?;
/// let mut options = ImportOptions::default();
/// options.quantize = Some(Quantize::Int4.into());
/// options.calibration = Some(Rc::new(calibration));
/// import_with(model, output, &options, &mut |_| {})?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Calibration {
    model: Model,
    tokens: Vec<TokenId>,
    /// In the order in which they run.
    maps: Vec<LinearMap>,
    held: RefCell<BTreeMap<TensorId, InputProducts>>,
    /// The model's file, which goes when the calibration does.
    _file: TempPath,
}

/// A linear map that may be asked for.
struct LinearMap {
    weight: TensorId,
    /// The weight's, in the report.
    name: String,
    inputs: usize,
}

impl fmt::Debug for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calibration")
            .field("model", &self.model)
            .field("tokens", &self.tokens.len())
            .finish_non_exhaustive()
    }
}

impl Calibration {
    /// Compiles the ONNX model at `path` with 8 bits to a temporary file, and takes the first `tokens` tokens of `text` for it to read.
    ///
    /// # Errors
    /// If the model cannot be compiled, makes no logits of a plan, or has no tokenizer; if the text has no tokens.
    pub fn new(
        path: &Path,
        text: &str,
        tokens: usize,
        options: &ModelOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Calibration> {
        let file = tempfile::Builder::new()
            .suffix(".tea")
            .tempfile()
            .map_err(|source| Error::Read {
                path: std::env::temp_dir(),
                source,
            })?
            .into_temp_path();
        let mut import = ImportOptions::default();
        import.quantize = Some(Quantize::Int8.into());
        let report = tealight_import::import_with(path, &file, &import, progress)
            .map_err(CacheError::from)?;
        let model = Model::open_with(&file, options)?;
        let mut known = model.texts().encode_text(text)?;
        known.truncate(tokens);
        if known.is_empty() {
            return Err(Error::EmptyPrompt);
        }
        let (mut maps, mut tables) = (vec![], vec![]);
        for op in &report.ops {
            match op {
                // Its rows are hidden states as well, where errors are not to be made up for elsewhere.
                Op::Embed(embed) => tables.push(embed.table),
                Op::Linear(linear) if !tables.contains(&linear.weight) => {
                    maps.push(LinearMap {
                        weight: linear.weight,
                        name: report.tensor_names[linear.weight.0 as usize].clone(),
                        inputs: linear.input.width as usize,
                    });
                }
                _ => {}
            }
        }
        let calibration = Calibration {
            model,
            tokens: known,
            maps,
            held: RefCell::default(),
            _file: file,
        };
        let first = calibration.read(0, progress)?;
        calibration.held.replace(first);
        Ok(calibration)
    }

    /// Reads the text for the map at `first` and as many after it as there is room for.
    fn read(
        &self,
        first: usize,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<BTreeMap<TensorId, InputProducts>> {
        let mut held = BTreeMap::new();
        let mut bytes = 0;
        for map in &self.maps[first..] {
            bytes += InputProducts::bytes(map.inputs);
            if bytes > MOST_BYTES && !held.is_empty() {
                break;
            }
            held.insert(map.weight, InputProducts::new(map.inputs));
        }
        let window = WINDOW.min(self.model.info().context);
        let step = match self.model.plan()?.model().whole {
            0 => STEP.min(window),
            _ => window,
        };
        let config = Config {
            context: window,
            step,
            logits: step,
            threads: self.model.threads(),
            kv: KvType::F32,
        };
        let mut cache = cache(&self.model, &config)?;
        let mut arena = arena(&self.model, &config)?;
        let mut rows = vec![];
        let mut report = Progress {
            step: Step::Calibration,
            done: 0,
            total: self.tokens.len() as u64,
        };
        for tokens in self.tokens.chunks(window) {
            cache.truncate(0);
            for tokens in tokens.chunks(step) {
                let executor = self.model.executor(tokens.len())?;
                executor.observe(&mut cache, &mut arena, tokens, |weight, inputs| {
                    if let Some(products) = held.get_mut(&weight) {
                        rows.clear();
                        inputs.for_each(|input| rows.extend_from_slice(input));
                        products.add(&rows, config.threads);
                    }
                })?;
            }
            report.done += tokens.len() as u64;
            progress(report);
        }
        Ok(held)
    }
}

impl tealight_import::Calibration for Calibration {
    fn products(
        &self,
        weight: &str,
    ) -> std::result::Result<Option<InputProducts>, Box<dyn StdError + Send + Sync>> {
        let Some(at) = self.maps.iter().position(|map| map.name == weight) else {
            return Ok(None);
        };
        let mut held = self.held.borrow_mut();
        let id = self.maps[at].weight;
        if !held.contains_key(&id) {
            *held = self.read(at, &mut |_| {})?;
        }
        Ok(held.remove(&id))
    }
}
