//! Whole graphs: what is recognised, what must not be, and what hostile files do.

mod bent;
mod branches;
mod calibrations;
mod convolutions;
mod curves;
#[cfg(unix)]
mod files;
mod fused_mixtures;
mod hidden;
mod mixtures;
mod recurrences;
mod sinks;
mod storages;
mod weighed;

use proptest::prelude::*;
use tealight_core::layout::Encoding;
use tealight_core::ops::Op;

use crate::spec::{DecoderSpec, TensorShape};
use crate::testing::{SavedModel, TestModel, decomposed, fused};
use crate::{ImportError, ImportOptions, Quantization, Quantize, recognise};
use curves::{cap_logits, gelu_out_of_parts, see_only, set};

/// The decoders made here have no configuration beside them.
fn options() -> ImportOptions {
    ImportOptions {
        context: Some(24),
        ..ImportOptions::default()
    }
}

fn compile(model: &TestModel) -> Result<DecoderSpec<'static>, ImportError> {
    let saved = model.save();
    recognise(&saved.path, &options())
}

fn spec(model: &TestModel) -> DecoderSpec<'static> {
    compile(model).unwrap_or_else(|error| panic!("{error}"))
}

/// The names of the nodes that are not recognised.
fn refused(model: &TestModel) -> Vec<String> {
    match compile(model) {
        Err(ImportError::Unrecognised(operators)) => operators
            .into_iter()
            .map(|operator| operator.node)
            .collect(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("recognised"),
    }
}

/// Every tensor's bytes and factor.
fn tensors(spec: &DecoderSpec<'_>) -> Vec<(Vec<u8>, f32)> {
    let stream = |tensor: &crate::spec::TensorSpec<'_>| {
        let (encoding, rows, cols) = (tensor.encoding, tensor.rows, tensor.cols);
        let mut bytes = Vec::new();
        let scale = tensor.source.stream(
            &TensorShape {
                encoding,
                rows,
                cols,
            },
            &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            },
        );
        assert_eq!(
            Some(bytes.len()),
            encoding.tensor_bytes(rows, cols),
            "{}",
            tensor.name
        );
        (bytes, scale.unwrap())
    };
    spec.tensors.iter().map(stream).collect()
}

