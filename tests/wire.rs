//! Whatever is written on the wire is read back as it was, in every encoding; whatever
//! arrives, reading it never panics.

use mallory::notation::Kind;
use mallory::wire::{Encoding, Expected, Field, Widths};
use proptest::prelude::*;

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.iter().map(|k| k.0).filter(|k| *k != Kind::List).collect::<Vec<_>>())
}

/// A field's bytes: padded kinds do not end in the padding.
fn fields() -> impl Strategy<Value = Vec<(Kind, Vec<u8>)>> {
    prop::collection::vec((kinds(), prop::collection::vec(1..=255u8, 0..64)), 1..8)
}

fn write(encoding: &Encoding, fields: &[(Kind, Vec<u8>)], width: Option<usize>) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, bytes) in fields {
        let padded = matches!(kind, Kind::Name | Kind::Data);
        let width = if padded { width } else { None };
        encoding.write(Field { kind: *kind, bytes, width }, &mut out).unwrap();
    }
    out
}

proptest! {
    #[test]
    fn tagged_fields_come_back(fields in fields()) {
        for encoding in [Encoding::Tagged, Encoding::Labelled] {
            let bytes = write(&encoding, &fields, None);
            let expected: Vec<Expected> = fields.iter().map(|(k, _)| Expected { kind: Some(*k), ..Expected::default() }).collect();
            let read = encoding.split(&bytes, &expected).unwrap();
            for ((kind, bytes_in), (read_kind, range)) in fields.iter().zip(read) {
                prop_assert_eq!(*kind, read_kind);
                prop_assert_eq!(bytes_in.as_slice(), &bytes[range]);
            }
        }
    }

    #[test]
    fn untagged_fields_come_back(fields in fields(), open in any::<prop::sample::Index>()) {
        let encoding = Encoding::Untagged(Widths::default());
        let bytes = write(&encoding, &fields, Some(64));
        let open = open.index(fields.len());
        let expected: Vec<Expected> = fields.iter().enumerate().map(|(at, (kind, bytes))| Expected {
            kind: Some(*kind),
            width: match (at == open, kind) {
                (true, _) => None,
                (_, Kind::Name | Kind::Data) => Some(64),
                _ => Some(bytes.len()),
            },
            elastic: false,
        }).collect();
        let read = encoding.split(&bytes, &expected).unwrap();
        for ((_, bytes_in), (_, range)) in fields.iter().zip(read) {
            prop_assert_eq!(bytes_in.as_slice(), &bytes[range]);
        }
    }

    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..256), widths in prop::collection::vec(prop::option::of(0..80usize), 0..6)) {
        let expected: Vec<Expected> = widths.iter().map(|w| Expected { kind: None, width: *w, elastic: w.is_some_and(|w| w % 2 == 0) }).collect();
        for encoding in [Encoding::Tagged, Encoding::Untagged(Widths::default()), Encoding::Labelled] {
            let _ = encoding.split(&bytes, &expected);
        }
    }

    #[test]
    fn another_type_is_refused(fields in fields(), at in any::<prop::sample::Index>(), other in kinds()) {
        let bytes = write(&Encoding::Tagged, &fields, None);
        let at = at.index(fields.len());
        prop_assume!(fields[at].0 != other);
        let mut expected: Vec<Expected> = fields.iter().map(|(k, _)| Expected { kind: Some(*k), ..Expected::default() }).collect();
        expected[at].kind = Some(other);
        prop_assert_eq!(Encoding::Tagged.split(&bytes, &expected), Err(mallory::reason::Reason::WrongType));
    }
}
