//! The models that Tealight knows, and the one that it carries.
//!
//! [`HOME`] is a plan, ready to be opened where it lies. [`CATALOGUE`] is information about
//! others: nothing here downloads them.

mod catalogue;

pub use catalogue::{CATALOGUE, Export, Model, find};

/// A plan has to start on a 64-byte boundary to be read in place.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

static ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/home.tea")));

/// The embedded default, a `.tea` file: household requests in, compact JSON out. It starts on a
/// 64-byte boundary.
pub static HOME: &[u8] = &ALIGNED.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_plan_can_be_read_in_place() {
        assert_eq!(HOME.as_ptr().align_offset(64), 0);
        assert!(HOME.starts_with(b"TEALIGHT"));
    }

    #[test]
    fn the_embedded_plan_fits_into_a_megabyte() {
        assert!(HOME.len() <= 1_000_000, "{} bytes", HOME.len());
    }
}
