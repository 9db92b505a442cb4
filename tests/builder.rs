//! Scenarios put together in Rust: the same as a file of the same words, and the same mistakes.

use mallory::Scenario;
use mallory::scenario::Builder;

fn order() -> Builder {
    Scenario::builder("order")
        .title("An order, repeated")
        .message("A -> B : A, {Order}k(A,B)")
        .goal("secret Order")
        .goal("B authenticates A on Order")
        .given("A", "Order: data")
        .run([("A", "alice"), ("B", "bob"), ("Order", "sell")])
        .tactic("replay")
}

const FILE: &str = r#"
    title = "An order, repeated"
    [protocol]
    messages = ["A -> B : A, {Order}k(A,B)"]
    goals    = ["secret Order", "B authenticates A on Order"]
    given    = { A = ["Order: data"] }
    [[run]]
    A = "alice"
    B = "bob"
    Order = "sell"
    [attacker]
    tactic = "replay"
    [variant.weak.expect.goals]
    "B authenticates A on Order" = "violated"
    [variant.fixed.parties.bob]
    replay_cache = true
    [variant.fixed.expect]
    runs = { "1.bob" = "completes" }
    [variant.fixed.expect.goals]
    "B authenticates A on Order" = "holds"
"#;

fn both() -> Builder {
    order().variant("weak", |v| v.expect_goal("B authenticates A on Order", "violated")).variant(
        "fixed",
        |v| {
            v.party("bob", [("replay_cache", true)])
                .expect_run("1.bob", "completes")
                .expect_goal("B authenticates A on Order", "holds")
        },
    )
}

/// Every event, every verdict and the order of variants are those of the file.
#[test]
fn what_is_built_is_what_a_file_of_the_same_words_says() {
    let built = both().build().unwrap().run().unwrap();
    let read = Scenario::from_text("order", FILE).unwrap().run().unwrap();
    built.assert_expected();
    assert_eq!(built.scenario().title, "An order, repeated");
    assert_eq!(built.plays().len(), 2);
    for (built, read) in built.plays().iter().zip(read.plays()) {
        assert_eq!(built.name, read.name);
        assert_eq!(format!("{:?}", built.journal()), format!("{:?}", read.journal()));
        assert_eq!(built.variant().expected(), read.variant().expected());
        assert!(!built.variant().expected().is_empty());
    }
}

/// A mistake has the words that it has in a file, and a path in place of a line.
#[test]
fn mistakes_are_said_at_their_paths() {
    type Wrong = fn(Builder) -> Builder;
    let cases: [(Wrong, &str, &str); 9] = [
        (|b| b.set("network.latancy", "5s"), "order: network.latancy: ", "`latency`"),
        (|b| b.set("run.0.at", "soon"), "order: run.0.at: ", "`soon` is not a duration"),
        (|b| b.message("B -> A : {Nb"), "order: protocol.messages.1, character ", ""),
        (|b| b.tactic("repaly"), "order: attacker.tactic", "`replay`"),
        (|b| b.expect_goal("secret Odrer", "holds"), "order: expect.goals.\"secret Odrer\"", ""),
        (|b| b.expect_run("1.bbo", "completes"), "order: expect.runs.\"1.bbo\"", ""),
        (|b| b.run([("A", "alice")]), "order: run.1: ", ""),
        (|b| b.set("attacker.attack", vec!["1.1 alice -> I(bob) : Na"]), "order: attacker", ""),
        (|b| b.variant("weak", |v| v.title("x")), "order: variant.weak.title: ", "about"),
    ];
    for (wrong, path, part) in cases {
        let said = wrong(order()).build().unwrap_err().to_string();
        assert!(said.starts_with(path) && said.contains(part), "{path} {part}\n{said}");
        assert!(!said.contains(":1:"), "{said}");
    }
}

/// What cannot even be written down is a problem, too, and none is lost.
#[test]
fn what_does_not_fit_together_is_said_at_the_end() {
    let wrong = order()
        .protocol("nssk")
        .message("A -> B : A")
        .set("title.of", "x")
        .variant("weak", |v| v.variant("inner", |v| v))
        .variant("weak", |v| v);
    let problems = wrong.build().unwrap_err();
    assert_eq!(problems.0.len(), 4, "{problems}");
    assert!(problems.0.iter().all(|p| p.to_string().starts_with("order: ")), "{problems}");
    assert!(problems.0[0].message.contains("`protocol`"), "{problems}");
}

/// Names of parties and payloads may be anything that a file may have, dots and quotes too.
#[test]
fn texts_arrive_as_they_are() {
    let hostile = "a \"b\" \u{1b}[31m\n'''\u{202e}\\";
    let run = [("A", "alice"), ("B", "bob"), ("Order", hostile)];
    let builder =
        Scenario::builder("\u{1b}[31m").message("A -> B : A, {Order}k(A,B)").given("A", "Order: data");
    let report = builder.clone().goal("secret Order").run(run).build().unwrap().run().unwrap();
    assert!(report.run(1).party("bob").completed());
    let said = builder.run([("A", "alice"), ("B", "bob"), ("\u{1b}[31m", "x")]).build().unwrap_err();
    assert!(!said.to_string().contains('\u{1b}'), "{said}");
    assert!(!said.0[0].render(false).contains('\u{1b}'), "{said}");
}
