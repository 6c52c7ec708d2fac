//! How weights lie in a plan.
//!
//! Linear weights are stored in groups of [`GROUP_ROWS`] rows, interleaved so that one vector
//! register holds the same input of several outputs. See [`Encoding`] for the bytes and
//! [`pack_quantized`] and [`pack_float`] for who writes them.
//!
//! # One layout for every instruction set
//!
//! A chunk of 64 bytes holds, for each of 16 rows, 4 bytes that one 32-bit lane multiplies with
//! 4 consecutive inputs. Let `w` be a chunk (for int4: its low or its high nibbles) and `x` the
//! 4 inputs that belong to it. Every instruction set finds its operands in whole registers, in
//! the order in which they lie in memory:
//!
//! - **AVX-512 VNNI**: one register is a chunk; `vpdpbusd(acc, w, broadcast32(x))` adds lane by
//!   lane `Σ w[4r..4r+4] · x` to row `r`. Two nibbles a byte are split by one `and` and one
//!   shift, and both halves are again chunks, of inputs `8c..8c+4` and `8c+4..8c+8`.
//! - **AMX**: the eight chunks of a block, nibbles split and zero points taken off, are the tile
//!   of 8 × 64 bytes that `tdpbssd` multiplies with 16 tokens × 32 inputs.
//! - **AVX2**: half a chunk is 8 rows; `vpmaddubsw(w, broadcast32(x))` gives two 16-bit sums a
//!   row. For int4 each is at most `2 · 15 · 127 = 3,810` in magnitude, and a block adds 8 of
//!   them: 30,480 fits 16 bits, so one `vpmaddwd` by ones a block joins the two. For int8 the
//!   weight's magnitude (at most 128 around the zero point 128) takes the unsigned place and
//!   its sign moves to the input: `2 · 128 · 127 = 32,512` fits as well.
//! - **NEON dotprod**: a quarter of a chunk is 4 rows of 4 bytes, the shape of `sdot`'s first
//!   operand; `sdot v_acc.4s, v_w.16b, v_x.4b[i]` multiplies all four rows with the same
//!   4 inputs, lane `i` of a register that holds 16 inputs. So 2 registers of inputs serve the
//!   32 inputs of a block with no broadcast at all. Nibbles are below 16, so they are the same
//!   signed or unsigned; int8 becomes signed by one `eor` with 0x80.
//! - **i8mm**: `smmla` multiplies 2 rows × 8 inputs with 8 inputs × 2 tokens. Of an int4 chunk,
//!   4 rows' low nibbles `L = [a0 b0 c0 d0]` (32 bits each, inputs `8c..8c+4`) and high nibbles
//!   `H = [a1 b1 c1 d1]` (inputs `8c+4..8c+8`) zip to `zip1(L, H) = [a0 a1 b0 b1]` and
//!   `zip2(L, H) = [c0 c1 d0 d1]`: each is 2 rows × 8 inputs in order. For int8 the same holds
//!   for two neighbouring chunks. The inputs of two tokens zip alike, once a token pair.
//! - **NEON without dotprod**: `smull` and `smlal2` on the same bytes, then `sadalp`; a row's
//!   4 bytes end in one 32-bit lane after one `addp`.
//! - **Microcontrollers** (DSP extension): 4 bytes of a row are one aligned word; `uxtb16` of it
//!   and of it shifted by 4 or 8 bits feed two `smlad` each.
//! - **Helium**: a row's words are a chunk apart, so that one gathering load makes 16 bytes of a
//!   row, which `vmladava.s8` multiplies with 16 inputs at once.
//!
//! Scales and zero points follow their block, so a matrix-vector product reads one stream from
//! its first byte to its last.

mod pack;

pub use pack::{pack_float, pack_quantized};

/// Rows (outputs) that are interleaved in one group.
pub const GROUP_ROWS: usize = 16;
/// Inputs that share one scale.
pub const BLOCK: usize = 32;

