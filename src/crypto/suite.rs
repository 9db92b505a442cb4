//! The names of the algorithms and the suite that a scenario chooses from them.
//! Must not know how any of them works.

use std::fmt;
use std::str::FromStr;

macro_rules! choices {
    ($(#[$doc:meta])* $type:ident {
        $(#[$first_doc:meta])* $first:ident = $first_name:literal,
        $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub enum $type {
            $(#[$first_doc])* #[default] $first,
            $($(#[$variant_doc])* $variant,)+
        }

        impl $type {
            /// Every choice, the default first.
            pub const ALL: &'static [$type] = &[$type::$first, $($type::$variant,)+];

            /// The name that scenario files and logs use.
            pub fn name(self) -> &'static str {
                match self {
                    $type::$first => $first_name,
                    $($type::$variant => $name,)+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = ();

            fn from_str(name: &str) -> Result<Self, ()> {
                $type::ALL.iter().copied().find(|choice| choice.name() == name).ok_or(())
            }
        }
    };
}

choices! {
    /// How a text is sealed under a shared key.
    Symmetric {
        /// AES-256-CBC, then HMAC-SHA-256 over the ciphertext (encrypt-then-MAC).
        Aes256CbcHmacSha256 = "aes-256-cbc-hmac-sha256",
        /// As the first, but the tag leaves out the IV: who changes it changes the first block.
        Aes256CbcHmacSha256WithoutIv = "aes-256-cbc-hmac-sha256-without-iv",
        /// AES-256-CBC alone (SP 800-38A §6.2): secret, but malleable.
        Aes256Cbc = "aes-256-cbc",
        /// AES-256-GCM (SP 800-38D).
        Aes256Gcm = "aes-256-gcm",
        /// The same with a counter for a nonce that begins anew with each text: all have one nonce.
        Aes256GcmRepeatedNonce = "aes-256-gcm-repeated-nonce",
    }
}

impl Symmetric {
    /// What is known to be wrong with it, in words.
    pub fn weakness(self) -> Option<&'static str> {
        match self {
            Symmetric::Aes256CbcHmacSha256 | Symmetric::Aes256Gcm => None,
            Symmetric::Aes256CbcHmacSha256WithoutIv => Some("its tag does not cover the IV"),
            Symmetric::Aes256GcmRepeatedNonce => Some("all texts under one key have one nonce"),
            Symmetric::Aes256Cbc => Some("nothing tells whether a ciphertext was changed"),
        }
    }
}

choices! {
    /// How a text is encrypted to the holder of a public key.
    PublicKeyEncryption {
        /// RSA-2048 with OAEP, SHA-256 and MGF1-SHA-256 (RFC 8017 §7.1).
        Rsa2048Oaep = "rsa-2048-oaep",
        /// The same by holders whose generators all give the same first prime, as those of devices do
        /// that draw it as they are switched on.
        Rsa2048OaepSharedPrime = "rsa-2048-oaep-shared-prime",
        /// RSA-2048 with the padding that Bleichenbacher broke (RFC 8017 §7.2).
        Rsa2048Pkcs1v15 = "rsa-2048-pkcs1v15",
        /// The same with 1,024 bits.
        Rsa1024Pkcs1v15 = "rsa-1024-pkcs1v15",
        /// The same by a holder who refuses a wrong padding with a reason of its own.
        Rsa1024Pkcs1v15Telling = "rsa-1024-pkcs1v15-telling",
    }
}

impl PublicKeyEncryption {
    /// What is known to be wrong with it, in words.
    pub fn weakness(self) -> Option<&'static str> {
        match self {
            PublicKeyEncryption::Rsa2048Oaep | PublicKeyEncryption::Rsa2048Pkcs1v15 => None,
            PublicKeyEncryption::Rsa2048OaepSharedPrime => Some("all keys have one prime in common"),
            PublicKeyEncryption::Rsa1024Pkcs1v15 => Some("1,024 bits have the strength of 80 at most"),
            PublicKeyEncryption::Rsa1024Pkcs1v15Telling => Some("it tells whether a padding is right"),
        }
    }
}

choices! {
    /// How a message is signed.
    Signature {
        /// Ed25519 (RFC 8032 §5.1).
        Ed25519 = "ed25519",
        /// RSA-2048 with PSS, SHA-256 and a salt of 32 bytes (RFC 8017 §8.1).
        Rsa2048Pss = "rsa-2048-pss",
        /// ECDSA over P-256 with SHA-256 (FIPS 186-5 §6), nonces by RFC 6979.
        EcdsaP256 = "ecdsa-p256",
        /// The same by a signer with one nonce for all of its signatures.
        EcdsaP256RepeatedNonce = "ecdsa-p256-repeated-nonce",
        /// ML-DSA-65, which no quantum computer is known to break (FIPS 204), the deterministic
        /// variant, with an empty context (§5.2, §3.4).
        MlDsa65 = "ml-dsa-65",
    }
}

impl Signature {
    /// Whether one message has one signature by one key: Ed25519 and ML-DSA as it is used here
    /// draw nothing, and ECDSA takes its nonces by RFC 6979.
    pub fn is_deterministic(self) -> bool {
        match self {
            Signature::Ed25519
            | Signature::EcdsaP256
            | Signature::EcdsaP256RepeatedNonce
            | Signature::MlDsa65 => true,
            Signature::Rsa2048Pss => false,
        }
    }

    /// Whether a quantum computer finds the private key in the public one (Shor, FOCS 1994).
    pub fn falls_to_quantum(self) -> bool {
        match self {
            Signature::Ed25519
            | Signature::Rsa2048Pss
            | Signature::EcdsaP256
            | Signature::EcdsaP256RepeatedNonce => true,
            Signature::MlDsa65 => false,
        }
    }

    /// The algorithm by which its signatures verify, and of which its public keys are.
    pub fn verifies_as(self) -> Signature {
        match self {
            Signature::EcdsaP256RepeatedNonce => Signature::EcdsaP256,
            Signature::Ed25519 | Signature::Rsa2048Pss | Signature::EcdsaP256 | Signature::MlDsa65 => self,
        }
    }

    /// What is known to be wrong with it, in words.
    pub fn weakness(self) -> Option<&'static str> {
        match self {
            Signature::EcdsaP256RepeatedNonce => Some("all signatures of one key have one nonce"),
            Signature::Ed25519 | Signature::Rsa2048Pss | Signature::EcdsaP256 | Signature::MlDsa65 => None,
        }
    }
}

choices! {
    /// How two parties agree on a secret (Diffie–Hellman).
    Agreement {
        /// X25519 (RFC 7748 §5).
        X25519 = "x25519",
        /// The same without a look at what comes out: shares of small order are taken.
        X25519Unchecked = "x25519-unchecked",
        /// ECDH over P-256 (SP 800-56A rev. 3 §5.7.1.2).
        P256 = "p256",
        /// Finite-field Diffie–Hellman in ffdhe2048 (RFC 7919 appendix A.1).
        Ffdhe2048 = "ffdhe2048",
        /// The same in ffdhe3072 (RFC 7919 appendix A.2).
        Ffdhe3072 = "ffdhe3072",
        /// The same in a subgroup of prime order of 256 bits modulo a prime of 2048 bits.
        Modp2048 = "modp-2048",
        /// The same without a look whether a share lies in the subgroup.
        Modp2048Unchecked = "modp-2048-unchecked",
        /// The same modulo a safe prime of 64 bits.
        Modp64 = "modp-64",
    }
}

impl Agreement {
    /// What is known to be wrong with it, in words.
    pub fn weakness(self) -> Option<&'static str> {
        match self {
            Agreement::X25519Unchecked => Some("it takes shares of small order, which give zero"),
            Agreement::Modp2048Unchecked => {
                Some("it takes shares outside the subgroup, whose order is small")
            }
            Agreement::Modp64 => Some("logarithms modulo a prime of 64 bits take a second"),
            Agreement::X25519
            | Agreement::P256
            | Agreement::Ffdhe2048
            | Agreement::Ffdhe3072
            | Agreement::Modp2048 => None,
        }
    }

    /// Bits of strength against an attacker without a quantum computer (SP 800-57 part 1 rev. 5,
    /// table 2). Modulo a prime of 64 bits it is what index calculus takes: some 2^19 fractions,
    /// once for all shares.
    pub fn strength(self) -> u32 {
        match self {
            Agreement::X25519 | Agreement::X25519Unchecked | Agreement::P256 | Agreement::Ffdhe3072 => 128,
            Agreement::Ffdhe2048 | Agreement::Modp2048 | Agreement::Modp2048Unchecked => 112,
            Agreement::Modp64 => 19,
        }
    }
}

/// Groups that parties compute in beside a suite's own, where a protocol lets them choose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Groups(u16);

impl Groups {
    /// These and one more.
    #[must_use]
    pub fn with(self, group: Agreement) -> Groups {
        Groups(self.0 | 1 << group as u16)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Agreement> {
        Agreement::ALL.iter().copied().filter(move |group| self.0 >> *group as u16 & 1 == 1)
    }
}

choices! {
    /// How a secret is encapsulated to the holder of a key.
    Kem {
        /// ML-KEM-768 (FIPS 203).
        MlKem768 = "ml-kem-768",
        /// ML-KEM-768 and X25519 side by side, as TLS has it (draft-ietf-tls-ecdhe-mlkem).
        X25519MlKem768 = "x25519-mlkem768",
        /// The same two, hashed together (draft-connolly-cfrg-xwing-kem).
        XWing = "x-wing",
    }
}

/// One algorithm of each kind: what a scenario rehearses with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Suite {
    /// Sealing under a shared key.
    pub symmetric: Symmetric,
    /// Encryption to a public key.
    pub public_key: PublicKeyEncryption,
    /// Signatures.
    pub signature: Signature,
    /// Key agreement.
    pub agreement: Agreement,
    /// Groups beside that one; no two have shares of one length.
    pub groups: Groups,
    /// Key encapsulation.
    pub kem: Kem,
    /// Short hashes.
    pub short: ShortBits,
}

/// To how many bits a short hash is cut: 20, as ZRTP's authentication strings are (RFC 6189 §5.1.6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShortBits(pub u16);

impl Default for ShortBits {
    fn default() -> Self {
        ShortBits(20)
    }
}

impl ShortBits {
    /// Bytes of a short hash.
    pub fn bytes(self) -> usize {
        usize::from(self.0).div_ceil(8)
    }
}

impl Suite {
    /// All groups that parties compute in, the suite's own first.
    pub fn all_groups(self) -> impl Iterator<Item = Agreement> {
        std::iter::once(self.agreement).chain(self.groups.iter())
    }

    /// The group of a share: the one whose shares have this length; the suite's own if none has.
    pub fn group_of(self, share: &[u8]) -> Agreement {
        self.groups.iter().find(|group| group.share_len() == share.len()).unwrap_or(self.agreement)
    }

    /// Bytes of the longest share.
    pub fn longest_share(self) -> usize {
        self.all_groups().map(Agreement::share_len).max().unwrap_or(0)
    }
}
