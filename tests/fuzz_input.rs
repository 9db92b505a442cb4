//! Whatever a file says, reading it ends in a scenario or in problems, never in a panic;
//! and what the notation shows, it reads back.

use std::ops::Range;

use mallory::Scenario;
use mallory::notation::{Func, Quoted, Term, goal, parse};
use mallory::scenario::{ProtocolFile, protocols, scenarios};
use proptest::collection::vec;
use proptest::prelude::*;

/// Reads a text as a scenario and as a protocol, and shows what is wrong with it.
fn read(text: &str) {
    let scenario = Scenario::from_text("mutant", text).map(drop);
    let file = std::sync::Arc::new(mallory::scenario::Text { name: "mutant".into(), text: text.into() });
    let protocol = ProtocolFile::from_text(&file, "mutant").map(drop);
    for problem in [scenario, protocol].into_iter().filter_map(Result::err).flat_map(|problems| problems.0) {
        assert!(!problem.render(false).is_empty() && !problem.to_string().is_empty());
        assert!(!problem.message.is_empty());
    }
}

/// What happens to a text.
#[derive(Clone, Debug)]
enum Mutation {
    Delete(Range<f64>),
    Repeat(Range<f64>),
    Replace(Range<f64>, Vec<u8>),
    Move(Range<f64>, f64),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |share: f64| (share * bytes.len() as f64) as usize;
        match self {
            Mutation::Delete(at) => drop(bytes.drain(place(at.start)..place(at.end))),
            Mutation::Repeat(at) => {
                let range = place(at.start)..place(at.end);
                let slice = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, slice);
            }
            Mutation::Replace(at, with) => {
                bytes.splice(place(at.start)..place(at.end), with.iter().copied());
            }
            Mutation::Move(at, to) => {
                let (range, to) = (place(at.start)..place(at.end), *to);
                let slice: Vec<u8> = bytes.drain(range).collect();
                let to = (to * bytes.len() as f64) as usize;
                bytes.splice(to..to, slice);
            }
        }
    }
}

fn share() -> impl Strategy<Value = Range<f64>> {
    (0.0..1.0, 0.0..0.05f64).prop_map(|(start, length): (f64, f64)| start..(start + length).min(1.0))
}

/// Bytes that are none, and fragments that mean something.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&str; 16] =
        ["\"", "'", "[", "]", "{", "}", "=", "->", "I(", "g^", "1.1 ", "\n", "\\u00e9", "é", "0", "A"];
    prop_oneof![
        vec(any::<u8>(), 0..8),
        proptest::sample::select(&WORDS[..]).prop_map(|w| w.as_bytes().to_vec())
    ]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        share().prop_map(Mutation::Delete),
        share().prop_map(Mutation::Repeat),
        (share(), bytes()).prop_map(|(at, with)| Mutation::Replace(at, with)),
        (share(), 0.0..1.0).prop_map(|(at, to)| Mutation::Move(at, to)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9_']{0,4}"
}

fn term() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        name().prop_map(|n| Term::name(&n)),
        "[^\"]{0,6}".prop_map(|t| Term::Text(t.as_str().into())),
        vec(name(), 1..=4).prop_map(|xs| Term::exp(xs.iter().map(|x| x.as_str().into()).collect())),
        agents(&[Func::Pk, Func::Sk, Func::Cert], 1),
        agents(&[Func::K, Func::Pw], 2),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let key = inner
            .clone()
            .prop_filter("a private key does not encrypt", |k| !matches!(k, Term::App(Func::Sk, _)));
        let list = |least| vec(inner.clone(), least..4);
        let signed = list(1).prop_flat_map(|body| (agents(&[Func::Sk], 1), Just(body)));
        prop_oneof![
            (list(1), key).prop_map(|(body, key)| Term::Enc(body, Box::new(key))),
            signed.prop_map(|(key, body)| Term::app(Func::Sign, std::iter::once(key).chain(body).collect())),
            list(2).prop_map(|args| Term::app(Func::Mac, args)),
            list(1).prop_map(|args| Term::app(Func::Hash, args)),
            list(1).prop_map(|args| Term::app(Func::Kdf, args)),
            inner.clone().prop_map(|n| Term::app(Func::Succ, vec![n])),
            inner.clone().prop_map(|n| Term::app(Func::Pred, vec![n])),
            vec(inner.clone(), 2..=2).prop_map(|args| Term::app(Func::Xor, args)),
        ]
    })
}

fn agents(funcs: &'static [Func], count: usize) -> impl Strategy<Value = Term> {
    (proptest::sample::select(funcs), vec(name(), count..=count))
        .prop_map(|(func, names)| Term::app(func, names.iter().map(|n| Term::name(n)).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutant_of_a_file_panics(which in any::<proptest::sample::Index>(), mutations in vec(mutation(), 1..6)) {
        let files: Vec<_> = scenarios().into_iter().chain(protocols()).collect();
        let mut bytes = which.get(&files).text.text.clone().into_bytes();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_line_panics(text in ".{0,60}", parts in vec("[A-Za-z(){}^,.:>\" 0-9-]{1,6}", 0..12)) {
        for text in [text, parts.concat()] {
            let source = Quoted::new(text);
            let length = source.text.len();
            let faults = [
                parse::line(&source).err(),
                parse::term(&source).err(),
                parse::terms(&source).err(),
                parse::declaration(&source).err(),
                goal::goal(&source).err(),
            ];
            for fault in faults.into_iter().flatten() {
                prop_assert!(fault.range.end <= length && fault.range.start <= fault.range.end);
                prop_assert!(source.text.get(fault.range).is_some(), "a place between characters");
            }
        }
    }

    #[test]
    fn a_term_is_read_as_it_is_shown(term in term()) {
        prop_assert_eq!(parse::term(&Quoted::new(term.to_string())), Ok(term));
    }
}
