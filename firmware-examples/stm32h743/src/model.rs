//! The model and the sizes of its memory, as the build script made them.

include!(concat!(env!("OUT_DIR"), "/model.rs"));
