//! What a field of a message is.

/// What a field of a message is, as its type on the wire says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// An agent's name.
    Name = 1,
    /// A public constant.
    Text,
    /// A nonce.
    Nonce,
    /// A symmetric key.
    Key,
    /// A Diffie–Hellman share or shared secret.
    Share,
    /// A public key.
    Public,
    /// A certificate.
    Certificate,
    /// A time stamp.
    Time,
    /// An expiry time.
    Expiry,
    /// Data of the application.
    Data,
    /// A ciphertext.
    Cipher,
    /// A signature.
    Signature,
    /// A message authentication code.
    Mac,
    /// A hash.
    Hash,
    /// An exclusive or of two values.
    Masked,
    /// A private key.
    Private,
    /// A secret exponent.
    Exponent,
    /// Several fields under one name: a whole message in a narration.
    List,
    /// A key to which secrets are encapsulated.
    Encapsulation,
    /// An encapsulated secret: the ciphertext of a KEM.
    Encapsulated,
    /// A key that decapsulates.
    Decapsulation,
    /// The random bytes of an encapsulation.
    Coins,
}

impl Kind {
    /// Every kind, by its number on the wire from 1.
    pub const ALL: [(Kind, &'static str); 22] = [
        (Kind::Name, "name"),
        (Kind::Text, "text"),
        (Kind::Nonce, "nonce"),
        (Kind::Key, "key"),
        (Kind::Share, "share"),
        (Kind::Public, "public"),
        (Kind::Certificate, "certificate"),
        (Kind::Time, "time"),
        (Kind::Expiry, "expiry"),
        (Kind::Data, "data"),
        (Kind::Cipher, "cipher"),
        (Kind::Signature, "signature"),
        (Kind::Mac, "mac"),
        (Kind::Hash, "hash"),
        (Kind::Masked, "masked"),
        (Kind::Private, "private"),
        (Kind::Exponent, "exponent"),
        (Kind::List, "list"),
        (Kind::Encapsulation, "encapsulation-key"),
        (Kind::Encapsulated, "encapsulated"),
        (Kind::Decapsulation, "decapsulation-key"),
        (Kind::Coins, "coins"),
    ];

    /// The word for it in files and logs.
    pub fn word(self) -> &'static str {
        Kind::ALL[self as usize - 1].1
    }

    /// The kind with this number on the wire.
    pub fn from_tag(tag: u8) -> Option<Kind> {
        Kind::ALL.get(usize::from(tag).checked_sub(1)?).map(|k| k.0)
    }
}
