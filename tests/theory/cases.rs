//! How long a revoked key is still accepted, measured in plays: each sample is a scenario of
//! its own, with the instant of the revocation left to chance, in which a thief tries a
//! stolen key at every step of a grid. The closed forms stand beside it only to be compared.

use mallory::crypto::{Rng, stream};
use mallory::scenario::KeyPool;
use rand::RngExt as _;

mod world;

use world::{Sample, World};

const HOUR: u64 = 3_600;
const MINUTE: u64 = 60;

type Play = Box<dyn Fn(&mut Dice, &KeyPool) -> Sample>;

/// A setting, what theory says of it, and how to play it once.
pub struct Case {
    /// The setting in words.
    pub name: &'static str,
    /// The closed form of the mean.
    pub form: &'static str,
    /// Its value, in `unit`.
    pub mean: f64,
    /// What no play may exceed, and the least that each must reach, in `unit`.
    pub bounds: (f64, f64),
    /// How coarse one play is: the step of the grid, in `unit`.
    pub step: f64,
    /// `h`, `min`, `visits`, or nothing for a share.
    pub unit: &'static str,
    play: Play,
}

/// What many plays showed.
pub struct Summary {
    /// The mean of their estimates.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// The shortest and the longest that was seen.
    pub seen: (f64, f64),
}

/// Chance, in whole seconds: X.509 knows no others.
pub struct Dice(Rng);

impl Dice {
    fn below(&mut self, seconds: u64) -> u64 {
        self.0.random_range(0..seconds)
    }

    /// The times of a Poisson process.
    fn visits(&mut self, from: u64, until: u64, mean_gap: u64) -> Vec<u64> {
        let mut times = Vec::new();
        let mut at = from as f64;
        loop {
            at -= (1.0 - self.0.random::<f64>()).ln() * mean_gap as f64;
            if at >= until as f64 {
                return times;
            }
            times.push(at as u64);
        }
    }
}

impl Case {
    /// Plays it so many times. The same number gives the same summary.
    pub fn play(&self, plays: usize) -> Summary {
        let mut dice = Dice(stream(1, &["revocation windows", self.name]));
        let pool = KeyPool::default();
        let samples: Vec<Sample> = (0..plays).map(|_| (self.play)(&mut dice, &pool)).collect();
        let count = plays as f64;
        let mean = samples.iter().map(|s| s.estimate).sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|s| (s.estimate - mean).powi(2)).sum();
        let seen = samples.iter().map(|s| s.seen);
        let seen = seen.fold((f64::MAX, f64::MIN), |(low, high), s| (low.min(s), high.max(s)));
        Summary { mean, error: (squares / (count - 1.0) / count).sqrt(), seen }
    }
}

/// Times from `from` to `until`, a step apart, the first at random within a step.
fn grid(dice: &mut Dice, (from, until): (u64, u64), step: u64) -> Vec<u64> {
    // A whole second at least after `from`: what happens at one instant has no order.
    let first = from + 1 + dice.below(step);
    (first..until).step_by(usize::try_from(step).unwrap()).collect()
}

fn list(period: u64, lifetime: u64) -> String {
    format!("crl_period = \"{period}s\"\ncrl_lifetime = \"{lifetime}s\"\ncertificate_lifetime = \"365d\"")
}

const CRL: &str = "revocation = \"crl\"\non_unavailable = \"hard-fail\"";
const OCSP: &str = "revocation = \"ocsp\"\non_unavailable = \"hard-fail\"";

/// A window that is uniform from one bound to the other.
fn uniform(
    name: &'static str,
    form: &'static str,
    (low, high, step, unit): (u64, u64, u64, u64),
    play: impl Fn(&mut Dice, &KeyPool) -> Sample + 'static,
) -> Case {
    let of = |seconds: u64| seconds as f64 / unit as f64;
    let bounds = (of(low), of(high));
    Case {
        name,
        form,
        mean: (bounds.0 + bounds.1) / 2.0,
        bounds,
        step: of(step),
        unit: if unit == HOUR { "h" } else { "min" },
        play: Box::new(play),
    }
}

