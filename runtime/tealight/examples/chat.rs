//! One question, one streamed answer:
//! `cargo run --release --package tealight --example chat -- MODEL "What is the capital of France?"`

use std::io::Write;
use std::time::Instant;

use tealight::{Event, GenerateOptions, Model, ModelInfo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or("name a model: a .tea file or an ONNX folder")?;
    let question = arguments
        .next()
        .unwrap_or("What is the capital of France?".into());

    let start = Instant::now();
    let model = Model::open(&path)?;
    let info: &ModelInfo = model.info();
    println!(
        "{} ({:?} parameters) opened in {:?}",
        info.name,
        info.parameters,
        start.elapsed()
    );

    let mut chat = model.chat()?;
    for event in chat.send(question, &GenerateOptions::new().max_tokens(200))? {
        match event? {
            Event::Text(text) => {
                print!("{text}");
                std::io::stdout().flush()?;
            }
            Event::Done(done) => println!(
                "\n{:?} after {:?}: {:#?}",
                done.reason,
                start.elapsed(),
                done.usage
            ),
            _ => {}
        }
    }
    Ok(())
}
