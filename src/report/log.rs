//! The log: what was on the wire, what each party concluded, which goals fell and why.

use std::collections::BTreeSet;

use super::filter::Filter;
use super::shorten;
use super::telling::{Teller, Told, Tone};
use crate::journal::{Event, Sight, What};
use crate::legible::legible;
use crate::notation::Kind;
use crate::scenario::PlayReport;
use crate::time::{Clock, SimTime};
use crate::verdict::{Exposure, Judgement, Rebuff, Untested, Word, place_of};

/// How much the log tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Detail {
    /// Verdicts only.
    Quiet,
    /// Messages, conclusions, verdicts.
    #[default]
    Normal,
    /// Every event.
    Full,
}

impl Detail {
    /// Up to which level events are told.
    pub fn level(self) -> tracing::Level {
        match self {
            Detail::Quiet => tracing::Level::WARN,
            Detail::Normal => tracing::Level::INFO,
            Detail::Full => tracing::Level::DEBUG,
        }
    }
}

/// How the log looks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LogStyle {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// How much to tell.
    pub detail: Detail,
}

/// The log of a play, without its first and last line.
pub fn render(play: &PlayReport, style: &LogStyle) -> String {
    render_chosen(play, style, &Filter::default())
}

/// As `render`, with those events that are wanted; verdicts are told always.
pub fn render_chosen(play: &PlayReport, style: &LogStyle, filter: &Filter) -> String {
    let events = play.journal().events();
    let clock = Clock::upto(events.last().map_or(SimTime::ZERO, |event| event.at));
    let messages = events.iter().filter_map(|event| match &event.what {
        What::Sent { message } | What::Injected { message, .. } => Some(place_of(message).len()),
        _ => None,
    });
    let teller = Teller::of(play);
    let mut log = Log {
        play,
        style,
        text: String::new(),
        width: width(play),
        clock,
        times: events.iter().map(|event| clock.show(event.at).len()).max().unwrap_or(0).max(8),
        places: messages.max().unwrap_or(0).max(4) + 2,
        told: BTreeSet::new(),
        teller: &teller,
    };
    if style.detail > Detail::Quiet {
        log.head();
        filter.chosen(&teller).into_iter().for_each(|(event, told)| log.event(event, told));
        log.text.push('\n');
    }
    log.hunt();
    log.verdicts();
    log.requests();
    log.exposures();
    log.decided();
    shorten(&play.journal().prints().in_text(&log.text))
}

/// The width of the longest party's name, as a sender or receiver is shown.
fn width(play: &PlayReport) -> usize {
    let names = play.journal().events().iter().flat_map(|e| match &e.what {
        What::Sent { message } => vec![message.from.len(), message.to.len()],
        What::Injected { message, .. } => vec![message.from.len() + 3, message.to.len()],
        _ => Vec::new(),
    });
    names.max().unwrap_or(0).max(6)
}

struct Log<'a> {
    play: &'a PlayReport,
    style: &'a LogStyle,
    text: String,
    width: usize,
    clock: Clock,
    /// The widths of the columns of times and of lines.
    times: usize,
    places: usize,
    /// Steps of evidence that stand in the log already.
    told: BTreeSet<String>,
    teller: &'a Teller<'a>,
}