/// How a tensor's values are stored.
///
/// All but [`Encoding::Table`] are *packed*: rows in groups of [`GROUP_ROWS`], the last group
/// filled up with zeros. Quantized encodings cut the inputs into blocks of [`BLOCK`] (the last
/// one filled up with zeros); a value is `(stored − zero_point) · block_scale · tensor_scale`.
///
/// One block of a group is laid out as
/// ```text
/// int4: 4 chunks × 64 bytes; in chunk c, byte 4·row + i holds
///       input 8c + i in its low and input 8c + 4 + i in its high nibble
/// int8: 8 chunks × 64 bytes; in chunk c, byte 4·row + i holds input 4c + i
/// then  16 × f16 block scales, one a row
/// then  16 × u8 zero points, one a row, in the encodings that have them
/// ```
/// Stored values are unsigned; without stored zero points the zero point is 8 (int4) or 128 (int8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[non_exhaustive]
pub enum Encoding {
    /// Plain f32, row after row: norm weights, biases, cosine and sine tables.
    Table = 0,
    /// f32, 16 rows interleaved: input 0 of rows 0–15, input 1 of rows 0–15, …
    F32 = 1,
    /// f16, interleaved in the same way.
    F16 = 2,
    /// int4, zero point 8.
    Int4 = 3,
    /// int4 with a zero point a block and row.
    Int4ZeroPoint = 4,
    /// int8, zero point 128.
    Int8 = 5,
    /// int8 with a zero point a block and row.
    Int8ZeroPoint = 6,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Encoding; 7] = [
        Encoding::Table,
        Encoding::F32,
        Encoding::F16,
        Encoding::Int4,
        Encoding::Int4ZeroPoint,
        Encoding::Int8,
        Encoding::Int8ZeroPoint,
    ];

    /// The encoding that a record's number stands for.
    pub fn from_number(encoding: u32) -> Option<Encoding> {
        Encoding::ALL.into_iter().find(|e| *e as u32 == encoding)
    }

    /// A short name for people: `int4`, `f16`, …
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Table | Encoding::F32 => "f32",
            Encoding::F16 => "f16",
            Encoding::Int4 => "int4",
            Encoding::Int4ZeroPoint => "int4+zp",
            Encoding::Int8 => "int8",
            Encoding::Int8ZeroPoint => "int8+zp",
        }
    }

    /// Whether the values are integers with block scales.
    pub fn is_quantized(self) -> bool {
        self.block_bytes().is_some()
    }

    /// Whether each block stores zero points.
    pub fn has_zero_points(self) -> bool {
        matches!(self, Encoding::Int4ZeroPoint | Encoding::Int8ZeroPoint)
    }

    /// Whether values are nibbles.
    pub(crate) fn is_int4(self) -> bool {
        matches!(self, Encoding::Int4 | Encoding::Int4ZeroPoint)
    }

    /// Bytes of the values of one block of one group, before its scales.
    pub(crate) fn code_bytes(self) -> usize {
        if self.is_int4() {
            GROUP_ROWS * BLOCK / 2
        } else {
            GROUP_ROWS * BLOCK
        }
    }

    /// Bytes of one block of one group (16 rows × 32 inputs) of a quantized encoding.
    pub fn block_bytes(self) -> Option<usize> {
        let scales = GROUP_ROWS * 2;
        match self {
            Encoding::Table | Encoding::F32 | Encoding::F16 => None,
            Encoding::Int4 => Some(GROUP_ROWS * BLOCK / 2 + scales),
            Encoding::Int4ZeroPoint => Some(GROUP_ROWS * BLOCK / 2 + scales + GROUP_ROWS),
            Encoding::Int8 => Some(GROUP_ROWS * BLOCK + scales),
            Encoding::Int8ZeroPoint => Some(GROUP_ROWS * BLOCK + scales + GROUP_ROWS),
        }
    }

    /// Bytes of one group of 16 rows; of one row for [`Encoding::Table`]. `None` on overflow.
    pub fn group_bytes(self, cols: usize) -> Option<usize> {
        match self {
            Encoding::Table => cols.checked_mul(4),
            Encoding::F32 => cols.checked_mul(4 * GROUP_ROWS),
            Encoding::F16 => cols.checked_mul(2 * GROUP_ROWS),
            _ => cols.div_ceil(BLOCK).checked_mul(self.block_bytes()?),
        }
    }

    /// Bytes of a whole tensor. `None` on overflow.
    pub fn tensor_bytes(self, rows: usize, cols: usize) -> Option<usize> {
        let groups = match self {
            Encoding::Table => rows,
            _ => rows.div_ceil(GROUP_ROWS),
        };
        self.group_bytes(cols)?.checked_mul(groups)
    }
}
