//! Whether an automaton is sound: every index in range, every order as it is relied on.

use super::Automaton;

/// What is wrong with a section, if anything is.
pub(crate) fn fault(section: &[u8]) -> Option<&'static str> {
    let Some(automaton) = Automaton::cut(section) else {
        return Some("has a length that does not fit its record");
    };
    let (states, transitions) = automaton.tables();
    if states.is_empty() || states.len() > 1 + usize::from(u16::MAX) {
        return Some("has no states, or more than their numbers can tell apart");
    }
    let ascend = states.is_sorted_by_key(|state| state.first)
        && states[0].first == 0
        && states[states.len() - 1].first as usize <= transitions.len();
    if !ascend {
        return Some("has offsets that do not ascend to the end");
    }
    if states.iter().any(|state| state.accepts > 1) {
        return Some("has a state that neither accepts nor does not");
    }
    let sound = |state: usize| {
        let transitions = automaton.transitions(state as u16);
        transitions.iter().all(|one| one.low <= one.high)
            && transitions.is_sorted_by(|a, b| a.high < b.low)
    };
    if !(0..states.len()).all(sound) {
        return Some("has transitions that are not sorted");
    }
    let inside = |target: u16| usize::from(target) < states.len();
    if !transitions.iter().all(|one| inside(one.target)) {
        return Some("leads to a state that is not there");
    }
    let leads_on = |state: usize| {
        states[state].accepts == 1 || !automaton.transitions(state as u16).is_empty()
    };
    if !(0..states.len()).all(leads_on) {
        return Some("has a state in which no answer can end or go on");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::{AutomatonRecord, StateRecord, TransitionRecord};

    /// `a`, then `b` to `d`: two states that lead on, one that accepts.
    fn sound() -> (Vec<StateRecord>, Vec<TransitionRecord>) {
        let state = |first, accepts| StateRecord { first, accepts };
        let by = |low, high, target| TransitionRecord { low, high, target };
        let states = vec![state(0, 0), state(1, 0), state(3, 1)];
        let transitions = vec![by(b'a', b'a', 1), by(b'b', b'c', 2), by(b'd', b'd', 2)];
        (states, transitions)
    }

    fn fault_of(states: &[StateRecord], transitions: &[TransitionRecord]) -> Option<&'static str> {
        let record = AutomatonRecord {
            states: states.len() as u32,
            transitions: transitions.len() as u32,
        };
        let bytes = [
            bytemuck::bytes_of(&record),
            bytemuck::cast_slice(states),
            bytemuck::cast_slice(transitions),
        ]
        .concat();
        // Sections are aligned in a plan.
        let mut words = vec![0u32; bytes.len() / 4];
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(&bytes);
        fault(bytemuck::cast_slice(&words))
    }

    #[test]
    fn each_fault_is_told() {
        let (states, transitions) = sound();
        assert_eq!(fault_of(&states, &transitions), None);
        type Change = fn(&mut Vec<StateRecord>, &mut Vec<TransitionRecord>);
        let cases: [(Change, &str); 9] = [
            (|states, _| states.clear(), "no states"),
            (|states, _| states[0].first = 1, "ascend"),
            (|states, _| states[1].first = 4, "ascend"),
            (|states, _| states[2].first = 4, "ascend"),
            (|states, _| states[2].accepts = 2, "neither accepts"),
            (|_, transitions| transitions[1].low = b'e', "not sorted"),
            (|_, transitions| transitions[2].low = b'c', "not sorted"),
            (|_, transitions| transitions[0].target = 3, "not there"),
            (|states, _| states[2].accepts = 0, "no answer can end"),
        ];
        for (change, expected) in cases {
            let (mut states, mut transitions) = sound();
            change(&mut states, &mut transitions);
            let found = fault_of(&states, &transitions);
            assert!(
                found.is_some_and(|fault| fault.contains(expected)),
                "{expected}: {found:?}"
            );
        }
        assert!(fault(&[0; 7]).is_some_and(|fault| fault.contains("length")));
        assert!(fault(&[9; 16]).is_some_and(|fault| fault.contains("length")));
    }
}
