//! Protocols, encodings and attacks that are too large.

use crate::Ask;

/// A run between alice and bob.
const RUN: &str = "[[run]]\nA = \"alice\"\nB = \"bob\"\n";

fn order(line: &str) -> String {
    format!("[protocol]\nmessages = [\"A -> B : A, {line}\"]\nfresh = {{ A = [\"Na: nonce\"] }}\n")
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}Na{}", open.repeat(depth), close.repeat(depth))
}

pub fn asks() -> Vec<Ask> {
    let mut all = Vec::new();
    for n in [10, 1_000, 4_000, 30_000, 200_000] {
        all.push(Ask::new("fields", n, order(&vec!["Na"; n].join(", ")) + RUN));
    }
    for n in [8, 64, 32, 33, 3_000] {
        all.push(Ask::new("nested-ciphertexts", n, order(&nested("{", "}k(A,B)", n)) + RUN));
        all.push(Ask::new("nested-hashes", n, order(&nested("h(", ")", n)) + RUN));
    }
    for n in [3, 12, 20, 64, 500] {
        for (what, term) in [
            ("doubled-hashes", "h(T, T)"),
            ("doubled-codes", "mac(k(A,B), T, T)"),
            ("doubled-ciphertexts", "{T, T}k(A,B)"),
        ] {
            let lets: String = (1..=n)
                .map(|i| {
                    format!("T{i} = '{}'\n", term.replace('T', &format!("T{}", i - 1)).replace("T0", "Na"))
                })
                .collect();
            all.push(Ask::new(what, n, order(&format!("T{n}")) + "[protocol.let]\n" + &lets + RUN));
        }
    }
    for n in [2, 4, 5, 60] {
        let exponents: Vec<String> = (0..n).map(|i| format!("x{i}")).collect();
        let fresh: Vec<String> = exponents.iter().map(|x| format!("\"{x}: dh\"")).collect();
        let text = format!(
            "[protocol]\nmessages = [\"A -> B : A, g^{}\"]\nfresh = {{ A = [{}] }}\n{RUN}",
            exponents.join("^"),
            fresh.join(", ")
        );
        all.push(Ask::new("exponents", n, text));
    }
    for n in [10, 1_000, 1_001, 20_000] {
        let lines: Vec<&str> =
            (0..n).map(|i| if i % 2 == 0 { "\"A -> B : A, Na\"" } else { "\"B -> A : Na\"" }).collect();
        let text = format!(
            "[protocol]\nmessages = [{}]\nfresh = {{ A = [\"Na: nonce\"] }}\n{RUN}",
            lines.join(",\n")
        );
        all.push(Ask::new("lines", n, text));
        let attack: Vec<String> =
            (0..n).map(|i| format!("\"{}.1 I(alice) -> bob : alice, N{i}\"", i + 2)).collect();
        let text = order("Na") + RUN + &format!("[attacker]\nattack = [{}]\n", attack.join(",\n"));
        all.push(Ask::new("attack-lines", n, text));
    }
    for n in [10, 200, 2_000] {
        let goals: Vec<String> =
            (0..n).map(|_| "\"secret Na\", \"B authenticates A on Na\"".to_owned()).collect();
        let text = order("Na").replace("fresh", &format!("goals = [{}]\nfresh", goals.join(", "))) + RUN;
        all.push(Ask::new("goals", n, text));
        let roles: Vec<String> = (0..n).map(|i| format!("\"R{i} -> R{} : R{i}\"", i + 1)).collect();
        let players: String = (0..=n).map(|i| format!("R{i} = \"party{i}\"\n")).collect();
        let knows: String = (1..n).map(|i| format!("R{i} = [\"R{}\"]\n", i + 1)).collect();
        let text = format!(
            "[protocol]\nmessages = [{}]\n[protocol.knows]\n{knows}[[run]]\n{players}",
            roles.join(",\n")
        );
        all.push(Ask::new("roles", n, text));
        let values: Vec<String> = (0..n).map(|i| format!("\"N{i}: nonce\"")).collect();
        let sums = (1..n).map(|i| format!("xor(N{}, N{i})", i - 1)).collect::<Vec<_>>().join(", ");
        let text = format!(
            "[protocol]\nmessages = [\"A -> B : A, {sums}\"]\ngoals = [\"secret N0\"]\nfresh = {{ A = [{}] }}\n{RUN}[attacker]\n",
            values.join(", ")
        );
        all.push(Ask::new("sums", n, text));
    }
    for key in ["name", "nonce", "key", "data", "Na"] {
        for width in [1_000, 1_000_000, 16_777_215, 16_777_216, 4_000_000_000_u64] {
            let text = order("Na, h(Na), {Na, Na}k(A,B)")
                + &format!("[encoding]\nkind = \"untagged\"\n{key} = {width}\n")
                + RUN;
            all.push(Ask::new("widths", format!("{key}-{width}"), text));
        }
    }
    for (length, times) in [(10, 100), (1_000, 1_000), (100_000, 150), (100_000, 4_000), (900_000, 3)] {
        let text = order(&vec!["T"; times].join(", "))
            + &format!("[protocol.let]\nT = '\"{}\"'\n", "x".repeat(length))
            + RUN;
        all.push(Ask::new("repeated-text", format!("{length}-{times}"), text.clone()));
        let hashed = order(&format!("h({})", vec!["T"; times].join(", ")));
        let text = hashed + &format!("[protocol.let]\nT = '\"{}\"'\n", "x".repeat(length)) + RUN;
        all.push(Ask::new("repeated-text-in-a-hash", format!("{length}-{times}"), text));
        let text = format!(
            "[protocol]\nmessages = [\"A -> B : A, {}\"]\ngiven = {{ A = [\"P: data\"] }}\n{RUN}P = \"{}\"\n",
            vec!["P"; times].join(", "),
            "x".repeat(length)
        );
        all.push(Ask::new("repeated-data", format!("{length}-{times}"), text));
    }
    all.extend([2, 6, 8, 12, 40].map(|runs| Ask::new("swollen", runs, swollen(runs))));
    all
}

