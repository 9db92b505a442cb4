//! The certificates that the attacker can have for the asking: those that the authority issued
//! before the play, and each that it has granted since, which went over the wire. Must not know
//! what they are for.

use std::collections::BTreeMap;

use crate::algebra::{Private, Public, Value};
use crate::journal::Sight;
use crate::notation::Name;
use crate::party::{CA_PROTOCOL, Cast};
use crate::pki::{Answer, Certificates, Record, RecordKind};

/// Every party's certificates, the newest last.
#[derive(Default)]
pub struct Directory(BTreeMap<Name, Vec<Issued>>);

/// What one answer of the authority's certified.
struct Issued {
    certificates: Certificates,
    keys: Public,
}

impl Issued {
    fn of(certificates: Certificates) -> Issued {
        let key = |der: &Vec<u8>| {
            let inside = Record::read(RecordKind::Certificate, der)?.inside;
            inside.into_iter().find(|(kind, _)| *kind == RecordKind::PublicKey).map(|(_, key)| key)
        };
        let keys = Public {
            encryption: certificates.encryption.as_ref().and_then(key),
            signature: certificates.signature.as_ref().and_then(key),
        };
        Issued { certificates, keys }
    }

    /// Whether the certified keys are those of this private key, as far as both go.
    fn is_for(&self, private: &Private) -> bool {
        let of = private.public();
        let same = |a: &Option<Vec<u8>>, b: &Option<Vec<u8>>| a.is_none() || b.is_none() || a == b;
        same(&self.keys.encryption, &of.encryption) && same(&self.keys.signature, &of.signature)
    }
}

impl Directory {
    /// What was issued before the play.
    pub fn new(cast: &Cast) -> Directory {
        let mut directory = Directory::default();
        for (name, value) in &cast.certificates {
            if let Ok(certificates) = Certificates::from_bytes(&value.bytes) {
                directory.0.entry(name.clone()).or_default().push(Issued::of(certificates));
            }
        }
        directory
    }

    /// Files what the authority grants to a party in its own name.
    pub fn note(&mut self, message: &Sight) {
        if *message.protocol != *CA_PROTOCOL || message.line != 2 {
            return;
        }
        let Ok(Answer::Granted(certificates)) = Answer::read(&message.bytes) else { return };
        let subject =
            |der: &[u8]| Record::read(RecordKind::Certificate, der).and_then(|record| record.subject);
        if certificates.subjects().filter_map(subject).any(|subject| *subject == *message.to) {
            self.0.entry(message.to.clone()).or_default().push(Issued::of(certificates));
        }
    }

    /// A party's newest certificates: for this private key, if there are any for it.
    pub fn newest(&self, name: &str, key: Option<&Private>) -> Option<&Certificates> {
        let all = self.0.get(name)?;
        let fitting = |key: &Private| all.iter().rev().find(|issued| issued.is_for(key));
        key.and_then(fitting).or(all.last()).map(|issued| &issued.certificates)
    }

    /// Every certificate of a party, DER.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0.get(name).into_iter().flatten().flat_map(|issued| issued.certificates.subjects())
    }

    /// The keys that a party has now, if they were certified after the play began.
    pub fn keys_since(&self, name: &str) -> Option<Value> {
        match self.0.get(name)?.as_slice() {
            [_, .., newest] => Some(newest.keys.to_value()),
            _ => None,
        }
    }
}
