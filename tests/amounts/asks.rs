//! Casts, timelines, networks and attackers that are too large.

use crate::Ask;

const SHORT: &str = "[protocol]\nmessages = [\"A -> B : A, {Na}k(A,B)\", \"B -> A : Na\"]\nfresh = { A = [\"Na: nonce\"] }\ngoals = [\"secret Na\", \"B authenticates A on Na\"]\n";

fn runs(n: usize, distinct: bool) -> String {
    let name = |i: usize| if distinct { format!("p{i}") } else { "alice".to_owned() };
    (0..n).map(|i| format!("[[run]]\nA=\"{}\"\nB=\"bob\"\n", name(i))).collect()
}

pub fn asks() -> Vec<Ask> {
    let mut all = Vec::new();
    let tactics = ["eavesdrop", "mitm", "replay", "reflect", "tamper", "impersonate bob"];
    for n in [10, 300, 3_000, 30_000] {
        all.push(Ask::new("runs", n, SHORT.to_owned() + &runs(n, false)));
        all.push(Ask::new("clients", n, SHORT.to_owned() + &runs(n, true)));
        for tactic in tactics {
            let text = SHORT.to_owned() + &runs(n, true) + &format!("[attacker]\ntactic = \"{tactic}\"\n");
            all.push(Ask::new("runs-against", format!("{tactic}-{n}"), text));
        }
    }
    for n in [2, 64, 65, 1_000] {
        let variants: String = (0..n).map(|i| format!("[variant.v{i}]\n")).collect();
        all.push(Ask::new("variants", n, SHORT.to_owned() + &runs(20, true) + &variants));
        let text = SHORT.to_owned() + &runs(1_000, true) + "[attacker]\n" + &variants;
        all.push(Ask::new("variants-of-many-runs", n, text));
    }
    for n in [10, 1_000, 1_001, 20_000] {
        let words: Vec<String> = (0..n).map(|i| format!("\"w{i}\"")).collect();
        for clients in [1, 5, 300] {
            let text = SHORT.replace("k(A,B)", "pw(A,B)")
                + &runs(clients, true)
                + &format!("[attacker]\ndictionary = [{}]\n", words.join(","));
            all.push(Ask::new("dictionary", format!("{n}-{clients}"), text));
        }
    }
    for rule in [
        "duplicate",
        "replay 1s",
        "replay 1ns",
        "hold",
        "hold until 36500d",
        "delay 36500d",
        "delay 200000000d",
        "tamper",
        "inject 7.1 I(alice) -> bob : alice, N",
        "inject 7.2 I(bob) -> alice : N",
        "redirect alice",
    ] {
        for n in [1, 200] {
            let rules = format!("[[attacker.rule]]\naction = \"{rule}\"\n").repeat(n);
            let text = SHORT.replace("{Na}k(A,B)", "Na") + &runs(50, true) + "[attacker]\n" + &rules;
            // A rule that names alice needs her.
            all.push(Ask::new("rules", format!("{rule}-{n}"), text.replacen("\"p0\"", "\"alice\"", 1)));
        }
    }
    for latency in ["0s", "1ns..100000d", "36500d", "200000000d"] {
        let text = SHORT.to_owned()
            + &runs(20, false)
            + &format!("[network]\nlatency = \"{latency}\"\nduplicate = 1\n");
        all.push(Ask::new("latency", latency, text));
    }
    for n in [10, 1_000, 10_000] {
        let links: String =
            (0..n).map(|_| "[[network.link]]\nfrom = \"alice\"\nto = \"bob\"\nlatency = \"1s\"\n").collect();
        all.push(Ask::new("links", n, SHORT.to_owned() + &runs(1, false) + &links));
        let rotate: String = (0..n)
            .map(|i| format!("[[event]]\nat=\"{i}s\"\nrotate=\"k(alice,bob)\"\nkeep=4294967295\n"))
            .collect();
        all.push(Ask::new("rotations", n, SHORT.to_owned() + &runs(20, false) + &rotate));
        let restart: String = (0..n).map(|i| format!("[[event]]\nat=\"{i}s\"\nrestart=\"bob\"\n")).collect();
        all.push(Ask::new("restarts", n, SHORT.to_owned() + &runs(20, false) + &restart));
        let stolen: String =
            (0..n).map(|i| format!("[[event]]\nat=\"{i}s\"\ncompromise=\"k(alice,bob)\"\n")).collect();
        all.push(Ask::new("thefts", n, SHORT.to_owned() + &runs(20, false) + &stolen + "[attacker]\n"));
        let expected: Vec<String> = (1..=n).map(|i| format!("\"{i}.alice\" = \"completes\"")).collect();
        let text =
            SHORT.to_owned() + &runs(n, false) + &format!("[expect]\nruns = {{ {} }}\n", expected.join(", "));
        all.push(Ask::new("expectations", n, text));
        let forged: String = (0..n)
            .map(|i| {
                format!("[[attacker.certificate]]\nas=\"F{i}\"\nsubject=\"alice\"\nsigned_by=\"herself\"\n")
            })
            .collect();
        let text = SHORT.replace("{Na}k(A,B)", "Na, sign(sk(A), Na), cert(A)")
            + &runs(1, false)
            + "[attacker]\n"
            + &forged;
        all.push(Ask::new("forgeries", n, text));
    }
    for n in [100, 129, 100_000] {
        let text = (SHORT.to_owned() + &runs(1, false)).replace("alice", &"a".repeat(n));
        all.push(Ask::new("party-name", n, text));
    }
    for n in [100, 10_000, 400_000] {
        all.push(Ask::new(
            "arrays-in-arrays",
            n,
            format!("tags = {}{}\n", "[".repeat(n), "]".repeat(n)) + SHORT,
        ));
        all.push(Ask::new("tables-in-tables", n, format!("[x{}]\n", ".x".repeat(n)) + SHORT));
        all.push(Ask::new("title", n, format!("title = \"{}\"\n", "t".repeat(n)) + SHORT + &runs(1, false)));
        let tags: Vec<String> = (0..n / 20).map(|i| format!("\"t{i}\"")).collect();
        all.push(Ask::new("tags", n, format!("tags = [{}]\n", tags.join(",")) + SHORT + &runs(1, false)));
    }
    for n in [2 << 20, 64 << 20] {
        all.push(Ask::new("file", n, "#".repeat(n)));
    }
    for n in [5, 40, 400] {
        // Each run hands her the key of the next.
        let text = "[protocol]\nmessages = [\"A -> B : A, {Ka}k(A,B), {Na}Ka\"]\nfresh = { A = [\"Ka: key\", \"Na: nonce\"] }\ngoals = [\"secret Na\", \"forward secret Na\"]\n".to_owned();
        let stolen: String =
            (1..=n).map(|i| format!("[[event]]\nat=\"1h\"\ncompromise=\"{i}.Ka\"\nas=\"K{i}\"\n")).collect();
        all.push(Ask::new("stolen-session-keys", n, text + &runs(n, false) + &stolen + "[attacker]\n"));
    }
    all
}
