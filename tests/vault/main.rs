//! The vault's room through its public doors: states, operations, seals, files, crashes,
//! guards and messages.

mod audit;
mod crash;
mod file;
mod flips;
mod gate;
mod guide;
mod known_answer;
mod lifecycle;
mod memory_file;
mod messages;
mod operations;
mod processes;
mod sealing;
mod states;
mod wiped;

use mallory::crypto::{Rng, StretchCost, stream};
use mallory::reason::Reason;
use mallory::time::{Span, UnixNanos};
use mallory::vault::{
    Caller, Care, Entropy, Key, KeyKind, KeySpec, KeyState, MemoryStore, Operation, Response,
    RevocationCause, Sealing, Seeded, Store, Transition, Unsealing, Usage, Vault,
};

const START: UnixNanos = UnixNanos(1_700_000_000_000_000_000);
const DAY: Span = Span::seconds(86_400);
const PASSPHRASE: &[u8] = b"correct horse battery staple";
/// The smallest cost that RFC 9106 §3.1 permits: a test guesses nothing.
const CHEAP: StretchCost = StretchCost { memory_kib: 8, iterations: 1, lanes: 1 };
const BY_PASSPHRASE: Sealing = Sealing::Passphrase { passphrase: PASSPHRASE, cost: CHEAP };
const REHEARSED: Sealing<Seeded> = Sealing::Passphrase { passphrase: PASSPHRASE, cost: CHEAP };

fn rng(label: &str) -> Rng {
    stream(7, &["vault", label])
}

/// An unsealed vault in a store, and a clock that stands still unless it is moved.
struct Desk<S, E = Seeded> {
    vault: Vault<S, E>,
    now: UnixNanos,
}

fn desk() -> Desk<MemoryStore> {
    Desk::create(MemoryStore::default())
}

impl<S: Store> Desk<S> {
    fn create(store: S) -> Desk<S> {
        let vault = Vault::rehearse(store, REHEARSED, "root", rng("desk"), START);
        Desk { vault: vault.expect("an empty store"), now: START }
    }
}

impl<S: Store, E: Entropy> Desk<S, E> {
    fn by<'a>(&'a mut self, name: &'a str) -> (&'a mut Vault<S, E>, Caller<'a>) {
        (&mut self.vault, Caller { name, now: self.now })
    }

    fn try_do(&mut self, operation: &Operation) -> Result<Response, Reason> {
        self.vault.perform("alice", operation, Care::default(), self.now)
    }

    fn must(&mut self, operation: &Operation) -> Response {
        self.try_do(operation).unwrap_or_else(|reason| panic!("{operation:?}: {reason}"))
    }

    fn generate(&mut self, name: &str, kind: KeyKind, usage: Usage) {
        self.generate_as(name, KeySpec::new(kind, usage, "alice"));
    }

    fn generate_as(&mut self, name: &str, spec: KeySpec) {
        self.must(&Operation::Generate { key: name.to_owned(), spec });
    }

    fn encrypt(&mut self, name: &str, text: &[u8]) -> Result<Vec<u8>, Reason> {
        let (vault, by) = self.by("alice");
        vault.encrypt(by, name, b"context", text)
    }

    fn decrypt(&mut self, ciphertext: &[u8]) -> Result<Vec<u8>, Reason> {
        let (vault, by) = self.by("alice");
        vault.decrypt(by, b"context", ciphertext)
    }

    fn rotate(&mut self, name: &str) -> u32 {
        let (vault, by) = self.by("alice");
        vault.rotate(by, name).expect("an active key rotates")
    }

    fn key(&self, name: &str) -> Key {
        self.vault.key(name).expect("the key is there").clone()
    }

    fn configure(&mut self, name: &str, change: impl Fn(&mut mallory::vault::Settings)) {
        let mut settings = self.key(name).spec.settings;
        change(&mut settings);
        self.must(&Operation::Configure { key: name.to_owned(), changes: settings.into() });
    }

    /// Moves a new key into `state` by permitted steps.
    fn bring(&mut self, name: &str, state: KeyState) {
        for transition in path_to(state) {
            self.must(&step(name, *transition));
        }
        assert_eq!(self.key(name).state, state);
    }
}

/// From pre-activation.
fn path_to(state: KeyState) -> &'static [Transition] {
    use Transition::*;
    match state {
        KeyState::PreActivation => &[],
        KeyState::Active => &[Activate],
        KeyState::Suspended => &[Activate, Suspend],
        KeyState::Deactivated => &[Activate, Deactivate],
        KeyState::Compromised => &[Activate, Compromise],
        KeyState::PendingDestruction => &[Activate, ScheduleDestruction],
        KeyState::Destroyed => &[Activate, Destroy],
        KeyState::DestroyedCompromised => &[Activate, Compromise, Destroy],
    }
}

fn step(name: &str, transition: Transition) -> Operation {
    let key = name.to_owned();
    match transition {
        Transition::Activate => Operation::Activate { key },
        Transition::Suspend => Operation::Suspend { key },
        Transition::Resume => Operation::Resume { key },
        Transition::Deactivate => Operation::Revoke { key, cause: RevocationCause::Superseded },
        Transition::Compromise => Operation::Revoke { key, cause: RevocationCause::KeyCompromise },
        Transition::ScheduleDestruction => Operation::ScheduleDestruction { key, wait: Span(7 * DAY.0) },
        Transition::CancelDestruction => Operation::CancelDestruction { key },
        Transition::Destroy => Operation::Destroy { key },
    }
}

/// A key that waits for its activation.
fn waiting(kind: KeyKind, usage: Usage) -> KeySpec {
    KeySpec {
        activate_at: Some(START.after(Span(1_000 * DAY.0))),
        exportable: true,
        ..KeySpec::new(kind, usage, "alice")
    }
}

fn unseal<S: Store, E: Entropy>(vault: &mut Vault<S, E>) -> Result<(), Reason> {
    vault.unseal(Unsealing::Passphrase(PASSPHRASE))
}

/// A vault that was opened anew, for a desk that goes on with it.
fn reopened<S: Store>(store: S) -> Vault<S, Seeded> {
    let mut vault = Vault::open_rehearsed(store, rng("reopened")).expect("a vault");
    unseal(&mut vault).expect("the passphrase");
    vault
}
