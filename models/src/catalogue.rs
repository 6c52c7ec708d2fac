//! A table of models by name.

/// A model that Tealight knows of.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Model {
    /// What it is called on a command line: lower case, with dashes.
    pub name: &'static str,
    /// The family whose operators it uses.
    pub family: &'static str,
    /// Millions of parameters, tied ones counted once.
    pub parameters: f32,
    /// SPDX identifier, or its author's name for the licence.
    pub licence: &'static str,
    /// Its repository on huggingface.co; `None` for the model that is part of Tealight.
    pub hugging_face: Option<&'static str>,
    /// Exports that were imported and compared with another runtime; of others nothing is
    /// known, for good or bad.
    pub exports: &'static [Export],
}

/// A way in which a model was turned into ONNX.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Export {
    /// The exporter and what it made: `onnxruntime-genai int4`.
    pub kind: &'static str,
    /// Size of the ONNX files in megabytes (10⁶ bytes).
    pub megabytes: f32,
}

const fn export(kind: &'static str, megabytes: f32) -> Export {
    Export { kind, megabytes }
}

/// Every model that Tealight knows of, the embedded one first.
pub const CATALOGUE: &[Model] = &[
    Model {
        name: "home",
        family: "Qwen3",
        parameters: 1.24,
        licence: "MIT OR Apache-2.0",
        hugging_face: None,
        exports: &[export("onnxruntime-genai int4", 0.9)],
    },
    Model {
        name: "smollm2-135m-instruct",
        family: "Llama",
        parameters: 134.5,
        licence: "Apache-2.0",
        hugging_face: Some("HuggingFaceTB/SmolLM2-135M-Instruct"),
        exports: &[
            export("onnxruntime-genai int4", 86.5),
            export("optimum fp32", 652.5),
            export("optimum fp16", 326.9),
            export("optimum q4 symmetric", 198.7),
            export("optimum q4 asymmetric", 200.8),
            export("optimum int8 dynamic", 164.9),
        ],
    },
    Model {
        name: "smollm2-360m-instruct",
        family: "Llama",
        parameters: 361.8,
        licence: "Apache-2.0",
        hugging_face: Some("HuggingFaceTB/SmolLM2-360M-Instruct"),
        exports: &[],
    },
    Model {
        name: "all-minilm-l6-v2",
        family: "BERT",
        parameters: 22.7,
        licence: "Apache-2.0",
        hugging_face: Some("sentence-transformers/all-MiniLM-L6-v2"),
        exports: &[
            export("optimum fp32", 90.4),
            export("onnxruntime int8 dynamic", 22.9),
        ],
    },
    Model {
        name: "qwen2.5-0.5b-instruct",
        family: "Qwen2",
        parameters: 494.0,
        licence: "Apache-2.0",
        hugging_face: Some("Qwen/Qwen2.5-0.5B-Instruct"),
        exports: &[],
    },
    Model {
        name: "qwen2.5-coder-0.5b-instruct",
        family: "Qwen2",
        parameters: 494.0,
        licence: "Apache-2.0",
        hugging_face: Some("Qwen/Qwen2.5-Coder-0.5B-Instruct"),
        exports: &[],
    },
    Model {
        name: "qwen2.5-1.5b-instruct",
        family: "Qwen2",
        parameters: 1543.7,
        licence: "Apache-2.0",
        hugging_face: Some("Qwen/Qwen2.5-1.5B-Instruct"),
        exports: &[],
    },
    Model {
        name: "qwen3-0.6b",
        family: "Qwen3",
        parameters: 596.0,
        licence: "Apache-2.0",
        hugging_face: Some("Qwen/Qwen3-0.6B"),
        exports: &[],
    },
    Model {
        name: "llama-3.2-1b-instruct",
        family: "Llama",
        parameters: 1235.8,
        licence: "Llama-3.2",
        hugging_face: Some("meta-llama/Llama-3.2-1B-Instruct"),
        exports: &[],
    },
    Model {
        name: "yi-coder-1.5b-chat",
        family: "Llama",
        parameters: 1476.0,
        licence: "Apache-2.0",
        hugging_face: Some("01-ai/Yi-Coder-1.5B-Chat"),
        exports: &[],
    },
    Model {
        name: "deepseek-r1-distill-qwen-1.5b",
        family: "Qwen2",
        parameters: 1777.1,
        licence: "MIT",
        hugging_face: Some("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"),
        exports: &[],
    },
];

/// The model of this name, or of this name on huggingface.co, in any case of letters.
pub fn find(name: &str) -> Option<&'static Model> {
    CATALOGUE.iter().find(|model| {
        let names = [Some(model.name), model.hugging_face];
        names
            .into_iter()
            .flatten()
            .any(|known| known.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_can_be_folders() {
        for (at, model) in CATALOGUE.iter().enumerate() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            assert!(model.name.chars().all(plain), "{}", model.name);
            assert!(CATALOGUE[..at].iter().all(|other| other.name != model.name));
        }
    }

    #[test]
    fn a_model_is_found_by_either_name() {
        let model = find("Qwen3-0.6B").unwrap();
        assert_eq!(find("qwen/qwen3-0.6b"), Some(model));
        assert_eq!(find("qwen4"), None);
    }

    #[test]
    fn the_embedded_model_comes_first() {
        assert_eq!(CATALOGUE[0].name, "home");
        assert_eq!(CATALOGUE[0].hugging_face, None);
    }
}
