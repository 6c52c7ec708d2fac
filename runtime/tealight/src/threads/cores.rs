//! How many threads make sense at most: one for each core that this process may use and that is
//! not much slower than the fastest. A part of an operator on a slow core keeps all others
//! waiting.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

/// More threads than this wait for each other longer than they compute.
const MOST: usize = 8;

/// Where Linux tells how fast a core is, and how little of the fastest core's figure makes it
/// count as slow. A capacity is a speed; a frequency says less, as slow cores do less in a cycle.
const FIGURES: &[(&str, f64)] = &[("cpu_capacity", 0.5), ("cpufreq/cpuinfo_max_freq", 0.8)];

/// Most threads that make sense for this process, within its affinity and its share of time.
pub(crate) fn sensible() -> usize {
    // Knows affinity and, on Linux, the quota of the control group.
    let allowed = available_parallelism().map_or(1, |count| count.get());
    let fast = match fs::read_to_string("/proc/self/status") {
        Ok(status) => fast(Path::new("/sys/devices/system/cpu"), &affinity(&status)),
        Err(_) => None,
    };
    fast.unwrap_or(allowed).min(allowed).clamp(1, MOST)
}

/// How many of these cores are fast; `None` if nothing is known about one of them.
fn fast(system: &Path, cores: &[usize]) -> Option<usize> {
    let read = |core: &usize, figure: &str| -> Option<f64> {
        let path = system.join(format!("cpu{core}")).join(figure);
        fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    FIGURES.iter().find_map(|(figure, share)| {
        let figures: Option<Vec<f64>> = cores.iter().map(|core| read(core, figure)).collect();
        let figures = figures.filter(|figures| !figures.is_empty())?;
        let fastest = figures.iter().fold(0.0, |a: f64, b| a.max(*b));
        let is_fast = |figure: &&f64| **figure >= fastest * share;
        Some(figures.iter().filter(is_fast).count())
    })
}

/// The cores that a process may run on, out of its `/proc/…/status`: `Cpus_allowed_list: 0-3,6`.
fn affinity(status: &str) -> Vec<usize> {
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let last = last.trim().parse().ok().filter(|&last: &usize| last < 4096);
        Some(first.trim().parse().ok()?..=last?)
    };
    let parts = list.unwrap_or_default().split(',');
    parts.filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder like `/sys/devices/system/cpu` with a figure for each core.
    fn system(figure: &str, figures: &[u32]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (core, value) in figures.iter().enumerate() {
            let path = folder.path().join(format!("cpu{core}")).join(figure);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{value}\n")).unwrap();
        }
        folder
    }

    #[test]
    fn efficiency_cores_do_not_count_where_there_are_faster_ones() {
        let phone = system("cpu_capacity", &[325, 325, 325, 325, 871, 871, 871, 1024]);
        assert_eq!(fast(phone.path(), &[0, 1, 2, 3, 4, 5, 6, 7]), Some(4));
        assert_eq!(fast(phone.path(), &[0, 1, 2, 3, 7]), Some(1));
        let laptop = system(
            "cpufreq/cpuinfo_max_freq",
            &[5_200_000, 5_000_000, 3_900_000],
        );
        assert_eq!(fast(laptop.path(), &[0, 1, 2]), Some(2));
    }

    #[test]
    fn a_process_held_to_efficiency_cores_uses_all_of_them() {
        let phone = system("cpu_capacity", &[325, 325, 325, 1024]);
        assert_eq!(fast(phone.path(), &[0, 1, 2]), Some(3));
    }

    #[test]
    fn nothing_is_concluded_from_what_is_not_told() {
        let machine = system("cpu_capacity", &[1024]);
        assert_eq!(fast(machine.path(), &[0, 1]), None);
        assert_eq!(fast(machine.path(), &[]), None);
    }

    #[test]
    fn affinity_is_read_as_ranges() {
        let status = "Name:\ttealight\nCpus_allowed:\t4f\nCpus_allowed_list:\t0-3,6\n";
        assert_eq!(affinity(status), [0, 1, 2, 3, 6]);
        assert_eq!(affinity("Cpus_allowed_list:\tx,5,9-\n"), [5]);
        assert_eq!(affinity(""), [] as [usize; 0]);
    }

    #[test]
    fn there_is_always_a_thread() {
        assert!((1..=MOST).contains(&sensible()));
    }
}