/// A list every `period`, valid for `lifetime`, fetched when the one at hand has expired; by a
/// clock that is `slow`.
fn on_expiry(
    name: &'static str,
    form: &'static str,
    (period, lifetime, step, slow): (u64, u64, u64, u64),
) -> Case {
    let (cycle, overlap) = (lifetime - lifetime % period, lifetime % period);
    let bounds = (overlap + slow, overlap + slow + cycle);
    uniform(name, form, (bounds.0, bounds.1, step, HOUR), move |dice, pool| {
        // Bob's first visitor comes at any time; after one lifetime, he is in step with that
        // visit and no more with the beginning of the play. While a list is not yet valid by his
        // clock, he could not begin.
        let first = slow + dice.below(period - slow) + period * dice.below(cycle / period);
        let revoked = first + lifetime + dice.below(2 * cycle);
        let mut times = vec![first];
        times.extend(grid(dice, (first, revoked + slow + lifetime + 2 * step), step));
        let (visits, attempts) = times.into_iter().partition(|at| *at < revoked);
        let world = World {
            ca: list(period, lifetime),
            bob: format!("{CRL}\nclock_offset = \"-{slow}s\""),
            visits,
            revoked: Some(revoked),
            attempts,
            ..World::default()
        };
        world.window(revoked, step, HOUR, pool)
    })
}

/// Lists that are fetched when they expire.
pub fn lists_on_expiry() -> Vec<Case> {
    let of = |name, form, hours: (u64, u64), step| {
        on_expiry(name, form, (hours.0 * HOUR, hours.1 * HOUR, step, 0))
    };
    vec![
        of("list daily, valid 24 h, fetched on expiry", "P/2", (24, 24), 6 * HOUR),
        of("list daily, valid 30 h, fetched on expiry", "o + P/2", (24, 30), 6 * HOUR),
        of("list every 4 h, valid 30 h, fetched on expiry", "o + mP/2", (4, 30), 90 * MINUTE),
        of("list every 60 h, valid 72 h, fetched on expiry", "o + P/2", (60, 72), 12 * HOUR),
        of("list weekly, valid 10 d, fetched on expiry", "o + P/2", (168, 240), 24 * HOUR),
    ]
}

/// Lists that are fetched as soon as they are published, complete ones or deltas.
pub fn lists_at_publication() -> Vec<Case> {
    let (day, step) = (24 * HOUR, 4 * HOUR);
    let complete = move |dice: &mut Dice, pool: &KeyPool| {
        let revoked = day + dice.below(4 * day);
        let world = World {
            ca: list(day, 3 * day),
            bob: format!("{CRL}\nfetch = \"at-publication\""),
            visits: vec![revoked - dice.below(day)],
            revoked: Some(revoked),
            attempts: grid(dice, (revoked, revoked + day + 2 * step), step),
            ..World::default()
        };
        world.window(revoked, step, HOUR, pool)
    };
    let (delta, fine) = (15 * MINUTE, 150);
    let deltas = move |dice: &mut Dice, pool: &KeyPool| {
        let revoked = HOUR + dice.below(200 * HOUR);
        let world = World {
            ca: format!("{}\ndelta_period = \"{delta}s\"", list(60 * HOUR, 72 * HOUR)),
            bob: format!("{CRL}\ndeltas = true"),
            visits: vec![revoked - dice.below(HOUR)],
            revoked: Some(revoked),
            attempts: grid(dice, (revoked, revoked + delta + 2 * fine), fine),
            ..World::default()
        };
        world.window(revoked, fine, MINUTE, pool)
    };
    vec![
        uniform("list daily, valid 72 h, fetched at publication", "P/2", (0, day, step, HOUR), complete),
        uniform("deltas every 15 min, fetched at publication", "Δ/2", (0, delta, fine, MINUTE), deltas),
    ]
}

/// Fresh answers, asked for at every visit or every so often.
pub fn fresh_answers() -> Vec<Case> {
    let (period, step) = (4 * HOUR, HOUR);
    let play = move |fetch: &'static str| {
        move |dice: &mut Dice, pool: &KeyPool| {
            let revoked = HOUR + dice.below(10 * period);
            let until = revoked + period + 2 * step;
            let world = World {
                ca: format!("ocsp_lifetime = \"{}s\"", 2 * period),
                bob: format!("{OCSP}\nfetch = \"{fetch}\""),
                visits: vec![revoked - dice.below(HOUR)],
                revoked: Some(revoked),
                attempts: grid(dice, (revoked, until), step),
                ..World::default()
            };
            world.window(revoked, step, HOUR, pool)
        }
    };
    vec![
        uniform("OCSP at every connection", "0", (0, 0, step, HOUR), play("per-connection")),
        uniform("OCSP every 4 h", "T/2", (0, period, step, HOUR), play("every 4h")),
    ]
}

