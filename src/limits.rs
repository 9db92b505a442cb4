//! Every limit, in one place, each with the cause that it most likely has.
//! Reaching one is an error that names it; nothing loops without one.

use crate::reason::Reason;

/// A limit that was reached while a play went on: the play ends, without a verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// The limit's name.
    pub name: &'static str,
    /// Its value.
    pub value: usize,
    /// What most likely brought it about.
    pub cause: &'static str,
}

impl Reached {
    /// The limit behind a check that failed, if it was one: what would have come of the check is
    /// then not known, and nobody may go on as if it had failed.
    pub fn behind(reason: Reason) -> Option<Reached> {
        match reason {
            Reason::MessageTooLong => Some(Reached {
                name: "MAX_MESSAGE_BYTES",
                value: MAX_MESSAGE_BYTES,
                cause: "messages made of whole messages",
            }),
            Reason::MemoryUnavailable => Some(Reached {
                name: "ARGON2_MEMORY_KIB",
                value: ARGON2_MEMORY_KIB as usize,
                cause: "the system gives no memory to stretch a password in",
            }),
            _ => None,
        }
    }
}

/// Bytes in a scenario or protocol file. The largest shipped one has about 8 KiB. A program
/// that hands a text in has bounded it already.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// Folders one in another below the one that was asked for. Links to folders are not followed,
/// so more is a tree of some other making.
pub const MAX_FOLDER_DEPTH: usize = 32;
/// Files and folders looked at below the one that was asked for: a home folder, or `/`.
pub const MAX_FOLDER_ENTRIES: usize = 100_000;
/// Nesting of terms in a line: `{{{…}K}K}K`. Papers need four.
pub const MAX_TERM_DEPTH: usize = 32;
/// Terms in one protocol after its `let` names are written out.
pub const MAX_TERMS: usize = 4_096;
/// Exponents in one `g^x^y…`; each subset of them is a share of its own.
pub const MAX_EXPONENTS: usize = 4;
/// Ways in which the parts of an attack that a search found are put into runs.
pub const MAX_GROUPINGS: usize = 2_000;
/// Rows of a sequence chart. Of more it is said how many there are.
pub const MAX_CHART_ROWS: usize = 2_000;
/// Events in one HTML page, of all its plays together: a browser reads some six megabytes of them
/// in a fraction of a second.
pub const MAX_PAGE_EVENTS: usize = 20_000;
/// Bytes of one message that an HTML page shows. Of a longer one it says how long it is.
pub const MAX_PAGE_MESSAGE_BYTES: usize = 512;
/// Values of which an HTML page tells how the attacker came to them, in one play.
pub const MAX_PAGE_DERIVATIONS: usize = 200;
/// Rows of a table of plays side by side, and what is aligned of each of them.
pub const MAX_ALIGNED_ROWS: usize = 400;
/// Seeds for which it is asked from which event on a play was decided: each is played once for
/// each act of the attacker's.
pub const MAX_DECIDED_SEEDS: u32 = 32;
/// Acts of hers after which she is stopped, evenly chosen where there are more; then some 20 for
/// each goal, where it was decided.
pub const MAX_DECIDED_CUTS: usize = 64;
/// Documents that an editor has open in a language server at a time.
pub const MAX_LSP_DOCUMENTS: usize = 1_000;
/// Lines in a protocol or an attack.
pub const MAX_LINES: usize = 1_000;
/// Bytes in one message on the wire; and in a line of a protocol with all that goes into it,
/// each ciphertext and each input of a hash counted, so that its maker has room for it.
pub const MAX_MESSAGE_BYTES: usize = 1 << 24;
/// Events that one world may deliver: a flood, or parties that answer each other for ever.
pub const MAX_EVENTS: u64 = 50_000_000;
/// Bytes that the journal of one play takes, its messages and values included: a flood that
/// MAX_EVENTS would let fill the memory. Signed Diffie-Hellman takes some 7 KiB a run.
pub const MAX_JOURNAL_BYTES: usize = 1 << 29;
/// Times that parties of one play ask or look every so often, all together: once a minute for
/// half a year.
pub const MAX_PERIODS: u64 = 250_000;
/// Messages that one play may put on the wire: an attacker who answers her own answers.
pub const MAX_MESSAGES: u64 = 10_000_000;
/// Messages that the attacker may make or let go at once: a rule that releases a flood.
pub const MAX_ATTACKER_ACTIONS: usize = 10_000;
/// Virtual time in one play, in seconds: a hundred years.
pub const MAX_VIRTUAL_SECONDS: u64 = 100 * 366 * 86_400;
/// Words in the attacker's dictionary: each costs a stretching, some 20 ms.
pub const MAX_WORDS: usize = 1_000;
/// Words that the attacker may try in one play, on all passwords and vaults together: some 10 s.
pub const MAX_GUESSES: usize = 500;
/// Times that the attacker may ask a party about one ciphertext: a padding oracle takes some 2,055
/// for each block.
pub const MAX_QUERIES: u32 = 1_000_000;
/// Moduli that the attacker compares, each with all others: some 5 s.
pub const MAX_MODULI: usize = 200;
/// Hashes that the attacker may try for a value of hers: some 0.5 s.
pub const MAX_TRIALS: u32 = 1_000_000;
/// Ciphertexts that the attacker compares with one another, where a rule of hers tags anew.
pub const MAX_RECORDS: usize = 10_000;
/// Runs in one scenario.
pub const MAX_RUNS: usize = 100_000;
/// Steps in finding out what the attacker can compute. Each computation of a play is a step or
/// two; exclusive ors that hang together by the thousand can take many.
pub const MAX_DERIVATION_STEPS: usize = 200_000_000;
/// States that a search for an attack on one goal looks at, some ten microseconds each: NSL with
/// four runs takes some thousands.
pub const MAX_SEARCH_STATES: u64 = 5_000_000;
/// Cases in which a search makes two messages equal: sums and shares fit in several ways, and fields
/// without borders. A hundred are many.
pub const MAX_UNIFICATIONS: usize = 20_000;
/// Runs that a search may be asked for.
pub const MAX_SEARCH_RUNS: usize = 8;
/// Attacks on one goal that a search finds on symbols and the stage does not confirm.
pub const MAX_UNCONFIRMED: usize = 50;
/// States that a search for an attack on one goal of an edited protocol looks at: an edit after
/// which it takes more is no repair that anybody has seen to be one.
pub const MAX_REPAIR_STATES: u64 = 200_000;
/// Edited protocols that a search for repairs looks at, some milliseconds each: all single edits
/// and all pairs of them of a protocol with five lines.
pub const MAX_REPAIR_CANDIDATES: usize = 5_000;
/// Repairs that are shown.
pub const MAX_REPAIRS: usize = 3;
/// Authorities between a certificate and a root; real ones have two.
pub const MAX_PATH_LEN: usize = 6;
/// Authorities that a scenario may put below a root; with the subject, a path of five.
pub const MAX_INTERMEDIATES: u32 = 3;
/// Times that a party looks up who is revoked before it decides about one message.
pub const MAX_LOOKUPS: usize = 8;
/// Certificates that an authority is said to have revoked before a play begins.
pub const MAX_CRL_HISTORY: usize = 200_000;
/// Times that one request is tried with another guess.
pub const MAX_REQUEST_TRIES: u32 = 1_000_000;
/// Requests in one scenario: ten for each of ten thousand clients.
pub const MAX_REQUESTS: usize = 100_000;
/// Variants in one scenario.
pub const MAX_VARIANTS: usize = 64;
/// Keys in one vault: all of them are in memory while it is unsealed.
pub const MAX_VAULT_KEYS: usize = 10_000;
/// Versions of one key that have not been trimmed: rotation without trimming.
pub const MAX_KEY_VERSIONS: usize = 10_000;
/// State changes that one key records; suspending and resuming, or scheduling and cancelling,
/// in a loop.
pub const MAX_KEY_CHANGES: usize = 10_000;
/// Bytes in the name of a party, and in that of a key, of its owner or of whoever acts on it.
pub const MAX_NAME_BYTES: usize = 128;
/// Bytes in a text, a ciphertext or a context that a vault is handed.
pub const MAX_VAULT_INPUT_BYTES: usize = 1 << 20;
/// Bytes in one encoded request to a vault, or answer: an input in hexadecimal, and its frame.
pub const MAX_VAULT_MESSAGE_BYTES: usize = 1 << 23;
/// Audit records in one answer; a longer log is read in pieces.
pub const MAX_AUDIT_PAGE: usize = 1_000;
/// Bytes in a vault's file: it is read whole, in pieces, to compare it with its anchor.
pub const MAX_VAULT_FILE_BYTES: u64 = 1 << 30;
/// Bytes of a vault's file that are in memory at a time while it is compared.
pub const VAULT_FILE_CHUNK: usize = 1 << 16;
/// Bytes in an anchor's file, which has some 250: another file that was named by mistake.
pub const MAX_ANCHOR_BYTES: u64 = 1_024;
/// Names that are tried for a temporary file: a folder full of what stopped processes left.
pub const MAX_TEMPORARY_NAMES: usize = 64;
/// Bytes in a secret that is split into shares; a sealing key has 32.
pub const MAX_SHARED_SECRET_BYTES: usize = 1_024;
/// Memory that stretching a password takes, in KiB: 19 MiB, the smallest that the OWASP password
/// storage cheat sheet permits for two passes. A system may have less to give.
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Memory that a sealed vault may ask Argon2id for, in KiB: 1 GiB. More is a tampered header.
pub const MAX_ARGON2_MEMORY_KIB: u32 = 1 << 20;
/// Passes that a sealed vault may ask Argon2id for.
pub const MAX_ARGON2_ITERATIONS: u32 = 64;
/// Principals or sources whose rate is watched at once; a flood from invented sources.
pub const MAX_TRACKED_RATES: usize = 100_000;
/// Documents that a vault keeps for a service: one for each principal, and two for each certificate.
pub const MAX_KEPT_DOCUMENTS: usize = 200_000;
/// Bytes in the body of one request to the service on sockets: an input of the vault in base64.
pub const MAX_LIVE_BODY_BYTES: usize = 1 << 21;
/// Bytes in the body of one request that needs no certificate: an OCSP request has some hundred.
pub const MAX_LIVE_OPEN_BODY_BYTES: usize = 1 << 16;
/// Bytes in the head of one request: a line and its headers, those of a browser included.
pub const MAX_LIVE_HEAD_BYTES: usize = 1 << 15;
/// Headers of one request.
pub const MAX_LIVE_HEADERS: usize = 64;
/// Connections that are open at a time, on each address.
pub const MAX_LIVE_CONNECTIONS: usize = 512;
/// Of which from one address.
pub const MAX_LIVE_CONNECTIONS_PER_SOURCE: usize = 128;
/// Requests that wait for the vault at a time: it does one after the other, some ms each.
pub const MAX_LIVE_WAITING: usize = 256;
/// Seconds that a client may take for its TLS handshake.
pub const LIVE_HANDSHAKE_SECONDS: u64 = 10;
/// Seconds that a client may take for the head of a request, or leave a connection idle.
pub const LIVE_HEAD_SECONDS: u64 = 30;
/// Seconds from a request's head to its answer.
pub const LIVE_REQUEST_SECONDS: u64 = 30;
/// Seconds that connections have to end when the service stops.
pub const LIVE_STOP_SECONDS: u64 = 10;
/// Requests without a certificate that are recorded, from one source in ten seconds: a flood of
/// them would fill the audit log. More are refused without a record.
pub const MAX_LIVE_STRANGERS: u32 = 50;
/// Requests of one client of which each is recorded, as multiples of what it may ask: a flood of
/// them would fill the audit log. More are refused without a record.
pub const LIVE_RECORDED_PER_PERMITTED: u32 = 2;
/// Tokens that are valid at a time: clients that log in anew for every request.
pub const MAX_LIVE_TOKENS: usize = 10_000;
/// Operations that wait for a second administrator's consent at a time.
pub const MAX_LIVE_CONSENTS: usize = 1_000;
/// Certificates that one served authority issues: all of its ledger is in memory.
pub const MAX_LIVE_CERTIFICATES: usize = 50_000;
/// Seconds from what a program is shown in a handshake to the first thing that it says: it may ask
/// others about certificates meanwhile.
pub const LIVE_JUDGING_SECONDS: u64 = 60;
/// Seconds that a question who is revoked waits for its answer, which the attacker may keep back.
pub const LIVE_STATUS_SECONDS: u64 = 8;
/// Seconds that a program under test may run.
pub const LIVE_PROGRAM_SECONDS: u64 = 120;
/// Bytes of what a program says first that are read.
pub const MAX_LIVE_WORD_BYTES: usize = 1 << 14;
/// Bytes of a passphrase that is read from a file descriptor.
pub const MAX_PASSPHRASE_BYTES: u64 = 1_024;
/// Items in one batch of a transit request.
pub const MAX_LIVE_BATCH: usize = 1_000;
/// Random bytes that one request may ask for.
pub const MAX_LIVE_RANDOM_BYTES: usize = 1 << 16;
/// Shares of which the attacker computes the logarithm in a play, some ms each.
pub const MAX_LOGARITHMS: usize = 1_000;
/// Fractions that she tries for logarithms modulo one prime: some 350,000 suffice.
pub const MAX_FRACTIONS: u64 = 50_000_000;
/// Intervals in which a text of RSA may lie, while its padding is asked about: a handful, for all
/// but the first answers.
pub const MAX_INTERVALS: usize = 10_000;
