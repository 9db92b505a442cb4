//! The log: what was on the wire, what each party concluded, which goals fell and why.

use std::collections::{BTreeMap, BTreeSet};

use super::shorten;
use crate::journal::{Event, SessionId, Sight, What};
use crate::legible::legible;
use crate::notation::Kind;
use crate::scenario::PlayReport;
use crate::time::{Clock, SimTime, Span};
use crate::verdict::place_of;
use crate::verdict::{Exposure, Judgement, Rebuff, SessionOutcome, Traffic, Untested, Word};

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
    fn level(self) -> tracing::Level {
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

#[derive(Clone, Copy)]
enum Ink {
    Plain,
    Dim,
    Attacker,
    Good,
    Bad,
}

/// The log of a play, without its first and last line.
pub fn render(play: &PlayReport, style: &LogStyle) -> String {
    let events = play.journal().events();
    let clock = Clock::upto(events.last().map_or(SimTime::ZERO, |event| event.at));
    let messages = events.iter().filter_map(|event| match &event.what {
        What::Sent { message } | What::Injected { message, .. } => Some(place_of(message).len()),
        _ => None,
    });
    let mut log = Log {
        play,
        style,
        text: String::new(),
        width: width(play),
        clock,
        times: events.iter().map(|event| clock.show(event.at).len()).max().unwrap_or(0).max(8),
        places: messages.max().unwrap_or(0).max(4) + 2,
        told: BTreeSet::new(),
        ended: play.sessions().iter().map(|session| (session.ended, session)).collect(),
        traffic: Traffic::of(play.journal()),
    };
    if style.detail > Detail::Quiet {
        log.head();
        let events = play.journal().events();
        for (at, event) in events.iter().enumerate() {
            log.event(event, events.get(at + 1));
        }
        log.text.push('\n');
    }
    log.verdicts();
    log.requests();
    log.exposures();
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
    /// Sessions, by the event with which they ended.
    ended: BTreeMap<u64, &'a SessionOutcome>,
    traffic: Traffic<'a>,
}

impl Log<'_> {
    fn line(&mut self, ink: Ink, text: &str) {
        let code = match ink {
            _ if !self.style.color => "",
            Ink::Plain => "",
            Ink::Dim => "\x1b[2m",
            Ink::Attacker => "\x1b[35m",
            Ink::Good => "\x1b[32m",
            Ink::Bad => "\x1b[1;31m",
        };
        self.text.push_str(code);
        // Payloads and names are others' text: none of them begins a line.
        self.text.push_str(&legible(text.trim_end()));
        self.text.push_str(if code.is_empty() { "\n" } else { "\x1b[0m\n" });
    }

    fn head(&mut self) {
        let (w, c, p) = (self.width, self.times, self.places);
        let head = format!("{:>c$}  {:<p$}{:<w$}    {:<w$}  message", "time", "line", "from", "to");
        self.line(Ink::Dim, &head);
    }

    /// A message: time, place, from whom, to whom, what.
    fn message(&mut self, ink: Ink, event: &Event, message: &Sight, from: &str) {
        let place = place_of(message);
        let (w, c, p) = (self.width, self.times, self.places);
        let line = format!(
            "{:>c$}  {place:<p$}{from:<w$} →  {:<w$}  {}",
            self.clock.show(event.at),
            message.to,
            message.shown.text()
        );
        self.line(ink, &line);
    }

    /// Something that a party or the network does.
    fn deed(&mut self, ink: Ink, event: &Event, text: &str) {
        let (c, p) = (self.times, self.places);
        let line = format!("{:>c$}  {:p$}{text}", self.clock.show(event.at), "");
        self.line(ink, &line);
    }

    fn aside(&mut self, ink: Ink, text: &str) {
        let indent = self.times + 2 + self.places;
        let line = format!("{:indent$}{text}", "");
        self.line(ink, &line);
    }

    fn event(&mut self, event: &Event, next: Option<&Event>) {
        if event.what.level() > self.style.detail.level() {
            return;
        }
        let her = self.her();
        match &event.what {
            What::Sent { message } => self.message(Ink::Plain, event, message, &message.from),
            What::Taken { .. } => match next.map(|n| &n.what) {
                Some(What::Injected { message, instead_of: Some(_) }) => {
                    let text = format!("{her} takes it and sends instead  {}", message.shown.text());
                    self.aside(Ink::Attacker, &text);
                }
                _ => self.aside(Ink::Attacker, &format!("{her} takes it")),
            },
            What::Injected { instead_of: Some(_), .. } => {}
            What::Injected { message, .. } => {
                let from = match *message.from == *her {
                    true => message.from.to_string(),
                    false => format!("I({})", message.from),
                };
                self.message(Ink::Attacker, event, message, &from);
            }
            What::Delayed { by, .. } => self.aside(Ink::Attacker, &format!("{her} keeps it back for {by}")),
            What::Lost { .. } => self.aside(Ink::Dim, "it is lost on the way"),
            What::Duplicated { .. } => self.aside(Ink::Dim, "it travels twice"),
            What::Ignored { id, by, why } => {
                let text = format!("{by} pays no heed to message {}: {why}", self.place(*id));
                self.deed(Ink::Dim, event, &text);
            }
            What::Completed { session } => {
                let text = format!("{} completes {}", session.party, self.run_of(session, event.number));
                self.deed(Ink::Good, event, &text);
            }
            What::Refused { session, refusal, .. } => {
                let (party, run) = (&session.party, session.run);
                let reason = refusal.reason;
                let text = format!("{party} rejects line {} of run {run}: {reason}", refusal.line);
                self.deed(Ink::Bad, event, &text);
                self.aside(Ink::Dim, reason.meaning());
            }
            What::Waits { session, line, from } => {
                let text = format!(
                    "{} still waits for line {line} of run {} from {from}",
                    session.party, session.run
                );
                self.deed(Ink::Plain, event, &text);
            }
            What::Compromised { term, value: Some(value), .. } => {
                let text = format!("{her} is handed {term} {}", value.fingerprint());
                self.deed(Ink::Attacker, event, &text);
            }
            What::Compromised { term, value: None, .. } => {
                self.deed(Ink::Attacker, event, &format!("{her} is handed nothing: nobody has {term} yet"));
            }
            What::Revoked { by, subject, reason, .. } => {
                self.deed(Ink::Plain, event, &format!("{by} revokes {subject}: {reason}"));
            }
            What::Asked { by, request, what, .. } => {
                self.deed(Ink::Plain, event, &format!("{by} asks (request {request}) for {what}"));
            }
            What::Answered { by, request, refusal: None, tries } => {
                let text = format!("{by} is granted request {request}{}", tried(*tries));
                self.deed(Ink::Good, event, &text);
            }
            What::Answered { by, request, refusal: Some(reason), tries } => {
                let text = format!("{by} is refused request {request}{}: {reason}", tried(*tries));
                self.deed(Ink::Bad, event, &text);
                self.aside(Ink::Dim, reason.meaning());
            }
            What::Lacked { by, request, lacked } => {
                self.deed(
                    Ink::Plain,
                    event,
                    &format!("{by} cannot make request {request}: it lacks {lacked}"),
                );
            }
            What::Rekeyed { party, .. } => self.deed(Ink::Plain, event, &format!("{party} has a new key")),
            What::Alarmed { party, serial } => {
                let text =
                    format!("{party} finds certificate {serial} in its name, which it never asked for");
                self.deed(Ink::Plain, event, &text);
            }
            What::ClockSet { party, offset } => {
                let text = format!("{party}'s clock is set {}", offset_words(*offset));
                self.deed(Ink::Attacker, event, &text);
            }
            What::Unsealed { word, tried, shares } => {
                let text = match (word, shares) {
                    (Some(_), Some(shares)) => format!("{her} opens the vault with {shares} shares"),
                    (None, Some(0)) => format!("{her} has no share of what opens the vault"),
                    (None, Some(1)) => format!("{her} has one share, which does not open the vault"),
                    (None, Some(shares)) => {
                        format!("{her} has {shares} shares, which do not open the vault")
                    }
                    (Some(0), None) => format!("{her} opens the vault: it is sealed under nothing"),
                    (Some(nth), None) => format!("{her} opens the vault with word {nth} of her dictionary"),
                    (None, None) => format!("{her} tries {tried} passphrases on the vault: none opens it"),
                };
                self.deed(Ink::Attacker, event, &text);
            }
            What::PutBack { at } => {
                self.deed(Ink::Attacker, event, &format!("{her} puts {at}'s disk back as she copied it"));
            }
            What::Forged { term, what } => {
                self.deed(Ink::Attacker, event, &format!("{her} makes {what}, {term} in her notebook"));
            }
            What::Rotated { by, term, keep } => {
                let older = match keep {
                    0 => "no older version opens anything any more".to_owned(),
                    1 => "one older version still opens what was made under it".to_owned(),
                    n => format!("{n} older versions still open what was made under them"),
                };
                self.deed(Ink::Plain, event, &format!("{by} has a new {term}; {older}"));
            }
            What::Guessed { term, words, message, tested, value } => {
                let on = format!("on {} of message {}", tested.fingerprint(), self.place(*message));
                let text = match value {
                    Some(value) => {
                        format!("{her} guesses {term} {} at word {words} {on}", value.fingerprint())
                    }
                    None => format!("{her} tries {words} words for {term} {on}: none is right"),
                };
                self.deed(Ink::Attacker, event, &text);
            }
            What::Restarted { party } => self.deed(Ink::Plain, event, &format!("{party} restarts")),
            What::Fetched { by, outcome, .. } => {
                self.deed(Ink::Plain, event, &format!("{by} asked who is revoked: {outcome}"));
            }
            What::AttackStopped { line, lacked } => {
                self.deed(Ink::Attacker, event, &format!("the attack stops at {line}"));
                self.aside(Ink::Attacker, lacked);
            }
            What::NotIssued { by, subject, reason } => {
                self.deed(Ink::Plain, event, &format!("{by} refuses {subject}: {reason}"));
            }
            What::Issued { by, subject, serial, .. } => {
                self.deed(Ink::Dim, event, &format!("{by} issues certificate {serial} to {subject}"));
            }
            What::Equipped { term, value } => {
                self.deed(Ink::Dim, event, &format!("{her} has {term} {}", value.fingerprint()));
            }
            What::Started { session } => {
                let text = format!("{} takes part in run {} as {}", session.party, session.run, session.role);
                self.deed(Ink::Dim, event, &text);
            }
            What::Delivered { id, to } => {
                let text = format!("{to} receives message {}", self.place(*id));
                self.deed(Ink::Dim, event, &text);
            }
            What::Concluded { session, term, value, .. } => {
                let text =
                    format!("{} has {term} {} in run {}", session.party, value.fingerprint(), session.run);
                self.deed(Ink::Dim, event, &text);
            }
            What::Obtained { by, request, value } => {
                match value.text().filter(|_| value.kind == Kind::Text) {
                    Some(text) => text.split("; ").for_each(|line| self.aside(Ink::Dim, line)),
                    None if self.style.detail == Detail::Full => {
                        self.deed(Ink::Dim, event, &format!("{by} has r{request} {}", value.fingerprint()));
                    }
                    None => {}
                }
            }
            What::Followed { line } => self.deed(Ink::Dim, event, &format!("{her} is done with {line}")),
        }
    }

    fn her(&self) -> String {
        let setup = &self.play.variant().setup;
        setup.attacker.as_ref().map_or("the attacker".to_owned(), |a| a.name.to_string())
    }

    fn place(&self, id: u64) -> String {
        self.traffic.message(id).map_or_else(|| id.to_string(), place_of)
    }

    /// `run 1 with bob, K #77d0`: the peers, and the values that goals speak of.
    fn run_of(&self, id: &SessionId, ended: u64) -> String {
        let Some(session) = self.ended.get(&ended) else { return format!("run {}", id.run) };
        let protocol = session.protocol();
        let peers: Vec<&str> = protocol
            .client_roles()
            .filter(|r| r.name != id.role)
            .filter_map(|r| session.peer(&r.name))
            .collect();
        let mut text = format!("run {}", id.run);
        if !peers.is_empty() {
            text.push_str(&format!(" with {}", peers.join(" and ")));
        }
        let mut said = BTreeSet::new();
        for (written, term) in protocol.goals.iter().flat_map(|g| g.written.iter().zip(g.terms())) {
            let Some(id) = protocol.table.find(term) else { continue };
            if let Some(value) = session.value(id).filter(|_| said.insert(id)) {
                text.push_str(&format!(", {written} {}", value.fingerprint()));
            }
        }
        text
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
                    self.line(Ink::Bad, &format!("  learned    r{request}"));
                    let finding = format!("{her} holds {shown}, of request {request} of {by}");
                    self.line(Ink::Plain, &format!("             {finding}"));
                    self.steps(&derivation.steps);
                }
                None => {
                    self.line(Ink::Good, &format!("  unknown    r{request}, of request {request} of {by}"))
                }
            }
        }
    }

    fn exposures(&mut self) {
        let is_told = |of: &Exposure| of.revoked.is_some() || !of.accepted.is_empty();
        for of in self.play.exposures().into_iter().filter(is_told) {
            let (heading, lines) = super::exposure::exposure(&of, self.clock);
            self.line(Ink::Plain, &format!("  exposure   {heading}"));
            for line in lines {
                self.line(Ink::Plain, &format!("             {line}"));
            }
        }
    }

    fn verdicts(&mut self) {
        for verdict in self.play.goals() {
            let word = verdict.word();
            let ink = match word {
                Word::Violated => Ink::Bad,
                Word::Holds => Ink::Good,
                Word::Untested => Ink::Plain,
            };
            self.line(ink, &format!("  {word:<9}  {}", self.play.goal_text(verdict)));
            match &verdict.judgement {
                Judgement::Violated { finding, steps } => {
                    let her = self.her();
                    let finding = super::evidence::finding(finding, &her);
                    self.line(Ink::Plain, &format!("             {finding}"));
                    let steps: Vec<String> = steps.iter().map(|s| super::evidence::step(s, &her)).collect();
                    self.steps(&steps);
                }
                Judgement::Holds { completed, refused } => {
                    for line in stood(*completed, refused) {
                        self.line(Ink::Dim, &format!("             {line}"));
                    }
                }
                Judgement::Untested(why) => self.line(Ink::Dim, &format!("             {}", untested(*why))),
            }
        }
    }

    /// The chain of events; what another goal told already is not told again.
    fn steps(&mut self, steps: &[String]) {
        let known = steps.iter().filter(|s| self.told.contains(*s)).count();
        if known > 0 {
            let many = if known == 1 { "one step".to_owned() } else { format!("{known} steps") };
            self.line(Ink::Dim, &format!("             {many} as above"));
        }
        for (number, step) in (1..).zip(steps) {
            if self.told.insert(step.clone()) {
                self.line(Ink::Plain, &format!("            {number:>2}. {step}"));
            }
        }
    }
}

/// By what a goal was put to the test.
fn stood(completed: usize, refused: &[Rebuff]) -> Vec<String> {
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
fn untested(why: Untested) -> String {
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

fn tried(tries: u32) -> String {
    if tries > 1 { format!(" at try {tries}") } else { String::new() }
}

/// How far a clock is off, in words.
pub fn offset_words(offset: i64) -> String {
    let span = Span(offset.unsigned_abs());
    match offset {
        0 => "right".to_owned(),
        1.. => format!("{span} ahead"),
        _ => format!("back, {span} behind"),
    }
}
