//! Every command, on the model that the program carries.

mod helper;

use helper::{command, finish, tealight, tealight_told, text_file};
use serde_json::Value;

const REQUEST: &str = "turn off the lights in the kitchen";
const ANSWER: &str = r#"{"device":"light","room":"kitchen","action":"off","value":null}"#;

#[test]
fn a_request_becomes_json() {
    assert_eq!(tealight(&["run", REQUEST]).prints(), format!("{ANSWER}\n"));
    assert_eq!(
        tealight_told(&["run"], REQUEST).prints(),
        format!("{ANSWER}\n")
    );
    assert_eq!(
        tealight_told(&["run", "-"], REQUEST).prints(),
        format!("{ANSWER}\n")
    );
    assert_eq!(
        tealight(&["run", "--model", "home", REQUEST]).prints(),
        format!("{ANSWER}\n")
    );
}

#[test]
fn a_chat_without_a_command_answers_line_by_line() {
    let out = tealight_told(
        &[],
        &format!("{REQUEST}\n/reset\n{REQUEST}\n/exit\nnot heard\n"),
    )
    .prints();
    assert_eq!(out, format!("{ANSWER}\n{ANSWER}\n"));
}

#[test]
fn run_tells_text_reason_and_usage_as_json() {
    let told = tealight(&["run", "--json", REQUEST]).json();
    assert_eq!(told["text"], ANSWER);
    assert_eq!(told["finish_reason"], "end_of_text");
    assert!(told["usage"]["prompt_tokens"].as_u64() > Some(0), "{told}");
    assert!(
        told["usage"]["generated_tokens"].as_u64() > Some(0),
        "{told}"
    );
}

#[test]
fn a_token_budget_ends_an_answer() {
    let told = tealight(&["run", "--json", "--max-tokens", "3", REQUEST]).json();
    assert_eq!(told["finish_reason"], "length");
    assert_eq!(told["usage"]["generated_tokens"], 3);
}

#[test]
fn a_stop_string_ends_an_answer_before_it() {
    let told = tealight(&["run", "--json", "--stop", "\"room\"", REQUEST]).json();
    assert_eq!(told["text"], r#"{"device":"light","#);
    assert_eq!(told["finish_reason"], "stop_string");
}

#[test]
fn the_same_seed_says_the_same() {
    let say = |seed| {
        let arguments = [
            "run",
            "--temperature",
            "3",
            "--seed",
            seed,
            "--max-tokens",
            "30",
            REQUEST,
        ];
        tealight(&arguments).prints()
    };
    assert_eq!(say("7"), say("7"));
    assert_ne!(say("7"), say("8"));
}

#[test]
fn threads_and_instructions_change_nothing() {
    for more in [
        ["--threads", "1"],
        ["--threads", "2"],
        ["--isa", "scalar"],
        ["--kv", "f16"],
    ] {
        let arguments = [&["run", REQUEST][..], &more].concat();
        assert_eq!(
            tealight(&arguments).prints(),
            format!("{ANSWER}\n"),
            "{more:?}"
        );
    }
}

#[test]
fn a_prompt_that_does_not_fit_ends_with_4() {
    tealight(&["run", "--context", "8", REQUEST]).fails(4, "room for 8");
    tealight_told(&["chat", "--context", "8"], REQUEST).fails(4, "room for 8");
    tealight(&["bench", "-p", "9999999"]).fails(4, "9999999");
}

#[test]
fn inspect_tells_what_the_model_is_made_of() {
    let text = tealight(&["inspect", "--ops", "--tensors"]).prints();
    for word in ["Attention", "int4", "licence", "memory", "parameters"] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    let told = tealight(&["inspect", "--json", "--ops"]).json();
    let operators = told["operators"].as_object().unwrap().values();
    let counted: u64 = operators.map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(told["ops"].as_array().unwrap().len() as u64, counted);
    assert!(told["memory"]["total_bytes"].as_u64() > told["memory"]["kv_bytes"].as_u64());
}

#[test]
fn bench_has_a_row_for_each_test() {
    let told = tealight(&[
        "bench", "--json", "-p", "4,8", "-n", "2", "-t", "1,2", "-d", "0,4", "-r", "2",
    ])
    .json();
    let rows = told.as_array().unwrap();
    assert_eq!(rows.len(), 2 * 2 * 3);
    for row in rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        assert!(number("min_ts") > 0.0, "{row}");
        assert!(number("min_ts") <= number("median_ts"), "{row}");
        assert!(number("median_ts") <= number("max_ts"), "{row}");
        assert_eq!(row["n_prompt"] == 0, row["n_gen"] == 2, "{row}");
    }
}

