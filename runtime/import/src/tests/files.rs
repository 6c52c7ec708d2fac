//! Data beside the graph that is large, or in many files.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};

use super::*;

const GIB: u64 = 1 << 30;

#[test]
fn data_beyond_two_and_four_gigabytes_is_read_where_it_lies() {
    let plain = tensors(&spec(&fused()));
    let mut model = fused();
    let far = [
        ("wq", 2 * GIB),
        ("embed", 4 * GIB - 64),
        ("wdown", 5 * GIB + 64),
    ];
    let moved = far.map(|(name, offset)| {
        let entries = [("location", "data"), ("offset", &offset.to_string())];
        (offset, model.move_out(name, &entries))
    });
    let saved = model.save();
    let file = File::create(saved.folder.path().join("data")).expect("a file for the data");
    // Nobody has written between, which takes no room where files may have holes.
    for (offset, bytes) in &moved {
        if let Err(error) = file.write_all_at(bytes, *offset) {
            return eprintln!("skipped: no file of 5 GiB can be made here: {error}");
        }
    }
    let taken = file.metadata().expect("of a file just made").blocks() * 512;
    if taken > GIB {
        return eprintln!("skipped: files have no holes here");
    }
    assert_eq!(tensors_of(&saved), Some(plain));
}

#[test]
fn each_tensor_may_have_a_file_of_its_own() {
    let plain = tensors(&spec(&fused()));
    let mut model = fused();
    let moved = ["wq", "embed", "norm1", "whead"].map(|name| {
        let location = format!("parts/{name}");
        let bytes = model.move_out(name, &[("location", &location)]);
        (location, bytes)
    });
    let saved = model.save();
    std::fs::create_dir(saved.folder.path().join("parts")).expect("a folder in the folder");
    for (location, bytes) in &moved {
        saved.write(location, bytes);
    }
    assert_eq!(tensors_of(&saved), Some(plain));
    let files = crate::source_files(&saved.path).expect("the graph is sound");
    for (location, _) in &moved {
        assert!(files.iter().any(|file| file.name == *location));
    }
}
