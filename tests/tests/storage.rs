//! Every way to store a model's weights, against onnxruntime on the same integers.

use std::sync::OnceLock;

use tealight_tests::families::Cell;
use tealight_tests::models::root;
use tealight_tests::say;
use tealight_tests::storage::{STORAGES, cells, markdown};

fn found() -> &'static [Cell] {
    static CELLS: OnceLock<Vec<Cell>> = OnceLock::new();
    CELLS.get_or_init(cells)
}

#[test]
fn weights_mean_what_they_mean_to_onnxruntime_however_they_are_stored() {
    for (storage, cell) in STORAGES.iter().zip(found()) {
        let name = storage.name;
        let Cell::Runs(agreement) = cell else {
            panic!("{name}: {cell:?}");
        };
        say(format_args!("{name}: {agreement}"));
        // Scales are rounded to f16, and graphs in f16 round everything.
        assert!(agreement.worst < 5e-2, "{name}: {agreement}");
        assert!(agreement.kl < 1e-5, "{name}: {agreement}");
    }
}

#[test]
fn the_table_of_storages_is_what_runs() {
    let page = std::fs::read_to_string(root().join("models/README.md")).unwrap();
    assert!(
        page.contains(&markdown(found())),
        "run `cargo xtask matrix --update`"
    );
}
