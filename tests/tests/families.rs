//! Every family of models as every exporter writes it, against what others compute.

use std::num::NonZeroU32;
use std::process::Command;
use std::sync::OnceLock;

use tealight_core::ops::{Op, Sinks};
use tealight_core::plan::Plan;
use tealight_import::{ImportOptions, Quantize, import_with, inspect};
use tealight_tests::families::{Cell, EXPORTS, Export, exports, families, markdown, matrix};
use tealight_tests::models::{Bytes, compiled, root};
use tealight_tests::run::Settings;
use tealight_tests::say;

fn cells() -> &'static [(String, Vec<Cell>)] {
    static CELLS: OnceLock<Vec<(String, Vec<Cell>)>> = OnceLock::new();
    CELLS.get_or_init(matrix)
}

#[test]
fn what_runs_agrees_with_transformers_and_with_onnxruntime() {
    for (family, cells) in cells() {
        for (cell, (name, _)) in cells.iter().zip(EXPORTS) {
            let (Cell::Runs(agreement) | Cell::Wrong(agreement, _)) = cell else {
                continue;
            };
            say(format_args!("{family}, {name}: {agreement}"));
            // Scales of blocks are f32 in the file and f16 in the plan.
            let most = if name.contains("int4") { 2e-2 } else { 2e-4 };
            assert!(agreement.worst < most, "{family}, {name}: {agreement}");
        }
    }
}

#[test]
fn hidden_states_agree_with_those_of_transformers() {
    let mut models = 0;
    for (family, cells) in cells() {
        for (cell, (name, _)) in cells.iter().zip(EXPORTS) {
            let Cell::Embeds(agreement) = cell else {
                continue;
            };
            say(format_args!("{family}, {name}: {agreement}"));
            assert!(agreement.worst < 2e-4, "{family}, {name}: {agreement}");
            models += 1;
        }
    }
    assert!(models > 0);
}

/// Loops over the experts that the tracer's example was routed to, and a mask out of Trilu.
const NOT_YET: [(&str, &str); 7] = [
    ("glm-4.5", "optimum-fp32"),
    ("gpt-oss", "optimum-fp32"),
    ("hunyuan-moe", "optimum-fp32"),
    ("mixtral", "optimum-fp32"),
    ("olmoe", "optimum-fp32"),
    ("qwen2-moe", "optimum-fp32"),
    ("qwen3-moe", "optimum-fp32"),
];

#[test]
fn what_exporters_write_is_imported_but_for_traced_loops_over_experts() {
    for (family, cells) in cells() {
        for (cell, (name, _)) in cells.iter().zip(EXPORTS) {
            let refused = matches!(cell, Cell::Refused(_));
            let expected = NOT_YET.contains(&(family, name));
            assert_eq!(refused, expected, "{family}, {name}: {cell:?}");
        }
    }
}

/// Routers, and what hands the turning part of latent keys to every head, among them.
#[test]
fn what_our_exporter_writes_runs_in_int8() {
    let mut options = ImportOptions::default();
    options.quantize = Some(Quantize::Int8.into());
    for family in families() {
        let export = Export {
            family: &family,
            name: "tealight-fp32",
        };
        let Some(model) = export.unpacked() else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.tea");
        import_with(model.path(), &path, &options, &mut |_| {}).unwrap();
        let plan = Plan::open(Bytes::new(&std::fs::read(&path).unwrap())).unwrap();
        let agreement = export.reference().compare(&plan, Settings::default());
        say(format_args!("{family} in int8: {agreement}"));
        // Another expert now and then is another answer of a random model.
        assert!(agreement.top1 > 0.8, "{family}: {agreement}");
    }
}

#[test]
fn caches_keep_what_windows_see() {
    let mut windowed = 0;
    for (family, name) in exports() {
        let export = Export {
            family: &family,
            name,
        };
        let model = export.unpacked().map(|model| compiled(model.path()));
        let Some(Ok(model)) = model else {
            continue;
        };
        let plan = model.plan();
        let seen = plan.ops().filter_map(|op| match op {
            Op::Attention(op) | Op::Sinks(Sinks { attention: op, .. }) => Some(op.window),
            _ => None,
        });
        let seen: Vec<u32> = seen
            .map(|window| window.map_or(0, NonZeroU32::get))
            .collect();
        let kept: Vec<u32> = plan.caches().iter().map(|cache| cache.window).collect();
        assert!(kept == seen || plan.model().whole != 0, "{family}, {name}");
        windowed += usize::from(kept.iter().any(|&window| window > 0));
    }
    say(format_args!("{windowed} exports have windows"));
    assert!(windowed > 5);
}

/// An operator without its weights and places, which exporters choose for themselves.
fn meaning(op: &Op) -> String {
    match op {
        Op::Linear(op) => format!("Linear {} {}", op.input.width, op.output.width),
        Op::Rope(op) => format!("Rope {} of {} {:?}", op.rotary_dim, op.head_dim, op.style),
        Op::Attention(op) => format!("Attention {:.4} {:?} {:?}", op.scale, op.window, op.softcap),
        Op::Sinks(op) => format!("Sinks, {}", meaning(&Op::Attention(op.attention))),
        Op::Gate(op) => format!("Gate {:?}", op.activation),
        Op::Softcap(op) => format!("Softcap {}", op.cap),
        Op::Route(op) => format!(
            "Route {:?}, {} of {} in {:?}, {} {}",
            op.scoring, op.chosen, op.logits.width, op.groups, op.normalized, op.scale
        ),
        Op::Experts(op) => format!("Experts {:?} {:?} {}", op.activation, op.bend, op.width),
        other => other.name().to_owned(),
    }
}

#[test]
fn fused_and_spread_out_graphs_compile_to_the_same_operators() {
    for family in families() {
        let mut first: Option<(&str, Vec<String>)> = None;
        for (name, _) in EXPORTS {
            let export = Export {
                family: &family,
                name,
            };
            let Some(model) = export.unpacked().filter(|_| export.wrong().is_none()) else {
                continue;
            };
            let Ok(report) = inspect(model.path(), &ImportOptions::default()) else {
                continue;
            };
            let ops: Vec<String> = report.ops.iter().map(meaning).collect();
            match &first {
                None => first = Some((name, ops)),
                Some((other, expected)) => {
                    assert_eq!(&ops, expected, "{family}: {name} and {other}");
                }
            }
        }
    }
}

/// Where `PYTHON`, or `python3`, has torch and transformers; a machine that tests seldom does.
#[test]
fn the_exporter_of_mixtures_passes_its_own_tests() {
    let python = std::env::var_os("PYTHON").unwrap_or("python3".into());
    let mut tests = Command::new(&python);
    tests.args(["-B", "-m", "unittest", "discover", "models/export/tests"]);
    let output = match tests.current_dir(root()).output() {
        Ok(output) => output,
        Err(error) => {
            return say(format_args!(
                "skipped: {} does not run: {error}",
                python.display()
            ));
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    if said.contains("skipped=") {
        say(format_args!(
            "skipped: {} has not what models/export/requirements.txt lists",
            python.display()
        ));
    }
}

#[test]
fn the_table_of_families_is_what_runs() {
    let page = std::fs::read_to_string(root().join("models/README.md")).unwrap();
    assert!(
        page.contains(&markdown(cells())),
        "run `cargo xtask matrix --update`"
    );
}
