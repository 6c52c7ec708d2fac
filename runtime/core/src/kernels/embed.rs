//! Rows of an embedding table.

use half::f16;

use super::{Isa, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

/// Writes row `token` of a table: `value · block_scale · table.scale · scale`, each product
/// rounded in this order; float tables have no block scale.
///
/// One row is little work and its bytes lie apart, so every instruction set does it alike.
///
/// # Panics
/// If the table has no such row or `out` is not `table.cols` long.
pub(crate) fn embed(_: Isa, table: Weight<'_>, token: usize, scale: f32, out: &mut [f32]) {
    assert!(token < table.rows && out.len() == table.cols);
    let group = table.group(token / GROUP_ROWS);
    let row = token % GROUP_ROWS;
    match table.encoding {
        Encoding::F32 => {
            for (k, out) in out.iter_mut().enumerate() {
                let at = 4 * (k * GROUP_ROWS + row);
                let value = group[at..at + 4].try_into().expect("four bytes");
                *out = f32::from_le_bytes(value) * table.scale * scale;
            }
        }
        Encoding::F16 => {
            for (k, out) in out.iter_mut().enumerate() {
                *out = half(group, k * GROUP_ROWS + row) * table.scale * scale;
            }
        }
        _ => {
            let block_bytes = table.encoding.block_bytes().expect("a quantized encoding");
            let blocks = group.chunks_exact(block_bytes).zip(out.chunks_mut(BLOCK));
            for (block, out) in blocks {
                let (codes, rest) = block.split_at(table.encoding.code_bytes());
                let (scales, zero_points) = rest.split_at(2 * GROUP_ROWS);
                let int4 = table.encoding.is_int4();
                let zero_point = zero_points.get(row).copied().unwrap_or(match int4 {
                    true => 8,
                    false => 128,
                });
                let block_scale = half(scales, row);
                for (k, out) in out.iter_mut().enumerate() {
                    let code = match int4 {
                        true => codes[k / 8 * 64 + 4 * row + k % 4] >> (k & 4) & 15,
                        false => codes[k / 4 * 64 + 4 * row + k % 4],
                    };
                    let value = i32::from(code) - i32::from(zero_point);
                    *out = value as f32 * block_scale * table.scale * scale;
                }
            }
        }
    }
}

/// The `i`th f16.
fn half(bytes: &[u8], i: usize) -> f32 {
    f16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]).to_f32()
}
