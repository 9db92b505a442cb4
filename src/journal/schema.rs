//! How a kind of event is declared, and what follows from it: its word, its level, its fields in
//! JSON, the secrets that it carries, its event in `tracing`. Must not know the kinds.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::matter::{Refusal, SessionId, Sight, Told};
use crate::algebra::{Bytes, Value};
use crate::reason::Reason;
use crate::time::Span;

/// What is declared of a kind of event.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its word in JSON.
    pub word: &'static str,
    /// The level at which it is told.
    pub level: tracing::Level,
    /// The names of its fields in JSON, in their order.
    pub fields: &'static [&'static [&'static str]],
}

/// Declares the kinds of event. A field's form is one of
///
/// - `plain("name")`: text, a count, a reason, nothing;
/// - `text("name")`: a number that may be above 2^53, as text;
/// - `nanos("name")`: a span in nanoseconds, as text;
/// - `print("name")`: bytes that are no secret, or are told elsewhere, as a fingerprint;
/// - `secret("name")`: a value that somebody came to hold, as a fingerprint; the key log has it;
/// - `flat()`: the fields of what it is, side by side with the others;
/// - `unseen()`: for other views only.
macro_rules! events {
    ($($(#[$doc:meta])* $kind:ident $word:literal $level:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty => $form:ident($($name:literal)?),)*
    })+) => {
        /// What happened. A journal has millions, so what is large and rare lies elsewhere.
        #[derive(Clone, Debug)]
        pub enum What {
            $($(#[$doc])* $kind { $($(#[$field_doc])* $field: $type,)* },)+
        }

        impl What {
            /// What is declared of each kind, in order.
            pub const KINDS: &'static [$crate::journal::Kind] = &[$($crate::journal::Kind {
                word: $word,
                level: tracing::Level::$level,
                fields: &[$($crate::journal::schema::names!($form $type $(, $name)?)),*],
            }),+];

            /// The word for this kind of event in JSON.
            pub fn word(&self) -> &'static str {
                match self { $(What::$kind { .. } => $word,)+ }
            }

            /// The level at which it is told.
            pub fn level(&self) -> tracing::Level {
                match self { $(What::$kind { .. } => tracing::Level::$level,)+ }
            }

            /// The secrets that somebody came to hold by it.
            pub fn secrets(&self) -> Vec<&$crate::algebra::Value> {
                #[allow(unused_mut, reason = "most kinds have none")]
                let mut all = Vec::new();
                match self {
                    $(What::$kind { $($field,)* } => {
                        $($crate::journal::schema::secrets!($form $field, all);)*
                    })+
                }
                all
            }

            /// Adds its fields to an object.
            pub(super) fn tell(&self, object: &mut serde_json::Map<String, serde_json::Value>) {
                match self {
                    $(What::$kind { $($field,)* } => {
                        $($crate::journal::schema::tell!($form $field, object $(, $name)?);)*
                    })+
                }
            }

            /// Has whoever subscribes know of it: a target and a level of its own, so that it can be
            /// filtered, and no cost while nobody does.
            pub(super) fn trace(&self, event: u64, time_ns: u64, json: &dyn Fn() -> String) {
                match self {
                    $(What::$kind { .. } => tracing::event!(
                        target: concat!("mallory::event::", $word),
                        tracing::Level::$level,
                        event,
                        time_ns,
                        json = %json(),
                    ),)+
                }
            }
        }
    };
}
pub(super) use events;

macro_rules! names {
    (unseen $type:ty) => {
        &[]
    };
    (flat $type:ty) => {
        <$type as $crate::journal::schema::Flat>::NAMES
    };
    ($form:ident $type:ty, $name:literal) => {
        &[$name]
    };
}
pub(super) use names;

macro_rules! secrets {
    (secret $field:ident, $all:ident) => {
        $all.extend($crate::journal::schema::value($field))
    };
    ($form:ident $field:ident, $all:ident) => {
        let _ = $field;
    };
}
pub(super) use secrets;

macro_rules! tell {
    (unseen $field:ident, $object:ident) => {
        let _ = $field;
    };
    (flat $field:ident, $object:ident) => {
        $crate::journal::schema::Flat::tell($field, $object)
    };
    (plain $field:ident, $object:ident, $name:literal) => {
        $object.insert($name.into(), $crate::journal::schema::Plain::plain($field))
    };
    (text $field:ident, $object:ident, $name:literal) => {
        $object.insert($name.into(), $field.to_string().into())
    };
    (nanos $field:ident, $object:ident, $name:literal) => {
        $object.insert($name.into(), $field.0.to_string().into())
    };
    (print $field:ident, $object:ident, $name:literal) => {
        $object.insert($name.into(), $crate::journal::schema::Print::print($field))
    };
    (secret $field:ident, $object:ident, $name:literal) => {
        $object.insert($name.into(), $crate::journal::schema::Print::print($field))
    };
}
pub(super) use tell;

