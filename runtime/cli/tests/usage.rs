//! What the program says without running a model: help, and what is wrong with arguments.

mod helper;

use helper::{tealight, tealight_told, text_file};

#[test]
fn help_lists_commands_and_exit_codes() {
    let help = tealight(&["--help"]).prints();
    for word in [
        "chat",
        "run",
        "compile",
        "inspect",
        "bench",
        "perplexity",
        "embed",
        "Exit codes",
        "130",
    ] {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

#[test]
fn shared_arguments_mean_the_same_everywhere() {
    for command in ["chat", "run"] {
        let help = tealight(&[command, "--help"]).prints();
        for argument in [
            "model",
            "threads",
            "context",
            "seed",
            "temperature",
            "max-tokens",
            "greedy",
        ] {
            assert!(
                help.contains(&format!("--{argument}")),
                "{command} has no --{argument}"
            );
        }
    }
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    let failed = tealight(&["run", "hi", "--model", "nowhere.tea"]);
    assert!(!failed.err.contains('\x1b'), "{failed:#?}");
}

#[test]
fn wrong_arguments_end_with_2() {
    assert_eq!(tealight(&["fly"]).code, Some(2));
    assert_eq!(
        tealight(&["run", "hi", "--temperature", "-1"]).code,
        Some(2)
    );
    assert_eq!(
        tealight(&["run", "hi", "--greedy", "--temperature", "1"]).code,
        Some(2)
    );
    for threads in ["0", "257", "many"] {
        let code = tealight(&["run", "hi", "--threads", threads]).code;
        assert_eq!(code, Some(2), "{threads}");
    }
    assert_eq!(tealight(&["compile"]).code, Some(2));
    tealight(&["run", "hi", "--isa", "abacus"]).fails(2, "abacus");
    tealight(&["run", "hi", "--context", "999999999"]).fails(2, "999999999");
}

#[test]
fn a_model_that_is_not_there_ends_with_3() {
    tealight(&["run", "hi", "--model", "nowhere/model.tea"]).fails(3, "nowhere/model.tea");
    tealight(&["run", "hi", "--model", "no-such-name"]).fails(3, "no-such-name");
    tealight(&["inspect", "nowhere.onnx"]).fails(3, "nowhere.onnx");
    tealight(&["compile", "nowhere/folder"]).fails(3, "nowhere/folder");
}

#[test]
fn a_catalogue_model_that_is_not_here_says_where_it_comes_from() {
    tealight(&["run", "hi", "--model", "qwen3-0.6b"]).fails(3, "Qwen/Qwen3-0.6B");
}

#[test]
fn a_file_that_is_no_model_ends_with_3() {
    let (_folder, path) = text_file("not a model");
    tealight(&["run", "hi", "--model", &path]).fails(3, "text.txt");
    tealight(&["compile", &path]).fails(3, "text.txt");
}

#[test]
fn a_quantization_that_cannot_be_meant_ends_with_2() {
    let compile = |how: &str| tealight(&["compile", ".", "--quantize", how]);
    assert!(compile("int5").err.contains("int4-asymmetric"));
    assert_eq!(compile("int5").code, Some(2));
    compile("nowhere.toml").fails(3, "nowhere.toml");
    for (text, fault) in [
        (
            "layers = 'int4'\nhead = 'int5'",
            "line 2: unknown variant `int5`",
        ),
        (
            "layers = 'int4'\nheads = 'int8'",
            "line 2: unknown field `heads`",
        ),
        ("head = 'int8'", "missing field `layers`"),
        (
            "layers = 'int4'\nexceptions = [{ layers = [3, 3], kind = 'int8' }]",
            "layer 3 is named twice",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let path = folder.path().join("recipe.toml");
        std::fs::write(&path, text).expect("the file is written");
        compile(path.to_str().expect("a path in UTF-8")).fails(2, fault);
    }
}

#[test]
fn a_text_that_is_not_there_ends_with_3() {
    tealight(&["perplexity", "--file", "nowhere.txt"]).fails(3, "nowhere.txt");
    let calibrate = ["compile", ".", "--calibrate", "nowhere.txt"];
    assert_eq!(tealight(&calibrate).code, Some(2));
    tealight(&[&calibrate[..], &["--quantize", "int4"]].concat()).fails(3, "nowhere.txt");
}

#[test]
fn a_text_too_short_to_foretell_ends_with_2() {
    let (_folder, path) = text_file("");
    tealight(&["perplexity", "--file", &path]).fails(2, "two tokens");
}

#[test]
fn an_empty_prompt_from_a_script_still_is_a_prompt() {
    // The chat template surrounds it with words of its own.
    tealight_told(&["run", "--max-tokens", "1"], "").prints();
}
