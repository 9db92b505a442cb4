//! Plays with a program in a party's place: the same parties, authority, attacker, journal and
//! verdicts as in every play, on the wall's clock, with sockets where the program is. Must not know
//! how sockets work.

mod command;
mod edge;
mod words;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::long_term::all_uses;
use super::play::{Played, Surroundings, play_in};
use super::setup::Setup;
use super::setup::live::LiveSpec;
use super::{KeyPool, PlayReport, Problem, Problems, Scenario, Variant};
use crate::live::stage::{Ends, Met, Papers, Wall};
use crate::notation::Name;
use crate::pki::{OnUnavailable, Profile, Profiles, Revocation};
use crate::time::SimTime;
use crate::world::Halt;

use edge::{SocketEdge, Told};

pub use command::{Command, placeholders};
pub use words::{ended, explained};

/// The host name at which a program meets whom it connects to.
pub const HOST: &str = "localhost";

/// What came of a play with a program.
pub struct Rehearsed {
    /// The play, as of any other.
    pub play: PlayReport,
    /// What each of the program's connections came to, by run.
    pub met: Vec<(u32, Met)>,
    /// The program's code, if it ended by itself.
    pub code: Option<i32>,
    /// Whether somebody stopped it.
    pub was_stopped: bool,
}

/// Why there is none.
#[derive(Debug)]
pub enum NotRehearsed {
    /// The scenario, or the command, is not one for it.
    Input(Problems),
    /// The program did not start, or this end of a connection failed.
    Outside(String),
    /// A limit was reached, or a defect.
    Halt(Halt),
}

impl fmt::Display for NotRehearsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRehearsed::Input(problems) => problems.fmt(f),
            NotRehearsed::Outside(why) => f.write_str(why),
            NotRehearsed::Halt(halt) => halt.fmt(f),
        }
    }
}

impl std::error::Error for NotRehearsed {}

impl From<Problems> for NotRehearsed {
    fn from(problems: Problems) -> Self {
        NotRehearsed::Input(problems)
    }
}

impl From<Halt> for NotRehearsed {
    fn from(halt: Halt) -> Self {
        NotRehearsed::Halt(halt)
    }
}

/// In whose place the program stands, and where it connects.
///
/// # Errors
/// The variant has no `[live]`.
pub fn spec_of<'a>(scenario: &Scenario, variant: &'a Variant) -> Result<&'a LiveSpec, Problems> {
    variant.setup.live.as_ref().ok_or_else(|| {
        let name = variant.of(&scenario.name);
        let mut problem =
            Problem::nowhere(format!("{name} has no [live] table: no program takes part in it"));
        problem.help = Some(
            "it says in whose place the program stands: program = \"alice\", ports = { bob = \"tls\" }"
                .into(),
        );
        problem.into()
    })
}

/// What the party in whose place the program stands goes by to know who is revoked.
pub fn goes_by(variant: &Variant) -> Revocation {
    let party = variant.setup.live.as_ref().and_then(|live| variant.setup.parties.get(&live.program));
    party.map_or(Revocation::None, |party| party.trust.revocation)
}

/// Whether that party takes a certificate where it cannot know (soft-fail).
pub fn shrugs(variant: &Variant) -> bool {
    let party = variant.setup.live.as_ref().and_then(|live| variant.setup.parties.get(&live.program));
    party.is_some_and(|party| party.trust.on_unavailable == OnUnavailable::SoftFail)
}

impl Scenario {
    /// Plays a variant on sockets. With a command, until that has ended; without, until the runs
    /// of the program's party are over, or somebody stops it.
    ///
    /// # Errors
    /// That it is no scenario or command for it; that the program did not start; a limit that was
    /// reached.
    pub fn rehearse(
        &self,
        variant: &Arc<Variant>,
        command: Option<&Command>,
        ends: Ends,
        pool: &KeyPool,
    ) -> Result<Rehearsed, NotRehearsed> {
        let spec = spec_of(self, variant)?.clone();
        let setup = &variant.setup;
        let begins = begins(setup, &spec.program);
        let told = Arc::new(Mutex::new(Told::default()));
        let papers = Papers::new().map_err(|error| NotRehearsed::Outside(error.to_string()))?;
        let program = match command {
            Some(command) => Some(command.program(&spec, &ends, &papers)?),
            None => None,
        };
        let profiles = profiles(&spec, &ends);
        let open = {
            let (told, spec, papers) = (told.clone(), spec.clone(), &papers);
            move |keys: &_, root: &[u8]| {
                let written = papers.certificate(command::ROOT, root);
                written.map_err(|error| Halt::Runtime(error.to_string()))?;
                ends.publish(root);
                let her = setup.attacker.as_ref().map(|her| her.name.clone());
                let runs = runs(setup, &spec.program);
                let backstage = edge::Backstage { keys: Arc::clone(keys), uses: all_uses(setup), her, runs };
                let edge = SocketEdge::new(ends, spec, backstage, program, begins, told);
                Ok(Box::new(edge) as Box<dyn crate::world::Edge>)
            }
        };
        let surroundings = Surroundings {
            epoch: Wall::epoch(begins),
            profiles,
            outside: Some((spec.program.clone(), Box::new(open))),
            wire_after: None,
        };
        let played = self.in_surroundings(variant, surroundings, pool)?;
        let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
        drop(papers);
        if let Some(why) = told.failed {
            return Err(NotRehearsed::Outside(why));
        }
        let mut play = self.report(variant, played, true);
        play.judged_outside = Some(spec.program);
        Ok(Rehearsed { play, met: told.met, code: told.code, was_stopped: told.was_stopped })
    }

    fn in_surroundings(
        &self,
        variant: &Arc<Variant>,
        surroundings: Surroundings<'_>,
        pool: &KeyPool,
    ) -> Result<Played, Halt> {
        let asked: Vec<_> = variant.expect.long_term().collect();
        play_in(&variant.setup, self.seed, true, &asked, pool, surroundings)
    }
}

/// The runs that a party begins, in order of their times.
fn runs(setup: &Setup, program: &Name) -> Vec<Arc<crate::party::RunSpec>> {
    let begins = |run: &&crate::party::RunSpec| {
        let protocol = setup.protocol_named(&run.protocol);
        protocol.is_some_and(|protocol| run.names.get(protocol.initiator()) == Some(program))
    };
    let mut runs: Vec<_> = setup.runs.iter().filter(begins).cloned().map(Arc::new).collect();
    runs.sort_by_key(|run| run.at);
    runs
}

/// When the program's first run begins: what a scenario has happen before has happened then.
fn begins(setup: &Setup, program: &Name) -> SimTime {
    runs(setup, program).first().map_or(SimTime::ZERO, |run| run.at)
}

/// What certificates say so that programs can use them: where lists and OCSP are, and of whom a
/// program connects to the host at which that is.
fn profiles(spec: &LiveSpec, ends: &Ends) -> Profiles {
    let at = ends.status_at();
    let others = Profile {
        crl: spec.list.as_ref().map(|_| format!("http://{at}/crl.der")),
        ocsp: spec.status.as_ref().map(|_| format!("http://{at}/ocsp")),
        ..Profile::default()
    };
    let server = Profile {
        dns_names: vec![HOST.to_owned()],
        addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        ..others.clone()
    };
    Profiles { of: [(spec.server.to_string(), server)].into(), others }
}
