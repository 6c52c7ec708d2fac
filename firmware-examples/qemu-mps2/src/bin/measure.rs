//! Says how many instructions a token takes with each instruction set, that all of them give the
//! same logits, and how much of the stack was used. To be run with `-icount shift=0`.
#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use qemu_mps2::clock::Timer;
use qemu_mps2::{model, stack};
use static_cell::ConstStaticCell;
use tealight_core::executor::{Activations, Arena, Executor, KvCache, Line, Logits};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::pool::Single;

static CACHE: ConstStaticCell<[Line; model::CACHE_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::CACHE_LINES]);
static ARENA: ConstStaticCell<[Line; model::ARENA_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::ARENA_LINES]);

/// Tokens before those that are measured: a request of usual length.
const BEFORE: usize = 12;

#[entry]
fn main() -> ! {
    let timer = Timer::new(Peripherals::take().expect("nobody else takes them").SYST);
    let plan = Plan::open(model::PLAN).expect("the build script opened it");
    let config = &model::CONFIG;
    let mut cache = KvCache::new(&plan, config, &mut CACHE.take()[..]).expect("it was measured");
    let mut arena = Arena::new(&plan, config, &mut ARENA.take()[..]).expect("it was measured");
    let mut first = None;
    for isa in Isa::available() {
        let executor = Executor::new(&plan, &Single, isa, Activations::Int8);
        cache.truncate(0);
        let mut tokens = (300u32..).step_by(7);
        let mut read = |count: usize, logits| {
            let mut step = [0; 4];
            step[..count].fill_with(|| tokens.next().expect("it has no end"));
            let began = timer.now();
            let logits = executor.step(&mut cache, &mut arena, &step[..count], logits);
            let nanoseconds = timer.since(began);
            let bits = logits.expect("it fits").iter();
            let sum = bits.fold(0u32, |sum, x| sum.rotate_left(5) ^ x.to_bits());
            (nanoseconds, sum)
        };
        for _ in 0..BEFORE / 4 {
            read(4, Logits::None);
        }
        let (prefill, _) = read(4, Logits::None);
        let (decode, logits) = read(1, Logits::Last);
        hprintln!(
            "{:?}: {} instructions a token of a request, {} a token of an answer, logits {:08x}",
            isa,
            prefill / 4,
            decode,
            logits
        );
        assert!(*first.get_or_insert(logits) == logits, "the logits differ");
    }
    let (used, all) = stack::most_used();
    hprintln!("stack: {} of {} bytes", used, all);
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