/// Answers that are kept until they expire, with visits often enough.
pub fn answers_on_expiry() -> Vec<Case> {
    let play = |presign: Option<u64>, lifetime: u64, step: u64| {
        move |dice: &mut Dice, pool: &KeyPool| {
            let signed = presign.map_or(String::new(), |every| format!("ocsp_presign = \"{every}s\"\n"));
            let first = dice.below(lifetime);
            let revoked = first + lifetime + dice.below(2 * lifetime);
            // An answer ends one lifetime after a visit: on the grid of alice's visits the
            // thief would come in step with its end.
            let world = World {
                ca: format!("{signed}ocsp_lifetime = \"{lifetime}s\"\ncertificate_lifetime = \"365d\""),
                bob: OCSP.to_owned(),
                visits: grid(dice, (first, revoked), step),
                revoked: Some(revoked),
                attempts: grid(dice, (revoked, revoked + lifetime + 2 * step), step),
                ..World::default()
            };
            world.window(revoked, step, HOUR, pool)
        }
    };
    let (half, week) = (12 * HOUR, 168 * HOUR);
    vec![
        uniform("OCSP kept 12 h", "L/2", (0, half, 2 * HOUR, HOUR), play(None, half, 2 * HOUR)),
        uniform(
            "OCSP signed every 84 h for 168 h, kept",
            "L/2",
            (0, week, 28 * HOUR, HOUR),
            play(Some(week / 2), week, 28 * HOUR),
        ),
    ]
}

