//! Nothing is allocated between tokens. (Without a test harness, whose threads allocate too.)

use std::sync::Barrier;

use tealight_core::executor::{Activations, Arena, Config, Executor, KvCache, KvType, Logits};
use tealight_core::kernels::Isa;
use tealight_core::pool::{Pool, Workers};
use tealight_core::sampling::{Candidate, Sampler, SamplingParams};
use tealight_tests::memory::{Counting, allocations};
use tealight_tests::models::embedded;
use tealight_tests::run::lines;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let plan = embedded();
    let pool = Pool::new(2).expect("threads");
    let config = Config {
        context: 64,
        step: 8,
        logits: 1,
        threads: 2,
        kv: KvType::F16,
    };
    let mut cache = KvCache::new(&plan, &config, lines(KvCache::lines(&plan, &config))).unwrap();
    let mut arena = Arena::new(&plan, &config, lines(Arena::lines(&plan, &config))).unwrap();
    let executor = Executor::new(&plan, &pool, Isa::best(), Activations::Int8);
    let params = SamplingParams {
        top_k: 40,
        top_p: 0.95,
        min_p: 0.01,
        repetition_penalty: 1.1,
        frequency_penalty: 0.1,
        presence_penalty: 0.1,
        ..SamplingParams::default()
    };
    let mut sampler = Sampler::new(params);
    let mut scratch = vec![Candidate::default(); plan.model().vocab as usize];
    let mut text = vec![3u32, 5, 7, 11, 13, 17, 19, 23];
    text.reserve(64);
    let mut fed = 0;
    let mut generate = |until: usize| {
        while text.len() < until {
            let logits = executor
                .step(&mut cache, &mut arena, &text[fed..], Logits::Last)
                .unwrap();
            fed = text.len();
            text.push(sampler.sample(logits, &text, &mut scratch));
        }
    };
    // Threads allocate when they start: wait until both of the pool's have.
    let both = Barrier::new(2);
    pool.run(&|_| {
        both.wait();
    });
    generate(16);
    let counted = allocations(|| generate(48));
    assert_eq!(counted, 0, "allocations in 32 tokens");
    println!("nothing is allocated between tokens: ok");
}
