//! The scenario that every case plays, and what one play of it shows.

use std::fmt::Write as _;

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport};
use mallory::time::{SimTime, Span};

/// What one play showed.
#[derive(Clone, Copy)]
pub struct Sample {
    /// An unbiased estimate: attempts that succeeded × the step between attempts.
    pub estimate: f64,
    /// From the revocation to the last success, as the report says: at most a step less.
    pub seen: f64,
}

/// A scenario: alice's visits to bob, the theft of her key, and the thief's visits after it.
#[derive(Default)]
pub struct World {
    pub ca: String,
    pub alice: &'static str,
    pub bob: String,
    /// When alice visits.
    pub visits: Vec<u64>,
    /// When the thief has alice's key.
    pub theft: u64,
    pub revoked: Option<u64>,
    /// When she uses it.
    pub attempts: Vec<u64>,
    /// Whether she shows the certificates that alice showed last, with what goes with them,
    /// in place of those from the beginning.
    pub copies: bool,
    /// Rules, requests.
    pub more: String,
}

const PROTOCOL: &str = r#"
[protocol]
messages = ["A -> B : A, Na, sign(sk(A), B, Na), cert(A)"]
fresh    = { A = ["Na: nonce"] }

[crypto]
signature = "ed25519"
"#;

impl World {
    fn text(&self) -> String {
        let mut text = PROTOCOL.to_owned();
        let World { ca, alice, bob, .. } = self;
        let _ = write!(text, "[services.ca]\n{ca}\n[parties.alice]\n{alice}\n[parties.bob]\n{bob}\n");
        for at in &self.visits {
            let _ = writeln!(text, "[[run]]\nat = \"{at}s\"\nA = \"alice\"\nB = \"bob\"");
        }
        if let Some(at) = self.revoked {
            let _ =
                writeln!(text, "[[event]]\nat = \"{at}s\"\nrevoke = \"alice\"\nreason = \"key-compromise\"");
        }
        let (mut lines, mut times) = (String::new(), String::new());
        let certificates = if self.copies {
            let _ = writeln!(lines, "'{}.1 alice -> bob : alice, N, S, C',", self.visits.len());
            "C"
        } else {
            "cert(alice)"
        };
        for (run, at) in (self.visits.len() + 1..).zip(&self.attempts) {
            let message = format!("alice, M, sign(sk(alice), bob, M), {certificates}");
            let _ = writeln!(lines, "'{run}.1 I(alice) -> bob : {message}',");
            let _ = write!(times, "\"{run}.1\" = \"{at}s\", ");
        }
        if !self.attempts.is_empty() {
            let _ = writeln!(text, "[[event]]\nat = \"{}s\"\ncompromise = \"sk(alice)\"", self.theft);
            let _ = writeln!(text, "[attacker]\ninsider = false\nattack = [\n{lines}]\nat = {{ {times} }}");
        }
        text + &self.more
    }

    pub fn play(&self, pool: &KeyPool) -> PlayReport {
        let text = self.text();
        let scenario = Scenario::from_text("window", &text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        scenario.play(&scenario.variants[0], true, pool).unwrap()
    }

    /// Plays it and counts the attempts that succeeded after an instant, one for each step;
    /// before it, alice must always have got through.
    pub fn window(&self, since: u64, step: u64, unit: u64, pool: &KeyPool) -> Sample {
        let play = self.play(pool);
        for number in 1..=self.visits.len() as u32 {
            let part = play.run(number).party("bob");
            assert!(part.completed(), "alice's visit {number}: {part}\n{}", self.text());
        }
        let exposures = play.exposures();
        let [exposure] = exposures.as_slice() else { panic!("one key is stolen\n{}", self.text()) };
        assert!(exposure.refused.is_some(), "the thief was never refused\n{}", self.text());
        let since = SimTime::ZERO.after(Span::seconds(since));
        let after: Vec<SimTime> = exposure.accepted.iter().map(|a| a.at).filter(|at| *at >= since).collect();
        let seen = after.last().map_or(Span(0), |last| last.since(since));
        let unit = unit as f64;
        Sample { estimate: (after.len() as u64 * step) as f64 / unit, seen: seen.0 as f64 / 1e9 / unit }
    }
}
