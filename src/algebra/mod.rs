//! The algebra: every primitive, defined once. The notation asks a definition how a term is
//! written and of what kind it is, the planner what a reader can do with it, parties how its
//! bytes are made and undone, the verdict what follows from what, and evidence how that is told.
//! A new primitive is a file here and a line in the list below.
//!
//! Must not know protocols, parties or who knows what.

mod agents;
mod cipher;
mod hash;
mod kdf;
mod kem;
mod mac;
pub mod made;
pub mod pair;
mod power;
mod short;
mod sign;
mod step;
mod stretch;
pub mod value;
mod xor;

use crate::crypto::{Rng, Suite};
use crate::reason::Reason;
use crate::wire::Kind;
use zeroize::Zeroizing;

pub use made::{Binding, How, Inputs, Label, Made, Part, Parts, Provenance, encode, kind_of};
pub use pair::{Private, Public};
pub use sign::{sign_again, signed_bytes};
pub use step::step;
pub use value::{Bytes, Value, fingerprint};
pub use xor::xor;

/// The outcome of a computation: a value, or the check that failed.
pub type Result<T> = std::result::Result<T, Reason>;

/// Everything that there is to know of a primitive.
pub struct Definition {
    /// Its name: in the notation, of those that are written as functions.
    pub name: &'static str,
    /// How it is written.
    pub syntax: Syntax,
    /// Whether the order of its arguments does not matter.
    pub unordered: bool,
    /// The kind of its result.
    pub gives: Gives,
    /// What can be done with it.
    pub form: Form,
    /// Whether making it takes an exponentiation, a signature or a public-key encryption.
    pub costs_public_key_operation: bool,
    /// How evidence tells that somebody computed it.
    pub told: Told,
}

/// How a primitive is written in the notation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Syntax {
    /// `f(X, Y)`: so many agents.
    Agents(usize),
    /// `f(K, M…)`: a key, then terms. A password is stretched before it is the key.
    Keyed,
    /// `f(sk(X), M…)`: a private key, then terms.
    Signed,
    /// `f(x, y)`: so many names of values.
    Names(usize),
    /// `f(M…)`: terms, at least and at most so many.
    Terms(usize, usize),
    /// In a way of its own, as `{M}K` and `g^x`, or not at all.
    Special,
}

/// The kind of a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gives {
    /// Always this one.
    Kind(Kind),
    /// That of the first argument.
    First,
}

