//! Protocols from OFMC's AnB: what it has is read, what is wrong has its place, and what `export`
//! wrote comes back as it went.

mod models;

use mallory::export::{Target, import};
use mallory::notation::{Origin, Protocol, Term};
use mallory::scenario::{ProtocolFile, Text};
use models::{library, mallory, model, written};

/// A protocol's lines, names as AnB tells them apart: by their first letter in upper case.
fn lines(protocol: &Protocol) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
    };
    fn texts(term: &Term, word: &dyn Fn(&str) -> String) -> Term {
        let all = |ts: &[Term]| ts.iter().map(|t| texts(t, word)).collect::<Vec<_>>();
        match term {
            Term::Text(text) => Term::Text(word(text).into()),
            Term::Enc(body, key) => Term::Enc(all(body), Box::new(texts(key, word))),
            Term::App(func, args) => Term::app(*func, all(args)),
            other => other.clone(),
        }
    }
    let capital = |name: &str| {
        let mut all = name.chars();
        let first = all.next().map(|c| c.to_ascii_uppercase());
        Some(Term::name(&first.into_iter().chain(all).collect::<String>()))
    };
    let line = |number: u32| {
        let line = &protocol.lines[number as usize - 1];
        let parts = line.parts.iter().map(|t| texts(&t.replace(&|n| capital(n)), &word).to_string());
        let (from, to) = (protocol.sender_of(number), protocol.receiver_of(number));
        format!("{from} -> {to} : {}", parts.collect::<Vec<_>>().join(", "))
    };
    (1..=protocol.lines.len() as u32).map(line).collect()
}

#[test]
fn anb_comes_back_as_it_went() {
    let mut said = 0;
    for file in library() {
        let Ok(anb) = model(&file, Target::Anb) else { continue };
        let name = &file.protocol.name;
        let back = import(&anb, name)
            .unwrap_or_else(|f| panic!("{name}: {} at {:?}\n{anb}", f.message, &anb[f.range.clone()]));
        let back = ProtocolFile::from_text(&Text { name: name.clone(), text: back.clone() }.into(), name)
            .unwrap_or_else(|p| panic!("{name}: {p}\n{back}"));
        assert_eq!(lines(&file.protocol), lines(&back.protocol), "{name}\n{anb}");
        let fresh = |p: &Protocol| p.values.iter().filter(|v| v.origin != Origin::LongTerm).count();
        assert_eq!(fresh(&file.protocol), fresh(&back.protocol), "{name}");
        assert!(back.protocol.goals.len() <= file.protocol.goals.len(), "{name}");
        said += 1;
    }
    assert!(said > 80, "{said} protocols can be said in AnB");
}

const NSPK: &str = "Protocol: NSPK # Lowe's attack

Types: Agent A,B;
       Number NA,NB;
       Function pk

Knowledge: A: A,pk(A),inv(pk(A)),B,pk(B);
           B: B,pk(B),inv(pk(B)),A,pk(A)

Actions:
A->B: {NA,A}(pk(B))
B->A: {NA,NB}(pk(A))
A->B: {NB}(pk(B))

Goals:
B authenticates A on NA
A weakly authenticates B on NB
NA secret between A,B
";

#[test]
fn what_ofmc_has_is_read() {
    insta::assert_snapshot!(import(NSPK, "nspk").unwrap());
    let signed = "Protocol: Signed
Types: Agent A,B,s; Number N,X,Y,hello; Symmetric_key K; Function pk,hash,shk,f
Knowledge: A: A,B,s,pk(A),inv(pk(A)),pk(B),hash,f,shk(A,s); B: B,A,s,pk(B),inv(pk(B)),pk(A),hash,f; s: A,B,s,shk(A,s)
Actions:
A->B: {exp(g,X),B}inv(pk(A))
B->A: {exp(g,Y),A}inv(pk(B)),{|N,hello|}hash(exp(exp(g,X),Y))
A->s: {|B,N,f(N)|}shk(A,s)
Goals:
N secret between A,B,s
A authenticates B on exp(exp(g,X),Y)
";
    insta::assert_snapshot!(import(&signed.replace("Number N,", "Number g,N,"), "signed").unwrap());
}

#[test]
fn mistakes_in_anb_have_their_place() {
    let faults = [
        ("Types: Agent", "Tpyes: Agent"),
        ("Agent A,B", "Agnet A,B"),
        ("A->B: {NA,A}", "A*->*B: {NA,A}"),
        ("A->B: {NA,A}", "[A]->B: {NA,A}"),
        ("{NB}(pk(B))", "{NC}(pk(B))"),
        ("{NB}(pk(B))", "{NB}(pk(C))"),
        ("{NB}(pk(B))", "{NB}NA"),
        ("{NB}(pk(B))", "{|NB|}inv(pk(B))"),
        ("{NB}(pk(B))", "exp(NB,NA)"),
        ("{NB}(pk(B))", "secret(B)"),
        ("{NB}(pk(B))", "{NB"),
        ("B authenticates", "B autenticates"),
        ("Agent A,B", "Agent A,B,i"),
        ("NA secret", "NA ~secret"),
        ("A: A,pk(A),inv(pk(A)),B,pk(B);", "A: A,pk(A),inv(pk(A)),B,pk(B) where A!=B;"),
    ];
    let mut said = String::new();
    for (right, wrong) in faults {
        let path = written("wrong.anb", &NSPK.replacen(right, wrong, 1));
        let output = mallory(&["import", &path]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{wrong}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("wrong.anb:"), "{wrong}: {error}");
        said.push_str(&error.replace(&path, "wrong.anb"));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn no_input_is_too_strange() {
    let mut cases: Vec<String> = (0..=NSPK.len()).map(|at| NSPK[..at].to_owned()).collect();
    cases.extend((0..NSPK.len()).map(|at| format!("{}{}", &NSPK[..at], &NSPK[at + 1..])));
    for junk in ["{", "{|", "(", "*", "é", "\0", "->", "inv(", "exp(g,"] {
        cases.extend((0..NSPK.len()).map(|at| format!("{}{junk}{}", &NSPK[..at], &NSPK[at..])));
    }
    cases.push(NSPK.replace("{NB}(pk(B))", &"{".repeat(100_000)));
    cases.push(NSPK.replace("{NB}(pk(B))", &format!("{}g,NB{}", "exp(".repeat(31), ",NB)".repeat(31))));
    cases.push(NSPK.replace("A->B: {NB}(pk(B))\n", &"A->B: NB\n".repeat(2_000)));
    for case in cases {
        match import(&case, "x") {
            Ok(text) => {
                ProtocolFile::from_text(&Text { name: String::new(), text }.into(), "x").unwrap();
            }
            Err(fault) => assert!(fault.range.end <= case.len() && case.is_char_boundary(fault.range.start)),
        }
    }
}

#[test]
fn what_is_read_can_be_checked() {
    let nsl = written("nsl.anb", &model(&ProtocolFile::named("nsl").unwrap(), Target::Anb).unwrap());
    let output = mallory(&["import", &nsl, "--out", "nsl-again.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(mallory(&["check", "nsl-again.toml"]).status.code(), Some(0));
}