/// An attacker who reads 32 bytes as a hash of more than a message may have.
pub fn compared_with_whole_messages() -> String {
    let mut attack: Vec<String> = (2..=10)
        .map(|run| {
            let before = if run == 2 { "johannes".to_owned() } else { format!("R{}", run - 1) };
            let last = if run == 10 { "P".to_owned() } else { format!("R{run}") };
            format!("\"{run}.1 I(johannes) -> bob : {before}\", \"{run}.2 bob -> I(johannes) : {last}\"")
        })
        .collect();
    attack.push("\"11.1 I(johannes) -> bob : johannes\"".to_owned());
    attack.push(format!("\"11.2 bob -> I(johannes) : h({})\"", ["P"; 8].join(", ")));
    format!(
        "[protocol]\nmessages = [\"A -> B : P\", \"B -> A : P, P, P, P\"]\ngiven = {{ A = [\"P: data\"] }}\n\
         [encoding]\nkind = \"untagged\"\nP = \"any\"\n[[run]]\nA = \"johannes\"\nB = \"bob\"\n\
         P = \"aaaaaaaaaaaaaaaa\"\n[attacker]\nattack = [{}]\n",
        attack.join(",\n")
    )
}

/// A party that sends back eight times what it gets, and an attacker who hands it on.
pub fn swollen(runs: usize) -> String {
    let attack: Vec<String> = (1..=runs)
        .map(|run| {
            let before = if run == 1 { "alice".to_owned() } else { format!("R{}", run - 1) };
            format!("\"{n}.1 I(alice) -> bob : {before}\", \"{n}.2 bob -> I(alice) : R{run}\"", n = run + 1)
        })
        .collect();
    format!(
        "[protocol]\nmessages = [\"A -> B : P\", \"B -> A : P, P, P, P, P, P, P, P\"]\ngiven = {{ A = [\"P: data\"] }}\n\
         [encoding]\nkind = \"untagged\"\nP = \"any\"\n{RUN}P = \"aaaaaaaaaaaaaaaa\"\n[attacker]\nattack = [{}]\n",
        attack.join(",\n")
    )
}
