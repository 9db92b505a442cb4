//! Where a play meets a program: what comes from sockets becomes inputs and messages, what parties
//! and the attacker send becomes certificates in handshakes and answers over HTTP. Must not know
//! what is right.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::ended;
use crate::algebra::{Bytes, Private};
use crate::crypto::SigningKey;
use crate::journal::{Journal, QuestionId, Sight, What};
use crate::knowledge::{Keys, Shown as Words};
use crate::live::stage::{Asked, Came, Child, Ends, Met, Program, Shown, Wall};
use crate::notation::{Func, KeyUses, Name, Quoted, Service, Term, parse};
use crate::party::{COMPLETE, CRL_PROTOCOL, Input, OCSP_PROTOCOL, Presented, RunSpec};
use crate::pki::repository::{self, Item};
use crate::pki::{Certificates, at_face_value};
use crate::reason::Reason;
use crate::scenario::setup::live::LiveSpec;
use crate::time::{SimTime, Span};
use crate::world::{Arrival, Edge, Waited};

/// The program's questions have numbers from here on: those below are of the party in whose place
/// it stands.
const FIRST_QUESTION: QuestionId = 1 << 32;
/// How often it is looked at whether connections of a program that has ended are over.
const LOOK: Duration = Duration::from_millis(20);
/// How long such connections may take.
const GRACE: Span = Span::seconds(3);
/// Without a command: how long nothing may happen after the last run, until the play is over.
const CALM: Span = Span::millis(300);

/// What the edge knows of what is behind the stage.
pub struct Backstage {
    /// Everybody's keys.
    pub keys: Arc<Keys>,
    /// What they are for.
    pub uses: KeyUses,
    /// The attacker.
    pub her: Option<Name>,
    /// The runs that the program begins, in order.
    pub runs: Vec<Arc<RunSpec>>,
}

/// What is told when the play is over.
#[derive(Default)]
pub struct Told {
    /// What each connection came to, by run.
    pub met: Vec<(u32, Met)>,
    /// The program's code.
    pub code: Option<i32>,
    /// Whether somebody stopped it.
    pub was_stopped: bool,
    /// Why the rehearsal is worth nothing.
    pub failed: Option<String>,
}

/// The handshake that is under way.
struct Handshake {
    connection: u64,
    run: u32,
    question: Option<QuestionId>,
}

/// The edge, with sockets beyond it.
pub struct SocketEdge {
    ends: Ends,
    spec: LiveSpec,
    backstage: Backstage,
    /// What is started when its time has come.
    program: Option<Program>,
    is_commanded: bool,
    child: Option<Child>,
    begins: SimTime,
    /// It runs from then on.
    wall: Option<Wall>,
    runs: VecDeque<Arc<RunSpec>>,
    /// Connections that wait for those before them.
    queue: VecDeque<u64>,
    handshake: Option<Handshake>,
    questions: BTreeMap<QuestionId, (u64, Asked)>,
    next_question: QuestionId,
    arrivals: VecDeque<Arrival>,
    /// When the program ended, or the last run did.
    ended_at: Option<SimTime>,
    is_over: bool,
    told: Arc<Mutex<Told>>,
}

