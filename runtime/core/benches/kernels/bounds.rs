//! What the machine allows: how fast it reads memory, and how fast it multiplies and adds
//! small integers when both come from registers.

use std::hint::black_box;

use multiversion::multiversion;
use tealight_core::kernels::Isa;

/// Reads memory as fast as plain code does: sixteen sums in each of two places, as processors
/// that fetch ahead stop at the end of a page.
#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
pub fn read(memory: &[u8]) -> u64 {
    let words = memory.as_chunks::<8>().0;
    let (first, second) = words.split_at(words.len() / 2);
    let mut sums = [[0u64; 16]; 2];
    for (first, second) in first
        .as_chunks::<16>()
        .0
        .iter()
        .zip(second.as_chunks::<16>().0)
    {
        for (sums, words) in sums.iter_mut().zip([first, second]) {
            for (sum, word) in sums.iter_mut().zip(words) {
                *sum = sum.wrapping_add(u64::from_ne_bytes(*word));
            }
        }
    }
    sums.iter().flatten().fold(0, |a, b| a ^ b)
}

/// A loop of integer products without a load.
pub struct Peak {
    run: fn(usize),
    /// Multiply-adds of a round.
    macs: usize,
}

impl Peak {
    /// Of the integer instructions that the kernels of this set use, where it is known.
    pub fn of(isa: Isa) -> Option<Peak> {
        let (run, macs): (fn(usize), usize) = match isa.name() {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has what the set's value stands for.
            "avx512vnni" => (|rounds| unsafe { x86::vnni(rounds) }, x86::CHAINS * 64),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            "avx2" => (|rounds| unsafe { x86::avx2(rounds) }, x86::CHAINS * 32),
            _ => return None,
        };
        Some(Peak { run, macs })
    }

    /// Runs about so many multiply-adds, and says how many.
    pub fn run(&self, macs: usize) -> usize {
        let rounds = macs.div_ceil(self.macs);
        (self.run)(black_box(rounds));
        rounds * self.macs
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    /// Sums that do not wait for each other: more than the instructions that are under way at
    /// once.
    pub const CHAINS: usize = 12;

    /// One `vpdpbusd` of 64 products a chain and round.
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub fn vnni(rounds: usize) {
        let (a, b) = (
            _mm512_set1_epi8(black_box(3)),
            _mm512_set1_epi8(black_box(5)),
        );
        let mut sums = [_mm512_setzero_si512(); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, a, b);
            }
        }
        black_box(sums);
    }

    /// One `vpmaddubsw` of 32 products a chain and round, and the instructions that widen its
    /// sums: four products are added in 16 bits before, as the kernels' blocks allow.
    #[target_feature(enable = "avx2")]
    pub fn avx2(rounds: usize) {
        let ones = _mm256_set1_epi16(1);
        let mut a = [_mm256_set1_epi8(black_box(3)); CHAINS];
        let b = _mm256_set1_epi8(black_box(5));
        let mut sums = [_mm256_setzero_si256(); CHAINS / 4];
        for _ in 0..rounds {
            for (sum, a) in sums.iter_mut().zip(a.as_chunks_mut::<4>().0) {
                let mut wide = _mm256_maddubs_epi16(a[0], b);
                for a in &a[1..] {
                    wide = _mm256_add_epi16(wide, _mm256_maddubs_epi16(*a, b));
                }
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(wide, ones));
            }
            // Otherwise the products are the same in every round, and computed once.
            a = black_box(a);
        }
        black_box(sums);
    }
}