/// A field that is one value of JSON.
pub(super) trait Plain {
    fn plain(&self) -> Json;
}

macro_rules! plain {
    ($($type:ty: $of:ident => $json:expr;)+) => {
        $(impl Plain for $type {
            fn plain(&self) -> Json {
                let $of = self;
                $json.into()
            }
        })+
    };
}

plain! {
    str: text => text;
    String: text => text.as_str();
    u32: number => *number;
    // Counts of what a play has, which limits keep far below 2^53.
    u64: number => *number;
    usize: number => *number;
    bool: flag => *flag;
    Reason: reason => reason.word();
}

impl<T: Plain + ?Sized> Plain for Arc<T> {
    fn plain(&self) -> Json {
        (**self).plain()
    }
}

impl<T: Plain + ?Sized> Plain for Box<T> {
    fn plain(&self) -> Json {
        (**self).plain()
    }
}

impl<T: Plain + ?Sized> Plain for &T {
    fn plain(&self) -> Json {
        (**self).plain()
    }
}

impl<T: Plain> Plain for Option<T> {
    fn plain(&self) -> Json {
        self.as_ref().map_or(Json::Null, Plain::plain)
    }
}

/// A field that is told as a fingerprint.
pub(super) trait Print {
    fn print(&self) -> Json;
}

impl Print for Bytes {
    fn print(&self) -> Json {
        self.fingerprint().into()
    }
}

impl Print for Value {
    fn print(&self) -> Json {
        self.fingerprint().into()
    }
}

impl<T: Print> Print for Box<T> {
    fn print(&self) -> Json {
        (**self).print()
    }
}

impl<T: Print> Print for Option<T> {
    fn print(&self) -> Json {
        self.as_ref().map_or(Json::Null, Print::print)
    }
}

/// The value in a field, if it has one.
pub(super) fn value(field: &impl Valued) -> Option<&Value> {
    field.value()
}

/// A field with a value, or with none.
pub(super) trait Valued {
    fn value(&self) -> Option<&Value>;
}

impl Valued for Value {
    fn value(&self) -> Option<&Value> {
        Some(self)
    }
}

impl Valued for Box<Value> {
    fn value(&self) -> Option<&Value> {
        Some(self)
    }
}

impl<T: Valued> Valued for Option<T> {
    fn value(&self) -> Option<&Value> {
        self.as_ref().and_then(Valued::value)
    }
}

/// A field that is several fields of JSON.
pub(super) trait Flat {
    const NAMES: &'static [&'static str];

    fn tell(&self, object: &mut Map<String, Json>);
}

impl Flat for Arc<SessionId> {
    const NAMES: &'static [&'static str] = &["run", "party", "role", "protocol", "nth"];

    fn tell(&self, object: &mut Map<String, Json>) {
        object.insert("run".into(), self.run.into());
        object.insert("party".into(), (*self.party).into());
        object.insert("role".into(), (*self.role).into());
        object.insert("protocol".into(), (*self.protocol).into());
        object.insert("nth".into(), self.nth.into());
    }
}

impl Flat for Arc<Sight> {
    const NAMES: &'static [&'static str] =
        &["message", "run", "protocol", "line", "question", "from", "to", "text", "bytes", "fingerprint"];

    fn tell(&self, object: &mut Map<String, Json>) {
        object.insert("message".into(), self.id.into());
        object.insert("run".into(), self.run.into());
        object.insert("protocol".into(), (*self.protocol).into());
        object.insert("line".into(), self.line.into());
        object.insert("question".into(), self.question.into());
        object.insert("from".into(), (*self.from).into());
        object.insert("to".into(), (*self.to).into());
        object.insert("text".into(), self.shown.text().into());
        object.insert("bytes".into(), self.bytes.len().into());
        object.insert("fingerprint".into(), self.bytes.fingerprint().into());
    }
}

impl Flat for Refusal {
    const NAMES: &'static [&'static str] = &["line", "reason"];

    fn tell(&self, object: &mut Map<String, Json>) {
        object.insert("line".into(), self.line.into());
        object.insert("reason".into(), self.reason.word().into());
    }
}

impl Flat for Option<Box<Told>> {
    const NAMES: &'static [&'static str] = &["crl_ns", "ocsp_ns"];

    fn tell(&self, object: &mut Map<String, Json>) {
        let nanos = |span: Option<Span>| span.map_or(Json::Null, |span| span.0.to_string().into());
        let of = |at: fn(&Told) -> u64| nanos(self.as_deref().map(|told| Span(at(told))));
        object.insert("crl_ns".into(), of(|told| told.crl.0));
        object.insert("ocsp_ns".into(), of(|told| told.ocsp.0));
    }
}
