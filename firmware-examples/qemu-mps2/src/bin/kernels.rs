//! Holds the integer products of every instruction set to the scalar ones, bit for bit, on
//! weights and inputs of all kinds: with denormal scales, zeros, numbers that are not finite.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use qemu_mps2 as _;
use static_cell::ConstStaticCell;
use tealight_core::kernels::Isa;
use tealight_core::kernels::bench::{Matrix, Output, Quantized, linear_int8};
use tealight_core::layout::{BLOCK, Encoding, GROUP_ROWS};

const ENCODINGS: [Encoding; 4] = [
    Encoding::Int4,
    Encoding::Int4ZeroPoint,
    Encoding::Int8,
    Encoding::Int8ZeroPoint,
];
/// Outputs: a group, and a group and a piece.
const ROWS: [usize; 2] = [16, 37];
const MOST_ROWS: usize = 37;
/// Inputs: less than a block, whole blocks, blocks and a piece.
const COLS: [usize; 4] = [5, 32, 128, 171];
const MOST_COLS: usize = 171;
const MOST_BLOCKS: usize = MOST_COLS.div_ceil(BLOCK);
const MOST_TOKENS: usize = 5;
/// Of the largest weight: groups of blocks of int8 with scales and zero points.
const MOST_BYTES: usize = MOST_ROWS.div_ceil(GROUP_ROWS) * MOST_BLOCKS * (BLOCK + 3) * GROUP_ROWS;

/// Sizes of inputs: everyday ones, such that sums become denormal, such that scales do, such that
/// sums overflow, and powers of two around the least scale that Helium takes.
const SIZES: [f32; 6] = [1.0, 1e-35, 1e-42, 1e37, 3e-22, 6e-22];

static DATA: ConstStaticCell<Aligned<[u8; MOST_BYTES]>> =
    ConstStaticCell::new(Aligned([0; MOST_BYTES]));
static VALUES: ConstStaticCell<Aligned<[i8; MOST_TOKENS * MOST_BLOCKS * BLOCK]>> =
    ConstStaticCell::new(Aligned([0; MOST_TOKENS * MOST_BLOCKS * BLOCK]));

/// As plans and arenas lie.
#[repr(align(64))]
struct Aligned<T>(T);

/// Reproducible numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, n: u32) -> u32 {
        self.next() % n
    }

    /// A number of this size, or one of those that are special.
    fn float(&mut self, size: f32) -> f32 {
        let x = (self.below(2_000_001) as f32 / 1e6 - 1.0) * size;
        match self.below(4000) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2..20 => -0.0,
            20..200 => 0.0,
            _ => x,
        }
    }

    /// Codes, of which extremes come often; finite scales of any size and sign; zero points.
    fn fill(&mut self, encoding: Encoding, data: &mut [u8]) {
        let zero_points = if encoding.has_zero_points() {
            GROUP_ROWS
        } else {
            0
        };
        let limit = if encoding == Encoding::Int4ZeroPoint {
            16
        } else {
            256
        };
        let block_bytes = encoding.block_bytes().expect("a quantized encoding");
        for block in data.chunks_exact_mut(block_bytes) {
            let (codes, rest) = block.split_at_mut(block_bytes - 2 * GROUP_ROWS - zero_points);
            let (scales, zero_points) = rest.split_at_mut(2 * GROUP_ROWS);
            codes.fill_with(|| match self.below(4) {
                0 => 255,
                1 => 0,
                _ => self.below(256) as u8,
            });
            for scale in scales.as_chunks_mut().0 {
                let bits = self.below(0x7c00) | (self.below(2) << 15);
                *scale = (bits as u16).to_le_bytes();
            }
            zero_points.fill_with(|| self.below(limit) as u8);
        }
    }
}

#[entry]
fn main() -> ! {
    let (data, values) = (&mut DATA.take().0, &mut VALUES.take().0);
    let mut numbers = Numbers(7);
    let mut compared = 0;
    for encoding in ENCODINGS {
        for (rows, cols) in ROWS.iter().flat_map(|rows| COLS.map(|cols| (*rows, cols))) {
            let bytes = encoding.tensor_bytes(rows, cols).expect("it is small");
            numbers.fill(encoding, &mut data[..bytes]);
            let data = &data[..bytes];
            let matrix = Matrix {
                encoding,
                rows,
                cols,
                data,
            };
            for (tokens, size) in (1..=MOST_TOKENS).flat_map(|n| SIZES.map(|size| (n, size))) {
                compared += compare(&mut numbers, matrix, tokens, size, values);
            }
        }
    }
    hprintln!("{} products alike with {:?}", compared, Isa::best());
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

/// Multiplies random inputs of some tokens with every instruction set; how many outputs each has.
fn compare(
    numbers: &mut Numbers,
    matrix: Matrix<'_>,
    tokens: usize,
    size: f32,
    values: &mut [i8],
) -> usize {
    let mut x = [0.0; MOST_TOKENS * MOST_COLS];
    let x = &mut x[..tokens * matrix.cols];
    x.fill_with(|| numbers.float(size));
    let blocks = tokens * matrix.cols.div_ceil(BLOCK);
    let mut scales = [0.0; MOST_TOKENS * MOST_BLOCKS];
    let mut sums = [0; MOST_TOKENS * MOST_BLOCKS];
    let (scales, sums) = (&mut scales[..blocks], &mut sums[..blocks]);
    let mut quantized = Quantized::new(&mut values[..blocks * BLOCK], scales, sums, tokens);
    quantized.fill(Isa::SCALAR, x);
    let product = |isa, out: &mut [f32]| {
        let output = Output::new(out, matrix.rows);
        // SAFETY: there is one thread.
        unsafe { linear_int8(isa, matrix, &quantized, output, 0..matrix.groups()) };
    };
    let count = tokens * matrix.rows;
    let mut expected = [0.5; MOST_TOKENS * MOST_ROWS];
    product(Isa::SCALAR, &mut expected[..count]);
    for isa in Isa::available().skip(1) {
        let mut found = [0.25; MOST_TOKENS * MOST_ROWS];
        product(isa, &mut found[..count]);
        for (at, (found, expected)) in found.iter().zip(&expected[..count]).enumerate() {
            // Which NaN it is, is no instruction set's promise.
            let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
            assert!(
                same,
                "{isa:?}, {:?}, {} rows of {}, {tokens} tokens of size {size:e}: output {at} is \
                 {found:e} and not {expected:e}",
                matrix.encoding, matrix.rows, matrix.cols,
            );
        }
    }
    count
}