impl Log<'_> {
    fn line(&mut self, tone: Tone, text: &str) {
        let code = if self.style.color { tone.ansi() } else { "" };
        self.text.push_str(code);
        // Payloads and names are others' text: none of them begins a line.
        self.text.push_str(&legible(text.trim_end()));
        self.text.push_str(if code.is_empty() { "\n" } else { "\x1b[0m\n" });
    }

    fn head(&mut self) {
        let (w, c, p) = (self.width, self.times, self.places);
        let head = format!("{:>c$}  {:<p$}{:<w$}    {:<w$}  message", "time", "line", "from", "to");
        self.line(Tone::Dim, &head);
    }

    /// A message: time, place, from whom, to whom, what.
    fn message(&mut self, tone: Tone, event: &Event, message: &Sight, from: &str) {
        let place = place_of(message);
        let (w, c, p) = (self.width, self.times, self.places);
        let line = format!(
            "{:>c$}  {place:<p$}{from:<w$} →  {:<w$}  {}",
            self.clock.show(event.at),
            message.to,
            message.shown.text()
        );
        self.line(tone, &line);
    }

    /// Something that a party or the network does.
    fn deed(&mut self, tone: Tone, event: &Event, text: &str) {
        let (c, p) = (self.times, self.places);
        let line = format!("{:>c$}  {:p$}{text}", self.clock.show(event.at), "");
        self.line(tone, &line);
    }

    fn aside(&mut self, tone: Tone, text: &str) {
        let indent = self.times + 2 + self.places;
        let line = format!("{:indent$}{text}", "");
        self.line(tone, &line);
    }

    fn event(&mut self, event: &Event, told: Told<'_>) {
        if event.what.level() > self.style.detail.level() {
            return;
        }
        match told {
            Told::Message { message, from, tone } => self.message(tone, event, message, &from),
            // Whose value it is stands with the verdicts.
            Told::Deed { .. }
                if matches!(event.what, What::Obtained { .. }) && self.style.detail < Detail::Full => {}
            Told::Deed { tone, text, aside, .. } => {
                self.deed(tone, event, &text);
                // The attacker's own words are hers; what explains a refusal is ours.
                let ink = if tone == Tone::Attacker { tone } else { Tone::Dim };
                aside.iter().for_each(|aside| self.aside(ink, aside));
            }
            Told::Fate { tone, text, .. } => self.aside(tone, &text),
            Told::Lines(lines) => lines.iter().for_each(|line| self.aside(Tone::Dim, line)),
            Told::Nothing => {}
        }
    }

    fn her(&self) -> String {
        self.teller.attacker.to_string()
    }

    /// What the attacker can read of what others asked the key centre for.
    fn requests(&mut self) {
        let her = self.her();
        let mut told = BTreeSet::new();
        for event in self.play.journal().events() {
            let What::Obtained { by, request, value } = &event.what else { continue };
            let is_said_openly = value.kind == Kind::Text;
            let nobodys = **by == *her || self.play.variant().setup.attacker.is_none();
            if is_said_openly || nobodys || !told.insert(*request) {
                continue;
            }
            let shown = match value.text().filter(|_| value.kind == Kind::Data) {
                Some(text) => format!("\"{text}\""),
                None => value.fingerprint(),
            };
            match self.play.attacker().derivation(&format!("r{request}")) {
                Some(derivation) => {
                    self.line(Tone::Bad, &format!("  learned    r{request}"));
                    let finding = format!("{her} holds {shown}, of request {request} of {by}");
                    self.line(Tone::Plain, &format!("             {finding}"));
                    self.steps(&derivation.texts());
                }
                None => {
                    self.line(Tone::Good, &format!("  unknown    r{request}, of request {request} of {by}"))
                }
            }
        }
    }

    fn exposures(&mut self) {
        let is_told = |of: &Exposure| of.revoked.is_some() || !of.accepted.is_empty();
        for of in self.play.exposures().into_iter().filter(is_told) {
            let (heading, lines) = super::exposure::exposure(&of, self.clock);
            self.line(Tone::Plain, &format!("  exposure   {heading}"));
            for line in lines {
                self.line(Tone::Plain, &format!("             {line}"));
            }
        }
    }

    /// From which event on it was decided which goals fall.
    fn decided(&mut self) {
        for (goal, lines) in super::decided::told(self.play, &self.her()) {
            self.line(Tone::Plain, &format!("  decided    {goal}"));
            for line in lines {
                self.line(Tone::Plain, &format!("             {line}"));
            }
        }
    }

    /// What the attacker's search for an attack came to.
    fn hunt(&mut self) {
        let Some(hunt) = self.play.hunt() else { return };
        for (nth, line) in super::hunt::told(hunt, &self.her()).into_iter().enumerate() {
            let head = if nth == 0 { "search" } else { "" };
            self.line(Tone::Attacker, &format!("  {head:<9}  {line}"));
        }
    }

    fn verdicts(&mut self) {
        for verdict in self.play.goals() {
            let word = verdict.word();
            let tone = match word {
                Word::Violated => Tone::Bad,
                Word::Holds => Tone::Good,
                Word::Untested => Tone::Plain,
            };
            self.line(tone, &format!("  {word:<9}  {}", self.play.goal_text(verdict)));
            match &verdict.judgement {
                Judgement::Violated { finding, steps } => {
                    let her = self.her();
                    let finding = super::evidence::finding(finding, &her);
                    self.line(Tone::Plain, &format!("             {finding}"));
                    let steps: Vec<String> = steps.iter().map(|s| super::evidence::step(s, &her)).collect();
                    self.steps(&steps);
                }
                Judgement::Holds { completed, refused } => {
                    for line in stood(*completed, refused) {
                        self.line(Tone::Dim, &format!("             {line}"));
                    }
                }
                Judgement::Untested(why) => self.line(Tone::Dim, &format!("             {}", untested(*why))),
            }
        }
    }

    /// The chain of events; what another goal told already is not told again.
    fn steps(&mut self, steps: &[String]) {
        let known = steps.iter().filter(|s| self.told.contains(*s)).count();
        if known > 0 {
            let many = if known == 1 { "one step".to_owned() } else { format!("{known} steps") };
            self.line(Tone::Dim, &format!("             {many} as above"));
        }
        for (number, step) in (1..).zip(steps) {
            if self.told.insert(step.clone()) {
                self.line(Tone::Plain, &format!("            {number:>2}. {step}"));
            }
        }
    }
}

/// By what a goal was put to the test.
pub(super) fn stood(completed: usize, refused: &[Rebuff]) -> Vec<String> {
    /// So many refusals are told one by one.
    const TOLD: usize = 4;
    let parts = match completed {
        0 => None,
        1 => Some("one part completed".to_owned()),
        many => Some(format!("{many} parts completed")),
    };
    let rebuffs = refused.iter().take(TOLD).map(|Rebuff { party, run, refusal: r }| {
        format!("{party} refused line {} of run {run}: {}", r.line, r.reason)
    });
    let more = refused.len().saturating_sub(TOLD);
    let more = (more > 0).then(|| format!("and {more} more refusals"));
    parts.into_iter().chain(rebuffs).chain(more).collect()
}

/// Why nothing put a goal to the test.
pub(super) fn untested(why: Untested) -> String {
    match why {
        Untested::NobodyAttacked => "nobody attacked, so nobody listened".to_owned(),
        Untested::NoPartGotSoFar { refused: 0, waiting: 0 } => {
            "no part took place of which it speaks".to_owned()
        }
        Untested::NoPartGotSoFar { refused: 0, waiting: 1 } => {
            "no part got so far: one still waits".to_owned()
        }
        Untested::NoPartGotSoFar { refused: 0, waiting } => {
            format!("no part got so far: {waiting} still wait")
        }
        Untested::NoPartGotSoFar { refused, waiting: 0 } => {
            format!("no part got so far: {refused} refused what nobody had touched")
        }
        Untested::NoPartGotSoFar { refused, waiting } => {
            format!("no part got so far: {refused} refused what nobody had touched, {waiting} still wait")
        }
    }
}