#[test]
fn bench_tells_what_reading_alone_would_allow() {
    let told = tealight(&[
        "bench",
        "--bandwidth",
        "--json",
        "-p",
        "4",
        "-n",
        "2",
        "-d",
        "0,8",
        "-t",
        "2",
        "-r",
        "2",
    ])
    .json();
    let number = |row: &serde_json::Value, key: &str| row[key].as_f64().unwrap();
    let (reading, generating): (Vec<_>, Vec<_>) = told
        .as_array()
        .unwrap()
        .iter()
        .partition(|row| row["n_gen"] == 0);
    assert!(reading.iter().all(|row| row.get("of_bound").is_none()));
    let bytes = |row| number(row, "bytes_per_token");
    assert!(bytes(generating[0]) < bytes(generating[1]), "{told}");
    for row in generating {
        let bound = number(row, "read_bytes_s") / bytes(row);
        assert!(
            (number(row, "bound_ts") / bound - 1.0).abs() < 1e-9,
            "{row}"
        );
        assert!(number(row, "of_bound") > 0.0, "{row}");
    }
}

#[test]
fn auto_takes_the_threads_that_were_found_before() {
    let cache = tempfile::tempdir().unwrap();
    let threads = || {
        let bench = [
            "bench", "--json", "-t", "auto", "-p", "4", "-n", "2", "-r", "1",
        ];
        let mut bench = command(&bench);
        let told = finish(bench.env("TEALIGHT_CACHE", cache.path())).json();
        [0, 1].map(|row| told[row]["threads"].as_u64().unwrap())
    };
    let found = threads();
    let kept = || std::fs::read_dir(cache.path()).unwrap().flatten();
    match kept().next() {
        // There is nothing to find out on one core.
        None => assert_eq!(found, [1, 1]),
        Some(record) => {
            let text = std::fs::read_to_string(record.path()).unwrap();
            let told: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(
                found.map(Some),
                ["prefill", "decode"].map(|key| told[key].as_u64())
            );
            for counts in [[1, 2], [2, 1]] {
                let text = format!("{{\"prefill\":{},\"decode\":{}}}", counts[0], counts[1]);
                std::fs::write(record.path(), text).unwrap();
                assert_eq!(threads(), counts);
            }
            assert_eq!(kept().count(), 1);
        }
    }
}

#[test]
fn bench_prints_a_table() {
    let table = tealight(&["bench", "-p", "4", "-n", "2", "-r", "1"]).prints();
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("| model") && lines[1].starts_with("| ---"),
        "{table}"
    );
    assert!(
        lines[2].contains("pp4") && lines[3].contains("tg2"),
        "{table}"
    );
}

#[test]
fn perplexity_is_exp_of_the_mean_loss_in_the_lines() {
    let (folder, path) = text_file(&format!("{REQUEST}\n").repeat(4));
    let lines = folder.path().join("lines.json");
    let lines = lines.to_str().unwrap();
    let told = tealight(&[
        "perplexity",
        "--json",
        "--file",
        &path,
        "--max-tokens",
        "20",
        "--logprobs",
        lines,
    ])
    .json();
    assert_eq!(told["tokens"], 20);

    let lines = std::fs::read_to_string(lines).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 19);
    let loss: f64 = lines
        .iter()
        .map(|line| -line["logprob"].as_f64().unwrap())
        .sum();
    let perplexity = told["perplexity"].as_f64().unwrap();
    assert!(((loss / 19.0).exp() / perplexity - 1.0).abs() < 1e-9);
    assert!(
        lines
            .iter()
            .all(|line| line["top"].as_array().unwrap().len() == 5)
    );
    assert!(
        lines
            .iter()
            .enumerate()
            .all(|(index, line)| line["position"] == index + 1)
    );
}

#[test]
fn a_long_text_is_foretold_in_windows() {
    let (_folder, path) = text_file(&format!("{REQUEST}\n").repeat(10));
    let told = tealight(&["perplexity", "--json", "--file", &path, "--context", "16"]).json();
    assert!(told["tokens"].as_u64() > Some(32), "{told}");
    assert!(told["perplexity"].as_f64() > Some(1.0), "{told}");
}

#[test]
fn the_first_tokens_of_a_window_count_only_where_they_should() {
    let (_folder, path) = text_file(&format!("{REQUEST}\n").repeat(10));
    let perplexity = [
        "perplexity",
        "--json",
        "--file",
        &path,
        "--max-tokens",
        "32",
    ];
    let with = |more: &[&str]| tealight(&[&perplexity[..], more].concat());
    let halves = ["--context", "16", "--skip", "9"];
    assert_eq!(with(&halves[..2]).json()["counted"], 2 * 15);
    assert_eq!(with(&halves).json()["counted"], 2 * 7);
    assert_eq!(with(&["--context", "16", "--skip", "16"]).code, Some(2));
}

#[test]
fn a_model_is_verified() {
    assert!(tealight(&["verify"]).prints().contains("every section"));
}
