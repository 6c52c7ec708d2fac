//! Files made to do harm, and what must hold of each: it is refused or it runs, without a panic and
//! without more memory than its size allows.
//!
//! Two drivers share this: `tests/fuzz`, for hours, with a fuzzer that sees which code it reaches,
//! and `tests/tests/hostile.rs`, for seconds, with fixed random numbers. Whoever calls has
//! [`Counting`](crate::memory::Counting) as its allocator.

pub mod edits;
pub mod wire;

use std::fs;
use std::path::Path;

use arbitrary::Unstructured;
use tealight_core::executor::{
    Activations, Arena, Config, Executor, KvCache, KvType, Line, Logits,
};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::pool::Single;
use tealight_core::tokenizer::{Characters, Tokenizer};
use tealight_import::{ImportOptions, Quantize};
use tempfile::TempDir;

use crate::families::{CONTEXT, Export, exports};
use crate::memory::peak;
use crate::models::Bytes;
use wire::{Kind, Message};

/// Most memory that an import holds at once: so many bytes for each of the model's files, ...
pub const PER_BYTE: usize = 64;
/// ... and so many for any, which is mainly the pieces that weights are read in.
pub const FIXED: usize = 32 << 20;

/// No plan may ask for more when it is given room for 4 tokens a step and 16 in all.
const MOST_MEMORY: usize = 96 << 20;

/// A folder that models are put into, one after the other.
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "makes a folder")]
    pub fn new() -> Folder {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        fs::write(folder.path().join("config.json"), CONTEXT).expect("room for a line");
        Folder(folder)
    }

    /// Imports a model. If that makes a plan, which the answer says, the plan is sound.
    pub fn import(&self, model: &[u8], data: &[u8], quantize: Option<Quantize>) -> bool {
        let file = |name: &str| self.0.path().join(name);
        fs::write(file("model.onnx"), model).expect("room for the model");
        fs::write(file(edits::DATA), data).expect("room for its data");
        let mut options = ImportOptions::default();
        options.quantize = quantize.map(Into::into);
        let plan = file("model.tea");
        let mut made = false;
        let most = peak(|| made = import(self.0.path(), &plan, &options));
        let bound = PER_BYTE * (model.len() + data.len()) + FIXED;
        assert!(
            most <= bound,
            "{most} bytes, more than {bound}, for a model of {} and data of {}",
            model.len(),
            data.len()
        );
        if made {
            let bytes = Bytes::new(&fs::read(&plan).expect("the plan was just written"));
            Plan::open(bytes).expect("what is imported is sound");
        }
        made
    }
}

fn import(model: &Path, plan: &Path, options: &ImportOptions) -> bool {
    tealight_import::import_with(model, plan, options, &mut |_| {}).is_ok()
}

/// Sound models to change, taken apart.
pub struct Seeds(Vec<Seed>);

/// A sound model.
pub struct Seed {
    /// Family and export.
    pub name: String,
    model: Message,
    /// What lies beside it.
    data: Vec<u8>,
}

impl Seeds {
    /// Every export of every family, with its data inside and with its data beside it.
    pub fn read() -> Seeds {
        let mut seeds = Vec::new();
        for (family, name) in exports() {
            let family = family.as_str();
            let Some(bytes) = (Export { family, name }).model() else {
                continue;
            };
            let model = Message::read(Kind::Model, &bytes).expect("exports are whole");
            let name = format!("{family}/{name}");
            let mut outside = model.clone();
            let data = edits::move_out(&mut outside);
            seeds.push(Seed {
                name: format!("{name}, data outside"),
                model: outside,
                data,
            });
            let data = Vec::new();
            seeds.push(Seed { name, model, data });
        }
        Seeds(seeds)
    }

    /// They themselves.
    pub fn iter(&self) -> impl Iterator<Item = &Seed> {
        self.0.iter()
    }

    /// Imports one of them, changed, as the choices say.
    pub fn import_changed(&self, folder: &Folder, choices: &[u8]) -> bool {
        let mut choices = Unstructured::new(choices);
        let seed = choices.choose(&self.0).unwrap_or(&self.0[0]);
        seed.import_changed(folder, &mut choices)
    }
}

impl Seed {
    /// Imports this model, changed. Choices that run out leave it as far as they went.
    pub fn import_changed(&self, folder: &Folder, choices: &mut Unstructured) -> bool {
        let as_integers = [
            None,
            None,
            Some(Quantize::Int8),
            Some(Quantize::Int4),
            Some(Quantize::Int4Asymmetric),
        ];
        let quantize = choices.choose(&as_integers).copied().unwrap_or_default();
        let mut model = self.model.clone();
        let _ = edits::change(&mut model, choices);
        let mut bytes = Vec::new();
        model.write(&mut bytes);
        folder.import(&bytes, &self.data, quantize)
    }
}

/// Opens a plan and, if it opens, runs a few tokens.
pub fn run_plan(bytes: &[u8]) {
    let most = peak(|| {
        let Ok(plan) = Plan::open(bytes) else { return };
        try_to_tokenize(&plan);
        let context = plan.model().context.min(16) as usize;
        let config = Config {
            context,
            step: 4,
            logits: 1,
            threads: 1,
            kv: KvType::F16,
        };
        let memory = |lines: usize| vec![Line::ZERO; lines];
        let (Ok(kv), Ok(work)) = (KvCache::lines(&plan, &config), Arena::lines(&plan, &config))
        else {
            return;
        };
        let mut cache = KvCache::new(&plan, &config, memory(kv)).expect("as many as asked for");
        let mut arena = Arena::new(&plan, &config, memory(work)).expect("as many as asked for");
        let executor = Executor::new(&plan, &Single, Isa::best(), Activations::Int8);
        for tokens in [&[0, 1, 2][..], &[3]] {
            let _ = executor.step(&mut cache, &mut arena, tokens, Logits::Last);
        }
    });
    assert!(
        most <= MOST_MEMORY,
        "a plan of {} bytes took {most}",
        bytes.len()
    );
}

/// Whatever the tables of a plan say, there are tokens or an error.
fn try_to_tokenize(plan: &Plan<&[u8]>) {
    let Some(tokenizer) = plan.tokenizer() else {
        return;
    };
    let mut scratch = [0; 64 * Tokenizer::SCRATCH_PER_BYTE];
    let mut tokens = [0; 64];
    let text = "<|user|> it's  12 °C in the living_room!\n<|assistant|>";
    let Ok(count) = tokenizer.encode(text, &mut scratch, &mut tokens) else {
        return;
    };
    let mut characters = Characters::default();
    for id in &tokens[..count] {
        let bytes = tokenizer.token_bytes(*id).unwrap_or_default();
        characters.push(bytes, |text| assert!(!text.is_empty()));
        tokenizer.is_special(*id);
    }
    tokenizer
        .before()
        .chain(tokenizer.after())
        .for_each(|id| assert!((id as usize) < tokenizer.len()));
}
