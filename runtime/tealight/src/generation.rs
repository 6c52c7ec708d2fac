//! One generation: prompt in, events out.
//!
//! Each turn of the loop sees the tokens that have not been seen (a part of the prompt, then
//! the last token said), samples one, and passes its text through the detokenizer and the stop
//! strings.

use std::time::{Duration, Instant};

use tealight_core::sampling::Sampler;

use crate::answers::Course;
use crate::event::{Event, FinishReason, Summary, Usage};
use crate::options::GenerateOptions;
use crate::session::Session;
use crate::stop::StopStrings;
use crate::tokenizer::Detokenizer;
use crate::{CancelToken, Result, TokenId};

/// A running generation: an iterator over [`Event`]s, of which the last is [`Event::Done`].
///
/// Dropping it ends the generation. After an error nothing more comes.
#[must_use = "nothing is generated unless the events are asked for"]
#[derive(Debug)]
pub struct Generation<'s> {
    session: &'s mut Session,
    run: Run,
}

/// How far a generation has come: everything but the session that it runs in.
#[derive(Debug)]
pub(crate) struct Run {
    /// The prompt, then what was said.
    tokens: Vec<TokenId>,
    prompt: usize,
    reused: usize,
    max_tokens: usize,
    sampler: Sampler,
    /// Absent where the model's answers may look like anything.
    course: Option<Course>,
    /// Tokens that end the text.
    ends: Vec<TokenId>,
    /// Absent for models without a tokenizer, which say tokens but no text.
    detokenizer: Option<Detokenizer>,
    stops: StopStrings,
    cancel: CancelToken,
    phase: Phase,
    clock: Clock,
}

#[derive(Debug)]
enum Phase {
    Running,
    Ending(FinishReason),
    Ended,
}

/// When things happened.
#[derive(Debug)]
struct Clock {
    called: Instant,
    began: Option<Instant>,
    first: Option<Instant>,
    last: Option<Instant>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// Its text.
    pub text: String,
    /// How it ended and what it took.
    pub summary: Summary,
}

impl<'s> Generation<'s> {
    pub(crate) fn start(
        session: &'s mut Session,
        called: Instant,
        tokens: Vec<TokenId>,
        options: &GenerateOptions,
    ) -> Result<Generation<'s>> {
        let run = Run::start(session, called, tokens, options)?;
        Ok(Generation { session, run })
    }

    /// The tokens said so far.
    pub fn generated(&self) -> &[TokenId] {
        self.run.generated()
    }

    /// What has been used so far.
    pub fn usage(&self) -> Usage {
        self.run.usage()
    }

    /// Runs to the end and puts the text together.
    pub fn answer(self) -> Result<Answer> {
        whole_answer(self)
    }
}

impl Iterator for Generation<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        self.run.next(self.session)
    }
}

impl std::iter::FusedIterator for Generation<'_> {}

impl Run {
    pub(crate) fn start(
        session: &mut Session,
        called: Instant,
        tokens: Vec<TokenId>,
        options: &GenerateOptions,
    ) -> Result<Run> {
        session.check_prompt(&tokens)?;
        let texts = session.texts();
        let sampler = Sampler::new(options.sampling(&texts.defaults));
        let mut ends = options.stop_tokens.clone();
        if !options.ignore_end_of_text {
            ends.extend(&texts.defaults.stop_token_ids);
        }
        let detokenizer = texts.tokenizer.clone().map(Detokenizer::new);
        let answers = texts.answers.as_ref();
        let course = answers
            .filter(|_| !options.ignore_end_of_text)
            .map(Course::new);
        let reused = session.reuse(&tokens);
        Ok(Run {
            prompt: tokens.len(),
            tokens,
            reused,
            max_tokens: options.max_tokens.unwrap_or(usize::MAX),
            sampler,
            course,
            ends,
            detokenizer,
            stops: StopStrings::new(&options.stop),
            cancel: options.cancel.clone(),
            phase: Phase::Running,
            clock: Clock {
                called,
                began: None,
                first: None,
                last: None,
            },
        })
    }

    fn generated(&self) -> &[TokenId] {
        &self.tokens[self.prompt..]
    }