fn names(spec: &DecoderSpec<'_>) -> Vec<&'static str> {
    spec.ops.iter().map(Op::name).collect()
}

#[test]
fn a_decoder_becomes_few_large_operators() {
    let spec = spec(&fused());
    let expected = [
        "Embed",
        "RmsNorm",
        "Linear",
        "Rope",
        "Attention",
        "Linear",
        "RmsNorm",
        "Linear",
        "Gate",
        "Linear",
        "RmsNorm",
        "Linear",
    ];
    assert_eq!(names(&spec), expected);
    assert_eq!(spec.head, 5);
    assert_eq!((spec.vocab, spec.context, spec.caches.len()), (48, 24, 1));
    let Op::Linear(qkv) = spec.ops[2] else {
        panic!()
    };
    assert_eq!(qkv.output.width, 128);
    let Op::Linear(down) = spec.ops[9] else {
        panic!()
    };
    assert_eq!(
        down.residual,
        Some(down.output),
        "the residual stream stays in place"
    );
}

#[test]
fn fused_and_decomposed_graphs_compile_to_the_same_plan() {
    let (fused, decomposed) = (spec(&fused()), spec(&decomposed()));
    assert_eq!(fused.ops, decomposed.ops);
    assert_eq!(fused.head, decomposed.head);
    assert_eq!(tensors(&fused), tensors(&decomposed));
}

#[test]
fn the_order_of_nodes_in_the_file_does_not_matter() {
    let mut shuffled = decomposed();
    shuffled.graph_mut().node.reverse();
    let (plain, shuffled) = (spec(&decomposed()), spec(&shuffled));
    assert_eq!(names(&plain), names(&shuffled));
}

#[test]
fn unknown_operators_are_all_listed_by_node() {
    let mut model = fused();
    model.edit("sigmoid").op_type = "HardSigmoid".into();
    model.edit("attended").domain = "example.org".into();
    model.node("Mystery", &["logits"], &["unused"]);
    assert_eq!(refused(&model), ["attended", "sigmoid", "unused"]);
    let text = compile(&model).err().unwrap().to_string();
    assert!(
        text.contains("example.org.GroupQueryAttention at node `attended`"),
        "{text}"
    );
}

/// Each edit changes what the graph computes in a way that plans cannot express.
#[test]
fn graphs_that_mean_something_else_are_refused() {
    type Edit = fn(&mut TestModel);
    let edits: [(&str, &str, Edit); 19] = [
        ("a token that does not see itself", "masked", |m| {
            m.edit("mask/visible").op_type = "Less".into();
        }),
        ("a token that sees the future", "masked", |m| {
            m.edit("mask/visible").op_type = "GreaterOrEqual".into();
        }),
        ("a mask that hides nothing", "weights", |m| {
            m.edit("mask").input[2] = "mask/seen".into();
        }),
        ("a mask that hides a little", "masked", |m| {
            m.floats("some", &[1], |_| -3.0);
            m.edit("mask").input[2] = "some".into();
        }),
        ("a window of nothing", "masked", |m| see_only(m, 0)),
        ("a window ahead", "masked", |m| {
            see_only(m, 8);
            m.edit("inside").op_type = "Less".into();
        }),
        ("a cap that is not what was divided by", "logits", |m| {
            cap_logits(m, 30.0, 29.0);
        }),
        ("a curve that is not quite GELU", "curve/tanh", |m| {
            gelu_out_of_parts(m, 0.05);
        }),
        ("softmax over the queries", "weights", |m| {
            m.edit("weights").attribute[0].i = 2
        }),
        ("keys joined along the heads", "present.0.key", |m| {
            m.edit("present.0.key").attribute[0].i = 1;
        }),
        ("keys behind which the past stands", "present.0.key", |m| {
            m.edit("present.0.key").input.reverse();
        }),
        ("values of keys", "summed", |m| {
            m.edit("summed").input[1] = "keys".into()
        }),
        (
            "an RMSNorm that sums instead of averaging",
            "h1/mean",
            |m| {
                m.edit("h1/mean").op_type = "ReduceSum".into();
            },
        ),
        ("an RMSNorm over the tokens", "h1/mean", |m| {
            m.ints("tokens", &[1], &[1]);
            m.edit("h1/mean").input[1] = "tokens".into();
        }),
        ("a gate of other activations", "mlp", |m| {
            m.edit("silu").input[0] = "up".into()
        }),
        ("a rotation that negates the wrong half", "q/swapped", |m| {
            m.edit("q/negated").input[0] = "q/low".into();
        }),
        (
            "a rotation by different angles in both halves",
            "q/turned",
            |m| {
                m.node("Mul", &["angles/t", "root_scale"], &["angles/half"]);
                m.edit("angles/twice").input[1] = "angles/half".into();
            },
        ),
        ("heads that stay in front of the tokens", "o", |m| {
            m.edit("summed/t").attribute[0].ints = vec![0, 1, 2, 3];
        }),
        ("a sum of unlike things", "x1", |m| {
            m.edit("x1").input[0] = "q".into()
        }),
    ];
    for (what, node, edit) in edits {
        let mut model = decomposed();
        edit(&mut model);
        assert_eq!(
            refused(&model).first().map(String::as_str),
            Some(node),
            "{what}"
        );
    }
}

#[test]
fn fused_attention_of_other_kinds_is_refused() {
    for (name, value) in [("qk_output", 1), ("unheard_of", 1)] {
        let mut model = fused();
        set(&mut model, "attended", name, value, 0.0);
        assert_eq!(refused(&model), ["attended"], "{name}");
    }
    let mut model = fused();
    model.edit("last64").op_type = "Add".into();
    assert_eq!(refused(&model), ["attended"], "another length");
}

#[test]
fn float_weights_are_quantized_where_that_is_asked_for_and_shared_still() {
    let mut model = fused();
    model
        .node("Transpose", &["embed"], &["embed/t"])
        .ints("perm", &[1, 0]);
    model.edit("logits").input[1] = "embed/t".into();
    let saved = model.save();
    for (to, encoding) in [
        (Quantize::Int4, Encoding::Int4),
        (Quantize::Int4Asymmetric, Encoding::Int4ZeroPoint),
        (Quantize::Int8, Encoding::Int8),
    ] {
        let quantize = Some(to.into());
        let options = ImportOptions {
            quantize,
            ..options()
        };
        let spec = recognise(&saved.path, &options).unwrap();
        let plain = recognise(&saved.path, &crate::tests::options()).unwrap();
        assert_eq!(names(&spec), names(&plain));
        assert_eq!(spec.tensors.len(), plain.tensors.len());
        for tensor in &spec.tensors {
            assert!([encoding, Encoding::Table].contains(&tensor.encoding));
        }
        assert!(tensors(&spec).iter().all(|(_, scale)| scale.is_finite()));
    }
}

#[test]
fn head_embedding_and_layers_are_quantized_each_in_their_own_way() {
    let mut how = Quantization::from(Quantize::Int4);
    how.head = Some(Quantize::Int8);
    how.embedding = None;
    how.exceptions.insert(0, Some(Quantize::Int4Asymmetric));
    let saved = fused().save();
    let encodings = |how: &Quantization| {
        let quantize = Some(how.clone());
        let options = ImportOptions {
            quantize,
            ..options()
        };
        let spec = recognise(&saved.path, &options).map_err(|error| error.to_string())?;
        let of = |op: &Op| match op {
            Op::Embed(op) => Some(spec.tensors[op.table.0 as usize].encoding),
            Op::Linear(op) => Some(spec.tensors[op.weight.0 as usize].encoding),
            _ => None,
        };
        Ok(spec.ops.iter().filter_map(of).collect::<Vec<_>>())
    };
    let layer = [Encoding::Int4ZeroPoint; 4];
    let expected = [&[Encoding::F32], &layer[..], &[Encoding::Int8]].concat();
    assert_eq!(encodings(&how), Ok(expected));
    how.exceptions.insert(1, None);
    let refused: Result<_, String> = encodings(&how);
    assert_eq!(
        refused.unwrap_err(),
        "there is no layer 1: the model has 1, counted from 0"
    );
}

#[test]
fn the_scale_is_read_off_the_graph() {
    let mut model = decomposed();
    let Op::Attention(attention) = spec(&model).ops[4] else {
        panic!()
    };
    assert_eq!(attention.scale, 0.25);
    model.floats("other", &[], |_| 0.125);
    model.edit("q/scaled").input[1] = "other".into();
    let Op::Attention(attention) = spec(&model).ops[4] else {
        panic!()
    };
    assert_eq!(attention.scale, 0.0625);
}

#[test]
fn a_head_that_shares_the_embedding_shares_its_tensor() {
    let mut model = fused();
    model
        .node("Transpose", &["embed"], &["embed/t"])
        .ints("perm", &[1, 0]);
    model.edit("logits").input[1] = "embed/t".into();
    let spec = spec(&model);
    let (Some(Op::Embed(embed)), Some(Op::Linear(head))) = (spec.ops.first(), spec.ops.last())
    else {
        panic!()
    };
    assert_eq!(embed.table, head.weight);
}

#[test]
fn a_head_that_repeats_the_embedding_shares_its_tensor() {
    let (rows, cols) = (48, 32);
    let value = |at: usize| (at * 7919 % 251) as f32 / 251.0;
    for (other, shared) in [
        (None, true),
        (Some(5), false),
        (Some(rows * cols - 1), false),
    ] {
        let mut model = fused();
        model.floats("table", &[rows as i64, cols as i64], value);
        model.floats("turned", &[cols as i64, rows as i64], |at| {
            let value = value(at % rows * cols + at / rows);
            value + f32::from(u8::from(Some(at) == other))
        });
        model.edit("x0").input[0] = "table".into();
        model.edit("logits").input[1] = "turned".into();
        let spec = spec(&model);
        let (Some(Op::Embed(embed)), Some(Op::Linear(head))) = (spec.ops.first(), spec.ops.last())
        else {
            panic!()
        };
        assert_eq!(embed.table == head.weight, shared, "{other:?}");
    }
}

#[test]
fn the_context_is_capped_by_tables_and_options() {
    let saved = fused().save();
    let context = |context| {
        recognise(
            &saved.path,
            &ImportOptions {
                context,
                ..ImportOptions::default()
            },
        )
        .unwrap()
        .context
    };
    assert_eq!(context(None), 24);
    assert_eq!(context(Some(10)), 10);
    assert_eq!(context(Some(1000)), 24);
    let without_tables = decomposed().save();
    let options = ImportOptions::default();
    assert!(
        recognise(&without_tables.path, &options).is_err(),
        "nothing names a context"
    );
    without_tables.write("config.json", br#"{"max_position_embeddings": 40}"#);
    assert_eq!(
        recognise(&without_tables.path, &options).unwrap().context,
        40
    );
}

#[test]
fn external_data_is_taken_from_the_models_folder_alone() {
    let place = |location: &'static str, offset: &'static str, length: &'static str| {
        let mut model = fused();
        let entries = [
            ("location", location),
            ("offset", offset),
            ("length", length),
        ];
        let bytes = model.move_out("wq", &entries);
        let saved = model.save();
        saved.write("data", &[vec![0; 64], bytes].concat());
        let error = recognise(&saved.path, &options()).err();
        (error, tensors_of(&saved))
    };
    let (error, moved) = place("data", "64", "8192");
    assert!(error.is_none(), "{error:?}");
    assert_eq!(moved, Some(tensors(&spec(&fused()))));

    let outside = ["../data", "/etc/passwd", "", "a/../../data", "C:\\data"];
    for location in outside {
        let (error, _) = place(location, "0", "8192");
        assert!(
            matches!(error, Some(ImportError::ExternalPath { .. })),
            "{location}: {error:?}"
        );
    }
    assert!(matches!(
        place("elsewhere", "0", "8192").0,
        Some(ImportError::Read { .. })
    ));
    for (offset, length) in [
        ("65", "8192"),
        ("0", "8191"),
        ("18446744073709551615", "8192"),
        ("-1", "8192"),
    ] {
        let (error, _) = place("data", offset, length);
        let Some(ImportError::Tensor { tensor, .. }) = error else {
            panic!("{offset}: {error:?}")
        };
        assert_eq!(tensor, "wq");
    }
}

fn tensors_of(saved: &SavedModel) -> Option<Vec<(Vec<u8>, f32)>> {
    recognise(&saved.path, &options())
        .ok()
        .map(|spec| tensors(&spec))
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_models_folder_is_not_followed() {
    let mut model = fused();
    let bytes = model.move_out("wq", &[("location", "data")]);
    let (saved, elsewhere) = (model.save(), tempfile::tempdir().unwrap());
    let target = elsewhere.path().join("data");
    std::fs::write(&target, bytes).unwrap();
    std::os::unix::fs::symlink(target, saved.folder.path().join("data")).unwrap();
    let error = recognise(&saved.path, &options()).err();
    assert!(
        matches!(error, Some(ImportError::ExternalPath { .. })),
        "{error:?}"
    );
}

#[test]
fn impossible_graphs_are_errors_that_name_the_file() {
    type Edit = fn(&mut TestModel);
    let edits: [(&str, Edit); 6] = [
        ("a circle", |m| m.edit("x1").input[0] = "x2".into()),
        ("an input that nobody makes", |m| {
            m.edit("x1").input[0] = "nothing".into()
        }),
        ("a value made twice", |m| {
            m.edit("x1").output[0] = "x2".into()
        }),
        ("a shape that overflows", |m| {
            m.tensor("huge", 1, &[i64::MAX, i64::MAX, 0], vec![])
        }),
        ("a negative size", |m| {
            m.tensor("negative", 1, &[-4], vec![0; 16])
        }),
        ("data that is too short", |m| {
            m.tensor("short", 1, &[4], vec![0; 15])
        }),
    ];
    for (what, edit) in edits {
        let mut model = fused();
        edit(&mut model);
        let error = compile(&model).err();
        let named = matches!(
            error,
            Some(ImportError::Malformed { .. } | ImportError::Tensor { .. })
        );
        assert!(named, "{what}: {error:?}");
        assert!(error.unwrap().to_string().contains("model.onnx"), "{what}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    let bytes = decomposed().bytes();
    for len in (0..bytes.len()).step_by(997) {
        let saved = SavedModel::new(&bytes[..len]);
        assert!(recognise(&saved.path, &options()).is_err(), "{len} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is in the file: an answer, no panic.
    #[test]
    fn damaged_files_never_panic(
        spread in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = if spread { decomposed().bytes() } else { fused().bytes() };
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let saved = SavedModel::new(&bytes);
        if let Ok(spec) = recognise(&saved.path, &options()) {
            for tensor in &spec.tensors {
                let (encoding, rows, cols) = (tensor.encoding, tensor.rows, tensor.cols);
                let shape = TensorShape { encoding, rows, cols };
                let _ = tensor.source.stream(&shape, &mut |_| Ok(()));
            }
        }
    }

    /// Nodes that are wired, named and parametrised at random.
    #[test]
    fn scrambled_graphs_never_panic(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4u8, -9..9i64),
            1..12,
        ),
    ) {
        let mut model = decomposed();
        let donor = model.graph_mut().node.clone();
        for (at, from, what, number) in changes {
            let node = {
                let nodes = &mut model.graph_mut().node;
                let at = at.index(nodes.len());
                &mut nodes[at]
            };
            let other = &donor[from.index(donor.len())];
            match what {
                0 => node.op_type.clone_from(&other.op_type),
                1 => node.input.clone_from(&other.input),
                2 => node.attribute.clone_from(&other.attribute),
                _ => for attribute in &mut node.attribute {
                    attribute.i = number;
                    attribute.ints.iter_mut().for_each(|int| *int ^= number);
                },
            }
        }
        if let Ok(spec) = compile(&model) {
            tensors(&spec);
        }
    }
}
