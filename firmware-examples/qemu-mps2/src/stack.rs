//! How much of the stack was ever used. Before the program starts, all of it is painted.

/// What the start-up code paints with.
const PAINT: u32 = 0xcccc_cccc;

/// Bytes of the stack that were used at most, and those that there are.
pub fn most_used() -> (usize, usize) {
    // SAFETY: the linker defines both; only their addresses are taken.
    unsafe extern "C" {
        static _stack_start: u32;
        static _stack_end: u32;
    }
    let (top, bottom) = (&raw const _stack_start, &raw const _stack_end);
    let mut word = bottom;
    // SAFETY: all words between the two are memory, and the paint ends where the stack begins,
    // below this function's own frame.
    while word < top && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    (top as usize - word as usize, top as usize - bottom as usize)
}
