//! Keys and values as the KV cache keeps them.
//!
//! Values lie position by position, in vectors of sixteen numbers. Keys lie in tiles of sixteen
//! positions by sixteen numbers, turned so that a vector holds one number of each position:
//! scores of sixteen positions are then sixteen lanes, with nothing to add up across them.

use bytemuck::{Pod, Zeroable, cast_mut, cast_ref};
use half::f16;

use super::Isa;
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use super::quantize::round_to_int8;

/// Sixteen numbers of a position's key or value. The last vector of a row is filled up with
/// zeros.
pub(crate) trait KvVector: Pod + Send + Sync {
    /// As many of these as there are lanes, turned: a tile of keys.
    type Tile: Pod + Send + Sync;

    fn load<L: Lanes>(&self, lanes: L) -> L::F;
    fn store<L: Lanes>(&mut self, lanes: L, x: L::F);

    /// Puts a key's vector into a tile as position `at`.
    fn turn(&self, tile: &mut Self::Tile, at: usize);
    /// Number `i` of each position.
    fn load_column<L: Lanes>(tile: &Self::Tile, lanes: L, i: usize) -> L::F;

    /// Vectors, if they are nothing but halves.
    #[inline(always)]
    fn halves(_vectors: &[Self]) -> Option<&[[f16; LANES]]> {
        None
    }

    /// Columns of tiles alike.
    #[inline(always)]
    fn columns(_tiles: &[Self::Tile]) -> Option<&[[f16; LANES]]> {
        None
    }
}

impl KvVector for [f32; LANES] {
    type Tile = [[f32; LANES]; LANES];

    #[inline(always)]
    fn load<L: Lanes>(&self, lanes: L) -> L::F {
        lanes.load(self)
    }

    #[inline(always)]
    fn store<L: Lanes>(&mut self, lanes: L, x: L::F) {
        lanes.store(x, self);
    }

    #[inline(always)]
    fn turn(&self, tile: &mut Self::Tile, at: usize) {
        turn(self, tile, at);
    }

    #[inline(always)]
    fn load_column<L: Lanes>(tile: &Self::Tile, lanes: L, i: usize) -> L::F {
        lanes.load(&tile[i])
    }
}

impl KvVector for [f16; LANES] {
    type Tile = [[f16; LANES]; LANES];

    #[inline(always)]
    fn load<L: Lanes>(&self, lanes: L) -> L::F {
        lanes.load_f16(cast_ref(self))
    }

    #[inline(always)]
    fn store<L: Lanes>(&mut self, lanes: L, x: L::F) {
        lanes.store_f16(x, cast_mut(self));
    }

    #[inline(always)]
    fn turn(&self, tile: &mut Self::Tile, at: usize) {
        turn(self, tile, at);
    }

    #[inline(always)]
    fn load_column<L: Lanes>(tile: &Self::Tile, lanes: L, i: usize) -> L::F {
        lanes.load_f16(cast_ref(&tile[i]))
    }

    #[inline(always)]
    fn halves(vectors: &[Self]) -> Option<&[[f16; LANES]]> {
        Some(vectors)
    }

    #[inline(always)]
    fn columns(tiles: &[Self::Tile]) -> Option<&[[f16; LANES]]> {
        Some(tiles.as_flattened())
    }
}

/// Whole numbers within ±127 with a scale, rounded as linear maps round their inputs. A number
/// is `scale · value`, rounded once.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Int8Vector {
    scale: f32,
    values: [i8; LANES],
}

/// Sixteen [`Int8Vector`]s, turned.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Int8Tile {
    scales: [f32; LANES],
    values: [[i8; LANES]; LANES],
}

impl KvVector for Int8Vector {
    type Tile = Int8Tile;

    #[inline(always)]
    fn load<L: Lanes>(&self, lanes: L) -> L::F {
        lanes.mul(lanes.load_i8(&self.values), lanes.splat(self.scale))
    }

    #[inline(always)]
    fn store<L: Lanes>(&mut self, lanes: L, x: L::F) {
        let ([values], scale) = round_to_int8(lanes, [x]);
        lanes.store_i8(values, &mut self.values);
        self.scale = scale;
    }

    #[inline(always)]
    fn turn(&self, tile: &mut Int8Tile, at: usize) {
        tile.scales[at] = self.scale;
        turn(&self.values, &mut tile.values, at);
    }

    #[inline(always)]
    fn load_column<L: Lanes>(tile: &Int8Tile, lanes: L, i: usize) -> L::F {
        lanes.mul(lanes.load_i8(&tile.values[i]), lanes.load(&tile.scales))
    }
}

#[inline(always)]
fn turn<T: Copy>(vector: &[T; LANES], tile: &mut [[T; LANES]; LANES], at: usize) {
    for i in 0..LANES {
        tile[i][at] = vector[i];
    }
}

/// Vectors that hold a row of so many numbers.
pub(crate) fn kv_vectors(dim: usize) -> usize {
    dim.div_ceil(LANES)
}

/// Tiles that hold the keys of so many positions.
pub(crate) fn key_tiles(positions: usize, dim: usize) -> usize {
    positions.div_ceil(LANES) * kv_vectors(dim)
}

/// Where a row is kept.
enum Place<'a, E: KvVector> {
    Value(&'a mut [E]),
    Key(&'a mut [E::Tile], usize),
}

/// Stores a value.
///
/// # Panics
/// If `out` has not as many vectors as the row needs.
pub(crate) fn store_value<E: KvVector>(isa: Isa, x: &[f32], out: &mut [E]) {
    assert_eq!(out.len(), kv_vectors(x.len()));
    let to = Place::Value(out);
    isa.run(Store { x, to });
}

/// Stores a key as position `at` of a row of tiles.
///
/// # Panics
/// If `out` has not as many tiles as the row needs vectors, or they have no such position.
pub(crate) fn store_key<E: KvVector>(isa: Isa, x: &[f32], out: &mut [E::Tile], at: usize) {
    assert!(out.len() == kv_vectors(x.len()) && at < LANES);
    let to = Place::<E>::Key(out, at);
    isa.run(Store { x, to });
}

struct Store<'a, E: KvVector> {
    x: &'a [f32],
    to: Place<'a, E>,
}

impl<E: KvVector> Kernel for Store<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(mut self, lanes: L) {
        let (x, tail) = self.x.as_chunks();
        for (i, x) in x.iter().enumerate() {
            self.put(lanes, i, lanes.load(x));
        }
        if !tail.is_empty() {
            self.put(lanes, x.len(), lanes.load_some(tail));
        }
    }
}

impl<E: KvVector> Store<'_, E> {
    #[inline(always)]
    fn put<L: Lanes>(&mut self, lanes: L, i: usize, x: L::F) {
        match &mut self.to {
            Place::Value(out) => out[i].store(lanes, x),
            Place::Key(tiles, at) => {
                let mut vector = E::zeroed();
                vector.store(lanes, x);
                vector.turn(&mut tiles[i], *at);
            }
        }
    }
}