    fn usage(&self) -> Usage {
        let generated = self.generated().len();
        let speed = |tokens: usize, from: Option<Instant>, to: Option<Instant>| match (from, to) {
            (Some(from), Some(to)) if tokens > 0 => {
                tokens as f64 / (to - from).max(Duration::from_nanos(1)).as_secs_f64()
            }
            _ => 0.0,
        };
        let clock = &self.clock;
        Usage {
            prompt_tokens: self.prompt,
            reused_tokens: self.reused,
            generated_tokens: generated,
            prefill_tokens_per_second: speed(self.prompt - self.reused, clock.began, clock.first),
            decode_tokens_per_second: speed(generated.saturating_sub(1), clock.first, clock.last),
            time_to_first_token: clock.first.map(|first| first - clock.called),
        }
    }

    /// How many tokens of the prompt the session held before.
    pub(crate) fn reused(&self) -> usize {
        self.reused
    }

    /// The next event, as [`Generation`] gives it.
    pub(crate) fn next(&mut self, session: &mut Session) -> Option<Result<Event>> {
        if let Some(said) = self.say(session) {
            return Some(said.map(Event::Text));
        }
        let Phase::Ending(reason) = self.phase else {
            return None;
        };
        self.phase = Phase::Ended;
        Some(Ok(Event::Done(Summary {
            reason,
            usage: self.usage(),
        })))
    }

    /// More text; `None` once all was said.
    pub(crate) fn say(&mut self, session: &mut Session) -> Option<Result<String>> {
        while matches!(self.phase, Phase::Running) {
            match self.advance(session) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => return Some(Ok(text)),
                Err(error) => {
                    self.phase = Phase::Ended;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// One step; returns the text that came of it.
    fn advance(&mut self, session: &mut Session) -> Result<String> {
        self.clock.began.get_or_insert_with(Instant::now);
        if self.cancel.is_cancelled() {
            return Ok(self.end(FinishReason::Cancelled));
        }
        let seen = session.tokens().len();
        let unseen = &self.tokens[seen..];
        if unseen.len() > session.context_left() {
            return Ok(self.flush(FinishReason::Length));
        }
        let most = session.most();
        if unseen.len() > most {
            session.evaluate(&unseen[..most])?;
            return Ok(String::new());
        }
        if self.max_tokens == 0 {
            session.evaluate(unseen)?;
            return Ok(self.end(FinishReason::Length));
        }
        let (course, ends) = (self.course.as_ref(), &self.ends);
        let next =
            session.evaluate_and_sample(unseen, &self.tokens, &mut self.sampler, course, ends)?;
        let Some(token) = next else {
            // Without a token that ends it, a whole answer ends by itself.
            let whole = course.is_none_or(Course::is_whole);
            return Ok(self.flush(match whole {
                true => FinishReason::EndOfText,
                false => FinishReason::Length,
            }));
        };
        if let Some(course) = &mut self.course {
            course.follow(token);
        }
        let now = Instant::now();
        self.clock.first.get_or_insert(now);
        self.clock.last = Some(now);
        self.tokens.push(token);
        Ok(self.hear(token))
    }

    fn hear(&mut self, token: TokenId) -> String {
        if self.ends.contains(&token) {
            return self.flush(FinishReason::EndOfText);
        }
        let text = self.detokenizer.as_mut().map(|stream| stream.push(token));
        let passed = self.stops.push(&text.unwrap_or_default());
        if passed.stopped {
            self.phase = Phase::Ending(FinishReason::StopString);
            return passed.text;
        }
        if self.generated().len() >= self.max_tokens {
            return passed.text + &self.flush(FinishReason::Length);
        }
        passed.text
    }

    /// Ends, with the text that was held back.
    fn flush(&mut self, reason: FinishReason) -> String {
        let rest = self.detokenizer.as_mut().map(Detokenizer::finish);
        let passed = self.stops.push(&rest.unwrap_or_default());
        if passed.stopped {
            self.phase = Phase::Ending(FinishReason::StopString);
            return passed.text;
        }
        self.phase = Phase::Ending(reason);
        passed.text + &self.stops.finish()
    }

    fn end(&mut self, reason: FinishReason) -> String {
        self.phase = Phase::Ending(reason);
        String::new()
    }
}

/// Puts a stream's text together.
pub(crate) fn whole_answer(events: impl Iterator<Item = Result<Event>>) -> Result<Answer> {
    let mut text = String::new();
    let mut summary = Summary {
        reason: FinishReason::Cancelled,
        usage: Usage::default(),
    };
    for event in events {
        match event? {
            Event::Text(more) => text.push_str(&more),
            Event::Done(done) => summary = done,
        }
    }
    Ok(Answer { text, summary })
}