impl SocketEdge {
    /// An edge behind which nothing has begun yet.
    pub fn new(
        ends: Ends,
        spec: LiveSpec,
        backstage: Backstage,
        program: Option<Program>,
        begins: SimTime,
        told: Arc<Mutex<Told>>,
    ) -> SocketEdge {
        SocketEdge {
            ends,
            spec,
            runs: backstage.runs.iter().cloned().collect(),
            backstage,
            is_commanded: program.is_some(),
            program,
            child: None,
            begins,
            wall: None,
            queue: VecDeque::new(),
            handshake: None,
            questions: BTreeMap::new(),
            next_question: FIRST_QUESTION,
            arrivals: VecDeque::new(),
            ended_at: None,
            is_over: false,
            told,
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&mut self, why: String) {
        self.told().failed.get_or_insert(why);
        self.is_over = true;
    }

    fn now(&self) -> SimTime {
        self.wall.as_ref().map_or(SimTime::ZERO, Wall::now)
    }

    /// The clock becomes the wall's, and the program starts.
    fn begin(&mut self) {
        self.wall = Some(Wall::starting(self.begins));
        match self.program.take().map(|program| self.ends.start(&program)) {
            Some(Ok(child)) => self.child = Some(child),
            Some(Err(failure)) => self.fail(failure.0),
            None => {}
        }
    }

    fn take(&mut self, came: Came) {
        match came {
            Came::Hello { connection } => {
                self.queue.push_back(connection);
                self.next_handshake();
            }
            Came::Ended { connection, met } => self.ended(connection, met),
            Came::Asked { exchange, what } => self.ask(exchange, what),
            Came::Exited(Ok(code)) => {
                self.told().code = code;
                self.ended_at = Some(self.now());
            }
            Came::Exited(Err(failure)) => self.fail(failure.0),
            Came::Stopped => {
                self.told().was_stopped = true;
                self.is_over = true;
            }
        }
    }

    /// One handshake after the other: each is a run.
    fn next_handshake(&mut self) {
        if self.handshake.is_some() {
            return;
        }
        let Some(connection) = self.queue.pop_front() else { return };
        let Some(run) = self.runs.pop_front() else {
            // More connections than the scenario has runs: there is nobody to answer.
            return self.ends.ignore(connection);
        };
        // A program that comes before its run's time moves the clock, and not the other way.
        if let Some(wall) = &mut self.wall {
            wall.advance(run.at);
        }
        self.handshake = Some(Handshake { connection, run: run.number, question: None });
        self.arrivals.push_back(Arrival::Told(self.spec.program.clone(), Input::Start(run)));
    }

    fn ended(&mut self, connection: u64, met: Met) {
        self.queue.retain(|waiting| *waiting != connection);
        let Some(Handshake { run, question, .. }) =
            self.handshake.take_if(|handshake| handshake.connection == connection)
        else {
            return;
        };
        match (ended(&met), question, &met) {
            (Some(word), Some(question), _) => {
                let input = Input::Judged(question, word);
                self.arrivals.push_back(Arrival::Told(self.spec.program.clone(), input));
            }
            // It was shown certificates, and this end could not go on: that is no refusal.
            (None, Some(_), Met::Failed(why)) => self.fail(format!("the TLS end: {why}")),
            // It said nothing, or was shown nothing: its run waits.
            (None, ..) | (Some(_), None, _) => {}
        }
        self.told().met.push((run, met));
        if self.runs.is_empty() && !self.is_commanded {
            self.ended_at = Some(self.now());
        }
        self.next_handshake();
    }

    /// Puts a question of the program's on the wire, as if its party asked.
    fn ask(&mut self, exchange: u64, what: Asked) {
        let (protocol, bytes, text) = match &what {
            Asked::List | Asked::RootList => (CRL_PROTOCOL, Bytes::from(COMPLETE.as_bytes()), COMPLETE),
            Asked::Status(request) => (OCSP_PROTOCOL, Bytes::from(request.as_slice()), "OCSP request"),
        };
        let question = self.next_question;
        self.next_question += 1;
        self.questions.insert(question, (exchange, what));
        let run = self.handshake.as_ref().map(|handshake| handshake.run);
        let run = run.or(self.runs.front().map(|run| run.number)).unwrap_or_default();
        self.arrivals.push_back(Arrival::Sent(Arc::new(Sight {
            id: 0,
            run,
            protocol: protocol.into(),
            line: 1,
            question: Some(question),
            from: self.spec.program.clone(),
            to: Service::Ca.name().into(),
            bytes,
            shown: Words::words(text),
        })));
    }

    /// Whether nothing more can come.
    fn is_calm(&self) -> bool {
        let Some(at) = self.ended_at else { return false };
        let since = self.now().since(at);
        match self.is_commanded {
            true => !self.ends.is_busy() || since >= GRACE,
            false => !self.ends.is_busy() && since >= CALM || since >= GRACE,
        }
    }

    /// The key with which whoever sent a message signs: the certificate's, if it has that.
    fn key(&self, presented: &Presented, journal: &Journal) -> Option<SigningKey> {
        let bundle = &presented.bundle;
        let wanted = at_face_value(bundle, Some("")).ok().and_then(|certified| certified.public.signature);
        let held = self.held(presented, journal);
        let is_wanted = |key: &SigningKey| wanted.as_deref() == Some(key.public().as_slice());
        // Whoever has not the key signs with one that it has.
        held.iter().find(|key| is_wanted(key)).or(held.first()).cloned()
    }

    /// The keys that whoever sent a message can sign with, its own first.
    fn held(&self, presented: &Presented, journal: &Journal) -> Vec<SigningKey> {
        let Backstage { keys, uses, her, .. } = &self.backstage;
        let private = |owner: &Name| keys.private(owner, *uses).signing;
        let sent = journal.events().iter().rev().find_map(|event| match &event.what {
            What::Sent { message } if message.id == presented.message => Some(Some(message.from.clone())),
            What::Injected { message, .. } if message.id == presented.message => Some(None),
            _ => None,
        });
        match (sent.flatten(), her) {
            (Some(from), _) => {
                let renewals = journal.events().iter().filter(|event| match &event.what {
                    What::Rekeyed { party, .. } => *party == from,
                    _ => false,
                });
                let renewed =
                    (1..=renewals.count() as u32).map(|nth| keys.renewed(&from, nth, *uses).signing);
                private(&from).into_iter().chain(renewed.flatten()).collect()
            }
            (None, Some(her)) => {
                let stolen = journal.events().iter().filter_map(|event| match &event.what {
                    What::Compromised { term, value: Some(value), .. } if is_private(term) => {
                        Private::from_bytes(&value.bytes).ok()?.signing
                    }
                    _ => None,
                });
                private(her).into_iter().chain(stolen).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    fn shown(&self, presented: &Presented, journal: &Journal) -> Result<Shown, Reason> {
        let bundle = Certificates::from_bytes(&presented.bundle)?;
        let subject = bundle.signature.ok_or(Reason::CertificateWrongUsage)?;
        let key = self.key(presented, journal).ok_or(Reason::CertificateWrongUsage)?;
        Ok(Shown {
            chain: [subject].into_iter().chain(bundle.chain).collect(),
            staple: bundle.staples.into_iter().next(),
            key: Zeroizing::new(key.to_pkcs8().to_vec()),
        })
    }
}

/// Whether a term is somebody's private key: `sk(bob)`.
fn is_private(term: &str) -> bool {
    parse::term(&Quoted::new(term)).is_ok_and(|term| matches!(term, Term::App(Func::Sk, _)))
}

impl Edge for SocketEdge {
    fn wait(&mut self, due: Option<SimTime>, _: &Journal) -> Waited {
        if self.wall.is_none() {
            // What was before the program began has happened.
            if due.is_some_and(|due| due < self.begins) {
                return Waited::Due;
            }
            self.begin();
        }
        loop {
            if let Some(arrival) = self.arrivals.pop_front() {
                return Waited::Came(self.now(), arrival);
            }
            if self.is_calm() {
                // A program may end before it is heard how its handshake did.
                match self.ends.told() {
                    Some(came) => {
                        self.take(came);
                        continue;
                    }
                    None => self.is_over = true,
                }
            }
            let now = self.now();
            if self.is_over || due.is_some_and(|due| due <= now) {
                return Waited::Due;
            }
            let until_due = due.map(|due| Duration::from_nanos(due.since(now).0));
            let limit = match (until_due, self.ended_at) {
                (Some(until), Some(_)) => Some(until.min(LOOK)),
                (None, Some(_)) => Some(LOOK),
                (until, None) => until,
            };
            if let Some(came) = self.ends.wait(limit) {
                self.take(came);
            }
        }
    }

    fn present(&mut self, presented: Presented, journal: &Journal) {
        let question = presented.question;
        let shown = self.shown(&presented, journal);
        let Some(handshake) = self.handshake.as_mut().filter(|handshake| handshake.question.is_none()) else {
            // The program has gone already.
            return;
        };
        match shown {
            Ok(shown) => {
                handshake.question = Some(question);
                self.ends.show(handshake.connection, shown);
            }
            Err(reason) => {
                let why =
                    format!("what came in place of certificates cannot be shown to a program: {reason}");
                self.fail(why);
            }
        }
    }

    fn takes(&mut self, message: &Sight) -> bool {
        if message.to != self.spec.program {
            return false;
        }
        let Some(question) = message.question.filter(|question| *question >= FIRST_QUESTION) else {
            return false;
        };
        // An answer that comes twice is an answer once.
        if let Some((exchange, what)) = self.questions.remove(&question) {
            self.ends.answer(exchange, body(&message.bytes, &what));
        }
        true
    }
}

/// What a program gets of an answer: of a repository's the list that it asked for.
fn body(answer: &[u8], what: &Asked) -> Vec<u8> {
    let lists = match (what, repository::read(answer)) {
        (Asked::Status(_), _) | (_, Err(_)) => return answer.to_vec(),
        (_, Ok(items)) => items.into_iter().filter(|(item, _)| *item == Item::Crl),
    };
    let lists: Vec<&[u8]> = lists.map(|(_, list)| list).collect();
    let list = if *what == Asked::RootList { lists.first() } else { lists.last() };
    list.map_or(answer.to_vec(), |list| list.to_vec())
}