/// What can be done with a primitive: by its maker, by a reader, by whoever holds parts of it.
#[derive(Clone, Copy)]
pub enum Form {
    /// A key or a document of agents: had by right or received, not computed from terms.
    OfAgents,
    /// Computed from its arguments, alike each time; nothing follows from the result.
    OneWay(&'static dyn OneWay),
    /// Made from a key and a text, another each time; the text follows from result and key.
    Cipher(&'static dyn Cipher),
    /// Made with a private key, by some algorithms alike each time, and verified with the public
    /// one; nothing follows from it.
    Signature,
    /// The argument and the result follow from one another: one up, or one down.
    Step {
        /// Whether the result is the greater.
        up: bool,
    },
    /// Each of the result and the arguments follows from all others.
    Sum,
    /// A power of `g`: who has one of the exponents makes it from the power without that one.
    Power,
    /// A key, a ciphertext or a secret of a KEM: made from the public key and random bytes; the
    /// secret also from the private key and the ciphertext. Alike each time.
    Encapsulation(Encapsulation),
}

/// What of a KEM something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encapsulation {
    /// The public key, of the private one.
    Key,
    /// The ciphertext, of the public key and random bytes.
    Ciphertext,
    /// The secret, of the same.
    Secret,
    /// The secret, of the private key and the ciphertext.
    Opened,
}

/// Computes a result that cannot be undone.
pub trait OneWay: Sync {
    /// The result's bytes, of which the kind is the definition's.
    ///
    /// # Errors
    /// `malformed` if an argument does not fit its width.
    fn compute(&self, of: &Inputs<'_>) -> Result<Bytes>;
    /// The length of a result in bytes.
    fn result_len(&self) -> usize {
        32
    }
}

/// Encrypts to a key and opens with its other half, which may be the same.
pub trait Cipher: Sync {
    /// A ciphertext of `plain`, bound to `label`.
    ///
    /// # Errors
    /// `malformed` if the key is none of this cipher's.
    fn seal(&self, key: &Value, label: &[u8], plain: &[u8], suite: Suite, rng: &mut Rng) -> Result<Vec<u8>>;
    /// The text inside.
    ///
    /// # Errors
    /// `decrypt-failed`, whatever inside the cipher noticed it.
    fn open(&self, opener: &Value, label: &[u8], sealed: &[u8], suite: Suite) -> Result<Zeroizing<Vec<u8>>>;
    /// Whether it takes the private half of a pair to open.
    fn is_asymmetric(&self) -> bool;
    /// The length of a ciphertext of so many bytes, without a label.
    fn sealed_len(&self, plain: usize, suite: Suite) -> usize;
}

/// How evidence tells of a computation: "she derives a key from a, b and has …".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// Before the arguments.
    pub verb: &'static str,
    /// Between them.
    pub between: &'static str,
}

macro_rules! primitives {
    ($($(#[$doc:meta])* $name:ident = $definition:path,)+) => {
        /// The primitives.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Func { $($(#[$doc])* $name,)+ }

        impl Func {
            /// Every primitive.
            pub const ALL: &'static [Func] = &[$(Func::$name,)+];

            /// What there is to know of it.
            pub fn definition(self) -> &'static Definition {
                match self { $(Func::$name => &$definition,)+ }
            }
        }
    };
}

primitives! {
    /// `pk(X)`: the public key of an agent or of a fresh `keypair`.
    Pk = agents::PK,
    /// `sk(X)`: the private key of an agent or of a fresh `keypair`.
    Sk = agents::SK,
    /// `k(X,Y)`: the long-term key that X and Y share.
    K = agents::K,
    /// `pw(X,Y)`: the password that X and Y share.
    Pw = agents::PW,
    /// `cert(X)`: X's certificate.
    Cert = agents::CERT,
    /// `sign(sk(X), M…)`: a detached signature.
    Sign = sign::SIGN,
    /// `mac(K, M…)`: a message authentication code.
    Mac = mac::MAC,
    /// `h(M…)`: a hash.
    Hash = hash::HASH,
    /// `short(M…)`: a hash that is cut to a few bits.
    Short = short::SHORT,
    /// `kdf(M…)`: key derivation; string arguments are labels.
    Kdf = kdf::KDF,
    /// `succ(N)`: N + 1.
    Succ = step::SUCC,
    /// `pred(N)`: N − 1.
    Pred = step::PRED,
    /// `xor(M, N)`: bitwise exclusive or of equally long values.
    Xor = xor::XOR,
    /// `{M…}K` under a symmetric key: of the key and the text.
    Encrypt = cipher::ENCRYPT,
    /// `{M…}pk(X)`: of the public key and the text.
    EncryptTo = cipher::ENCRYPT_TO,
    /// What a vault hands out for a text: of its key's version and the text.
    Frame = cipher::FRAME,
    /// `g^x`: of the exponent.
    Share = power::SHARE,
    /// `g^x^y`: of an exponent and a share.
    Agree = power::AGREE,
    /// `ek(d)`: the encapsulation key of a decapsulation key.
    Ek = kem::EK,
    /// `encap(d, r)`: the ciphertext of an encapsulation to `ek(d)` with the random bytes r.
    Encap = kem::ENCAP,
    /// `ss(d, r)`: the secret of the same.
    Secret = kem::SECRET,
    /// The same secret, of the decapsulation key and the ciphertext.
    Decap = kem::DECAP,
    /// A key stretched from a password.
    Stretch = stretch::STRETCH,
}

impl Func {
    /// The name in the notation.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Those that are written as functions.
    pub fn written() -> impl Iterator<Item = Func> {
        Func::ALL.iter().copied().filter(|f| f.definition().syntax != Syntax::Special)
    }

    /// The numbers of arguments that it takes, at least and at most.
    pub fn arity(self) -> (usize, usize) {
        match self.definition().syntax {
            Syntax::Agents(count) | Syntax::Names(count) => (count, count),
            Syntax::Keyed | Syntax::Signed => (2, usize::MAX),
            Syntax::Terms(least, most) => (least, most),
            Syntax::Special => (0, 0),
        }
    }

    /// Whether its arguments are agents.
    pub fn is_of_agents(self) -> bool {
        matches!(self.definition().syntax, Syntax::Agents(_))
    }
}