/// An answer is fetched at a visit and kept for its lifetime; visits come at random.
fn cached(names: [&'static str; 2], (lifetime, mean_gap): (u64, u64)) -> [Case; 2] {
    let visits = lifetime as f64 / mean_gap as f64;
    let world = move |dice: &mut Dice| {
        let cycle = lifetime + mean_gap;
        let revoked = 4 * cycle + dice.below(cycle);
        // The first attempt only tells whether bob has an answer at hand. If he has, it leaves
        // no trace; if not, he is told what he would be told at the next visit.
        let mut attempts = vec![revoked + 1];
        attempts.extend(dice.visits(revoked + 2, revoked + lifetime + 1, mean_gap));
        attempts.push(revoked + lifetime + 2);
        let world = World {
            ca: format!("ocsp_lifetime = \"{lifetime}s\""),
            bob: OCSP.to_owned(),
            visits: dice.visits(0, revoked, mean_gap),
            revoked: Some(revoked),
            attempts,
            ..World::default()
        };
        (revoked, world)
    };
    let held = move |dice: &mut Dice, pool: &KeyPool| {
        let (revoked, mut world) = world(dice);
        let last = world.attempts.pop();
        world.attempts = world.attempts[..1].iter().copied().chain(last).collect();
        let Sample { estimate, .. } = world.window(revoked, 1, 1, pool);
        Sample { estimate, seen: estimate }
    };
    let count = move |dice: &mut Dice, pool: &KeyPool| {
        let (revoked, world) = world(dice);
        let Sample { estimate, .. } = world.window(revoked, 1, 1, pool);
        let visits = (estimate - 1.0).max(0.0);
        Sample { estimate: visits, seen: visits }
    };
    let case = |name, form, mean, most, unit, play| Case {
        name,
        form,
        mean,
        bounds: (0.0, most),
        step: 0.0,
        unit,
        play,
    };
    [
        case(names[0], "λL/(1+λL)", visits / (1.0 + visits), 1.0, "", Box::new(held)),
        case(
            names[1],
            "λ²L²/2(1+λL)",
            visits * visits / 2.0 / (1.0 + visits),
            f64::INFINITY,
            "visits",
            Box::new(count),
        ),
    ]
}

/// Answers that are kept between visits at random times.
pub fn cached_answers() -> Vec<Case> {
    let rare = ["OCSP kept 24 h, a visit in 20 h: good is at hand", "the same: visits wrongly accepted"];
    let more =
        ["OCSP kept 24 h, a visit in 12 h: good is at hand", "the same: visits wrongly accepted, again"];
    [cached(rare, (24 * HOUR, 20 * HOUR)), cached(more, (24 * HOUR, 12 * HOUR))]
        .into_iter()
        .flatten()
        .collect()
}

/// Alice staples; a second before the revocation the thief copies what alice shows.
fn stapled(
    name: &'static str,
    form: &'static str,
    (presign, lifetime, step): (Option<u64>, u64, u64),
) -> Case {
    let least = lifetime - presign.unwrap_or(0);
    uniform(name, form, (least, lifetime, step, HOUR), move |dice, pool| {
        let revoked = HOUR + dice.below(4 * presign.unwrap_or(lifetime));
        let signed = presign.map_or(String::new(), |every| format!("ocsp_presign = \"{every}s\"\n"));
        let world = World {
            ca: format!("{signed}ocsp_lifetime = \"{lifetime}s\""),
            alice: "staples = true",
            bob: "revocation = \"stapled\"\non_unavailable = \"hard-fail\"".to_owned(),
            visits: vec![revoked - 1],
            revoked: Some(revoked),
            attempts: grid(dice, (revoked, revoked + lifetime + 2 * step), step),
            copies: true,
            ..World::default()
        };
        world.window(revoked, step, HOUR, pool)
    })
}

/// What becomes of what the authority tells bob from a time on.
fn from_ca(protocol: &str, after: u64, action: &str) -> String {
    let matches = format!("from = \"ca\", to = \"bob\", protocol = \"{protocol}\", after = \"{after}s\"");
    format!("[[attacker.rule]]\nmatch = {{ {matches} }}\naction = \"{action}\"\n")
}

/// The thief serves the freshest statement from before the revocation, or keeps newer ones
/// from bob.
pub fn held_back() -> Vec<Case> {
    let day = 24 * HOUR;
    let rolled_back = move |dice: &mut Dice, pool: &KeyPool| {
        let step = 8 * HOUR;
        let revoked = day + dice.below(4 * day);
        let world = World {
            ca: list(day, 4 * day),
            bob: format!("{CRL}\nfetch = \"per-connection\""),
            visits: vec![revoked - 1],
            revoked: Some(revoked),
            attempts: grid(dice, (revoked, revoked + 4 * day + 2 * step), step),
            more: from_ca("crl", revoked, &format!("roll back to {revoked}s")),
            ..World::default()
        };
        world.window(revoked, step, HOUR, pool)
    };
    let blocked = move |dice: &mut Dice, pool: &KeyPool| {
        let (period, lifetime, step) = (60 * HOUR, 72 * HOUR, 8 * HOUR);
        let revoked = HOUR + dice.below(4 * period);
        let world = World {
            ca: format!("{}\ndelta_period = \"15m\"", list(period, lifetime)),
            bob: format!("{CRL}\ndeltas = true"),
            visits: vec![revoked - 1],
            revoked: Some(revoked),
            attempts: grid(dice, (revoked, revoked + lifetime + 2 * step), step),
            more: from_ca("crl", revoked, "drop"),
            ..World::default()
        };
        world.window(revoked, step, HOUR, pool)
    };
    vec![
        stapled(
            "staple of the thief's choice, signed on demand for 12 h",
            "L",
            (None, 12 * HOUR, 100 * MINUTE),
        ),
        stapled(
            "staple of her choice, signed every 12 h for 96 h",
            "L − S/2",
            (Some(12 * HOUR), 96 * HOUR, 8 * HOUR),
        ),
        stapled(
            "staple of her choice, signed every 84 h for 168 h",
            "L − S/2",
            (Some(84 * HOUR), 168 * HOUR, 14 * HOUR),
        ),
        uniform(
            "list daily, valid 96 h, the freshest old one served",
            "V − P/2",
            (3 * day, 4 * day, 8 * HOUR, HOUR),
            rolled_back,
        ),
        uniform(
            "list every 60 h, valid 72 h, deltas blocked",
            "V − P/2",
            (12 * HOUR, 72 * HOUR, 8 * HOUR, HOUR),
            blocked,
        ),
    ]
}

/// Nobody learns anything: only its end stops a certificate. Alice has another key certified at a part of each
/// lifetime; her key is stolen at any time. Measured from the theft on.
fn short_lived(
    (name, form): (&'static str, &'static str),
    (lifetime, renewed, step): (u64, u64, u64),
    asks: bool,
) -> Case {
    uniform(name, form, (lifetime - renewed, lifetime, step, HOUR), move |dice, pool| {
        let theft = renewed / 2 + dice.below(3 * renewed);
        let last = theft + lifetime + 2 * step;
        let rekeyed = (1..).map(|nth| nth * renewed).take_while(|at| *at < last);
        let requests =
            rekeyed.map(|at| format!("[[request]]\nat = \"{at}s\"\nby = \"alice\"\nask = \"rekey\"\n"));
        let mut more: String = requests.collect();
        let mut bob = "revocation = \"none\"";
        if asks {
            bob = "revocation = \"ocsp\"\nfetch = \"per-connection\"\non_unavailable = \"soft-fail\"";
            more += &from_ca("ocsp", theft, "drop");
        }
        let world = World {
            ca: format!("certificate_lifetime = \"{lifetime}s\""),
            bob: bob.to_owned(),
            revoked: asks.then_some(theft + HOUR),
            // What she shows is public: the thief copies it at her next visit.
            visits: vec![theft],
            theft,
            attempts: grid(dice, (theft, last), step),
            copies: true,
            more,
            ..World::default()
        };
        world.window(theft, step, HOUR, pool)
    })
}

/// Certificates that end soon, or late.
pub fn lifetimes() -> Vec<Case> {
    let day = 24 * HOUR;
    let of = |name, times| short_lived((name, "T(1 − ρ/2)"), times, false);
    let never = ("certificate for 90 d, OCSP with soft-fail, answers blocked", "T(1 − ρ/2)");
    vec![
        of("certificate for 24 h, another key at 2/3", (day, 16 * HOUR, 2 * HOUR)),
        of("certificate for 160 h, another key at 1/2", (160 * HOUR, 80 * HOUR, 16 * HOUR)),
        of("certificate for 47 d, another key at 2/3", (47 * day, 752 * HOUR, 80 * HOUR)),
        short_lived(never, (90 * day, 90 * day - HOUR, 12 * day), true),
    ]
}

/// The share of alice's visits at which a bob with a fast clock lacks a list that is current.
fn outage(name: &'static str, form: &'static str, (period, lifetime, fast): (u64, u64, u64)) -> Case {
    let share = fast.saturating_sub(lifetime - period) as f64 / period as f64;
    let play = move |dice: &mut Dice, pool: &KeyPool| {
        let mut visits: Vec<u64> = (0..24).map(|_| 2 * period + dice.below(2 * period)).collect();
        visits.sort_unstable();
        let count = visits.len() as u32;
        let world = World {
            ca: list(period, lifetime),
            bob: format!("{CRL}\nclock_offset = \"+{fast}s\""),
            visits,
            ..World::default()
        };
        let play = world.play(pool);
        let refused = (1..=count).filter(|run| !play.run(*run).party("bob").completed()).count();
        let estimate = refused as f64 / f64::from(count);
        Sample { estimate, seen: estimate }
    };
    let most = if share > 0.0 { 1.0 } else { 0.0 };
    Case { name, form, mean: share, bounds: (0.0, most), step: 0.0, unit: "", play: Box::new(play) }
}

/// Clocks that are wrong.
pub fn clocks() -> Vec<Case> {
    let day = 24 * HOUR;
    vec![
        on_expiry("list daily, valid 24 h, bob's clock 2 h slow", "P/2 + ε", (day, day, 4 * HOUR, 2 * HOUR)),
        outage("list daily, valid 24 h, bob's clock 2 h fast: share refused", "ε/P", (day, day, 2 * HOUR)),
        outage(
            "list daily, valid 26 h, bob's clock 2 h fast: share refused",
            "0",
            (day, 26 * HOUR, 2 * HOUR),
        ),
    ]
}

/// All cases.
pub fn all() -> Vec<Case> {
    let all = [
        lists_on_expiry(),
        lists_at_publication(),
        fresh_answers(),
        answers_on_expiry(),
        cached_answers(),
        held_back(),
        lifetimes(),
        clocks(),
    ];
    all.into_iter().flatten().collect()
}
