//! For the build scripts of firmwares. In comes a folder with a model in ONNX and what the board
//! can spare; out come, in `OUT_DIR`, `model.tea` and `model.rs`, which includes it and says how
//! much memory it works in:
//!
//! ```text
//! static PLAN: &[u8]          the plan, on a 64-byte boundary, in the section `.model`
//! const CONTEXT: usize        tokens
//! const STOPS: &[u32]         tokens that end an answer
//! const CONFIG: Config        what the memory is made for
//! const ARENA_LINES: usize    lines of working memory
//! const CACHE_LINES: usize    lines of keys and values
//! ```
//!
//! Memory that is too small is an error here, before anything is flashed.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

pub use tealight_core::executor::KvType;
use tealight_core::executor::{Arena, Config, KvCache, Line};
use tealight_core::plan::Plan;
use tealight_core::plan::format::Section;
use tealight_import::GenerationDefaults;

/// A model for a board.
pub struct Model<'a> {
    /// The folder of an ONNX export, from the firmware's own folder. The variable
    /// `TEALIGHT_MODEL` names another one.
    pub folder: &'a str,
    /// Tokens of a request and its answer together.
    pub context: usize,
    /// Tokens of a request that are read in one step.
    pub step: usize,
    /// How keys and values are kept.
    pub kv: KvType,
    /// Bytes of RAM that the model may work in: the board's without the stack and what else the
    /// firmware keeps.
    pub ram: usize,
}

/// Hands a memory map, a file in the firmware's folder, to the linker under the name `memory.x`,
/// in a build script.
///
/// # Panics
/// If it cannot be copied.
pub fn memory_map(file: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::copy(file, out.join("memory.x")).expect("the memory map is there");
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rerun-if-changed={file}");
}

/// What a plan works in, and what ends its answers.
struct Sizes {
    config: Config,
    stops: Vec<u32>,
    arena: usize,
    cache: usize,
}

impl Model<'_> {
    /// Compiles the model, in a build script. What is wrong ends the build.
    pub fn compile(&self) {
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::rerun-if-env-changed=TEALIGHT_MODEL");
        let folder = env::var("TEALIGHT_MODEL").unwrap_or_else(|_| self.folder.to_owned());
        if let Err(error) = self.write(Path::new(&folder)) {
            println!("cargo::error=the model in `{folder}`: {error}");
        }
    }

    fn write(&self, folder: &Path) -> Result<(), Box<dyn Error>> {
        println!("cargo::rerun-if-changed={}", folder.display());
        let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("this is no build script")?);
        let tea = out.join("model.tea");
        tealight_import::import(folder, &tea, &mut |_| {})?;
        let sizes = self.sizes(&fs::read(&tea)?)?;
        fs::write(out.join("model.rs"), source(&sizes))?;
        Ok(())
    }

    fn sizes(&self, bytes: &[u8]) -> Result<Sizes, Box<dyn Error>> {
        let mut lines = vec![Line::ZERO; bytes.len().div_ceil(Line::BYTES)];
        let aligned: &mut [u8] = bytemuck::cast_slice_mut(&mut lines);
        aligned[..bytes.len()].copy_from_slice(bytes);
        let plan = Plan::open(&aligned[..bytes.len()])?;
        let sizes = self.sizes_of(&plan, self.context)?;
        if sizes.bytes() <= self.ram {
            return Ok(sizes);
        }
        let over = sizes.bytes() - self.ram;
        let fits = (1..self.context).rev().find(|&context| {
            let sizes = self.sizes_of(&plan, context);
            sizes.is_ok_and(|sizes| sizes.bytes() <= self.ram)
        });
        let fits = fits.map_or("no context fits".to_owned(), |context| {
            format!("a context of {context} fits")
        });
        Err(format!(
            "a context of {} tokens works in {} bytes of RAM, {over} more than the {} that this \
             board spares: {fits}",
            self.context,
            sizes.bytes(),
            self.ram
        )
        .into())
    }

    fn sizes_of(&self, plan: &Plan<&[u8]>, context: usize) -> Result<Sizes, Box<dyn Error>> {
        let mut config = Config::new(context);
        (config.step, config.kv) = (self.step, self.kv);
        let defaults = plan.section(Section::Generation).unwrap_or(b"{}");
        let defaults: GenerationDefaults = serde_json::from_slice(defaults)?;
        // Firmware keeps all positions of attention with windows, as for a step of all of them.
        let kept = Config {
            step: context,
            ..config
        };
        Ok(Sizes {
            config,
            stops: defaults.stop_token_ids,
            arena: Arena::lines(plan, &config)?,
            cache: KvCache::lines(plan, &kept)?,
        })
    }
}

impl Sizes {
    fn bytes(&self) -> usize {
        (self.arena + self.cache) * Line::BYTES
    }
}

/// `model.rs`.
fn source(sizes: &Sizes) -> String {
    let Config {
        context,
        step,
        logits,
        threads,
        kv,
    } = sizes.config;
    let (arena, cache, stops) = (sizes.arena, sizes.cache, &sizes.stops);
    format!(
        r#"/// Tokens of a request and its answer together.
pub const CONTEXT: usize = {context};
/// What the memory is made for.
pub const CONFIG: tealight_core::executor::Config = tealight_core::executor::Config {{
    context: CONTEXT,
    step: {step},
    logits: {logits},
    threads: {threads},
    kv: tealight_core::executor::KvType::{kv:?},
}};
/// Tokens that end an answer.
pub const STOPS: &[u32] = &{stops:?};
/// Lines of working memory.
pub const ARENA_LINES: usize = {arena};
/// Lines of keys and values.
pub const CACHE_LINES: usize = {cache};

#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

#[unsafe(link_section = ".model")]
static ALIGNED: Aligned<[u8; include_bytes!(concat!(env!("OUT_DIR"), "/model.tea")).len()]> =
    Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/model.tea")));

/// The plan, as it lies in flash.
pub static PLAN: &[u8] = &ALIGNED.0;
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_ram_is_an_error_that_says_by_how_much_and_what_would_fit() {
        let model = |context, ram| Model {
            folder: "",
            context,
            step: 4,
            kv: KvType::Int8,
            ram,
        };
        let sizes = |context, ram| model(context, ram).sizes(tealight_models::HOME);
        let bytes = |context| {
            let sizes = sizes(context, usize::MAX).expect("there is room for anything");
            sizes.bytes()
        };
        let error = |context, ram| {
            let sizes = sizes(context, ram);
            sizes.err().expect("it does not fit").to_string()
        };
        let (needed, fitting) = (bytes(128), bytes(96));
        assert!(sizes(128, needed).is_ok());
        assert_eq!(
            error(128, fitting),
            format!(
                "a context of 128 tokens works in {needed} bytes of RAM, {} more than the \
                 {fitting} that this board spares: a context of 96 fits",
                needed - fitting
            )
        );
        let least = error(128, bytes(1) - 1);
        assert!(least.ends_with("spares: no context fits"), "{least}");
    }
}
