//! From a regular expression to an automaton as plans hold it.

use std::collections::HashMap;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use tealight_core::constraint::{AutomatonRecord, StateRecord, TransitionRecord};

/// Bytes that building may take: a schema that asks for more is no device's.
const MOST_BYTES: usize = 64 << 20;

/// A pattern for this text and no other.
pub(super) fn literal(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '"' | ':' | ',' => c.to_string(),
            other => format!("\\x{{{:x}}}", u32::from(other)),
        })
        .collect()
}

/// A pattern for what any of these fit.
pub(super) fn any_of(patterns: impl IntoIterator<Item = String>) -> String {
    let patterns: Vec<String> = patterns.into_iter().collect();
    format!("(?:{})", patterns.join("|"))
}

/// The section for texts that fit a pattern as a whole.
pub(super) fn of_pattern(pattern: &str) -> Result<Vec<u8>, String> {
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(MatchKind::All)
        .minimize(true)
        .dfa_size_limit(Some(MOST_BYTES))
        .determinize_size_limit(Some(MOST_BYTES));
    let dfa = dense::Builder::new().configure(config).build(pattern);
    let dfa = dfa.map_err(|error| format!("it has too many answers: {error}"))?;
    let states = States::of(&dfa)?;
    states.section()
}

/// What can be reached, in the order of discovery.
struct States {
    accepts: Vec<bool>,
    /// Of each state the next ones by byte.
    next: Vec<Vec<(u8, usize)>>,
}

impl States {
    fn of(dfa: &dense::DFA<Vec<u32>>) -> Result<States, String> {
        let anchored = start::Config::new().anchored(Anchored::Yes);
        let first = dfa.start_state(&anchored).map_err(|e| e.to_string())?;
        let mut numbers: HashMap<StateID, usize> = HashMap::from([(first, 0)]);
        let mut found = vec![first];
        let (mut accepts, mut next) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(&state) = found.get(at) {
            accepts.push(dfa.is_match_state(dfa.next_eoi_state(state)));
            let mut row = Vec::new();
            for byte in 0..=u8::MAX {
                let target = dfa.next_state(state, byte);
                if dfa.is_dead_state(target) {
                    continue;
                }
                let number = *numbers.entry(target).or_insert_with(|| {
                    found.push(target);
                    found.len() - 1
                });
                row.push((byte, number));
            }
            next.push(row);
            at += 1;
        }
        Ok(States { accepts, next }.that_lead_to_an_answer())
    }

    /// Without states from which no answer can be whole. (The library sees a match one byte
    /// late, which takes such states.)
    fn that_lead_to_an_answer(mut self) -> States {
        let mut alive = self.accepts.clone();
        loop {
            let mut changed = false;
            for (state, row) in self.next.iter().enumerate() {
                if !alive[state] && row.iter().any(|(_, target)| alive[*target]) {
                    (alive[state], changed) = (true, true);
                }
            }
            if !changed {
                break;
            }
        }
        // The first state keeps its place, alive or not.
        alive[0] = true;
        let mut numbers = vec![0; alive.len()];
        let mut count = 0;
        for (number, alive) in numbers.iter_mut().zip(&alive) {
            *number = count;
            count += usize::from(*alive);
        }
        let mut kept = alive.iter();
        self.accepts.retain(|_| *kept.next().unwrap_or(&false));
        let mut kept = alive.iter();
        self.next.retain(|_| *kept.next().unwrap_or(&false));
        for row in &mut self.next {
            row.retain(|(_, target)| alive[*target]);
            for (_, target) in row {
                *target = numbers[*target];
            }
        }
        self
    }

    fn section(&self) -> Result<Vec<u8>, String> {
        let mut states = Vec::with_capacity(self.next.len());
        let mut transitions: Vec<TransitionRecord> = Vec::new();
        for (accepts, row) in self.accepts.iter().zip(&self.next) {
            if row.is_empty() && !accepts {
                return Err("no answer fits it".into());
            }
            let first = transitions.len();
            states.push(StateRecord {
                first: first as u32,
                accepts: u32::from(*accepts),
            });
            for &(byte, target) in row {
                let target = u16::try_from(target)
                    .map_err(|_| "its answers take more than 65,536 states".to_owned())?;
                match transitions[first..].last_mut() {
                    Some(last) if last.target == target && last.high + 1 == byte => {
                        last.high = byte;
                    }
                    _ => transitions.push(TransitionRecord {
                        low: byte,
                        high: byte,
                        target,
                    }),
                }
            }
        }
        let record = AutomatonRecord {
            states: states.len() as u32,
            transitions: transitions.len() as u32,
        };
        let mut section = bytemuck::bytes_of(&record).to_vec();
        section.extend_from_slice(bytemuck::cast_slice(&states));
        section.extend_from_slice(bytemuck::cast_slice(&transitions));
        Ok(section)
    }
}
