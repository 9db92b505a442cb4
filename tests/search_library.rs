//! The library's stories under the search: what a story breaks the search breaks, within the runs
//! that it plays and with what it hands to its attacker; and where a mended variant's goal holds
//! that the search breaks with no more than that, its file says so in `[expect.search]`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mallory::Scenario;
use mallory::notation::{Goal, Type};
use mallory::party::attacker::Plan;
use mallory::scenario::search::{Found, Power, Question};
use mallory::scenario::{self, EventDeed, KeyPool, Variant};
use mallory::search::Stop;

/// Runs in which a goal that holds is searched, and in which one that falls is at least.
const RUNS: usize = 2;
/// Runs at most in which one that falls is searched.
const MOST: usize = 3;

/// What a story hands to its attacker, in the search's words, or what it hands to her for which the
/// search has none. A long-term key that she gets in between is one from the start if she may use it
/// in any run, and one in the end if she is to have no more than the story gives her.
fn powers(question: &Question, variant: &Variant, in_any_run: bool) -> Result<Vec<Power>, &'static str> {
    let setup = &variant.setup;
    let mut powers = BTreeSet::new();
    for event in &setup.events {
        let EventDeed::Compromise { what, .. } = &event.deed else { return Err("an event that is no leak") };
        let what = what.to_string();
        if let Some((_, name)) = what.rsplit_once('.') {
            let value = question.protocol.values.iter().find(|value| *value.name == *name);
            if value.is_some_and(|value| value.of != Type::Key) {
                return Err("a leak of what is no session key");
            }
            powers.insert(Power::OldSessionKey);
            continue;
        }
        let owners: Vec<&str> = what.split(['(', ',', ')']).skip(1).map(str::trim).collect();
        let mut players = setup.runs.iter().flat_map(|run| &run.names);
        let Some((role, _)) = players.find(|(_, player)| owners.contains(&&***player)) else {
            return Err("a leak of a service's key");
        };
        let at_once = in_any_run || setup.runs.iter().all(|run| event.at <= run.at);
        let stolen = if at_once { Power::StolenKey } else { Power::StolenKeyLater };
        powers.insert(stolen(role.clone()));
    }
    let different = |names: &BTreeMap<_, _>| names.values().collect::<BTreeSet<_>>().len();
    if setup.runs.iter().any(|run| different(&run.names) < run.names.len()) {
        powers.insert(Power::SelfTalk);
    }
    Ok(powers.into_iter().collect())
}

/// What a story's attacker does that no attacker of a search does.
fn does_more(variant: &Variant, powers: &[Power], goal: &str) -> Option<&'static str> {
    let setup = &variant.setup;
    let her = setup.attacker.as_ref()?;
    let reasons = [
        (!her.dictionary.is_empty(), "guesses passwords"),
        (!setup.weak_algorithms.is_empty(), "undoes weak algorithms"),
        (!her.forgeries.is_empty(), "forges certificates"),
        (setup.parties.values().any(|party| !party.trust.check_name), "meets who checks no names"),
        (!setup.requests.is_empty(), "asks services for more than a protocol's lines"),
        (
            matches!(&her.plan, Plan::Narration(attack) if !attack.finds.is_empty()),
            "finds what fits by trying",
        ),
        (her.compares_nonces, "compares nonces of signatures"),
        (her.words.iter().any(|word| word.contains("padding")), "asks about paddings"),
        (!her.times.is_empty(), "lets time go on between her lines"),
        (setup.parties.values().any(|party| party.shares_key_of.is_some()), "meets hosts that share a key"),
        (powers.contains(&Power::OldSessionKey) && goal.starts_with("secret"), "has the run's own key"),
    ];
    reasons.into_iter().find(|(is_so, _)| *is_so).map(|(_, why)| why)
}

/// A story's variants whose protocol's lines are played against somebody.
fn attacked(story: &Scenario) -> impl Iterator<Item = &Arc<Variant>> {
    story.variants.iter().filter(|variant| variant.setup.plays_protocol && variant.setup.attacker.is_some())
}

#[test]
fn what_a_story_breaks_the_search_breaks() {
    let pool = KeyPool::default();
    let (mut found, mut beyond, mut missed) = (0, BTreeMap::<&str, u32>::new(), String::new());
    for entry in scenario::scenarios() {
        let story = Scenario::named(&entry.name).unwrap();
        for variant in attacked(&story) {
            let question = Question::of_variant(&story, variant).unwrap();
            let play = story.play(variant, true, &pool).unwrap();
            let runs = play.sessions().iter().map(|session| session.id.run).collect::<BTreeSet<_>>().len();
            for fallen in play.goals().iter().filter(|verdict| verdict.is_violated()) {
                let goals = &question.protocol.goals;
                let is_it =
                    |goal: &&Goal| goal.text == fallen.goal && *fallen.id.protocol == *question.protocol.name;
                let Some(goal) = goals.iter().find(is_it) else { continue };
                let powers = match powers(&question, variant, true) {
                    Ok(powers) => powers,
                    Err(why) => {
                        *beyond.entry(why).or_default() += 1;
                        continue;
                    }
                };
                let finding = question.search(goal, runs.clamp(RUNS, MOST), &powers, &|| false, &pool);
                match finding.result {
                    Found::Attack(_) => found += 1,
                    Found::Unfinished(Stop::Unsaid) => {
                        *beyond.entry("speaks as symbols cannot").or_default() += 1
                    }
                    _ => {
                        let Some(why) = does_more(variant, &powers, &goal.text) else {
                            writeln!(missed, "{} | {} | {powers:?}", question.name, goal.text).unwrap();
                            continue;
                        };
                        *beyond.entry(why).or_default() += 1;
                    }
                }
            }
        }
    }
    assert!(missed.is_empty(), "not found:\n{missed}");
    println!("{found} found, beyond the search {beyond:#?}");
    assert!(found > 120, "{found} found, {beyond:?} not");
}

/// What a variant's file says that searches come to, by goal.
fn said(entry: &scenario::Entry, variant: &Variant) -> BTreeMap<String, Vec<String>> {
    let file: toml::Table = entry.text.text.parse().unwrap();
    let own = variant.name.as_ref().and_then(|name| file.get("variant")?.get(name));
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for of in [Some(&toml::Value::Table(file.clone())), own].into_iter().flatten() {
        let Some(searches) = of.get("expect").and_then(|expect| expect.get("search")) else { continue };
        let one = std::slice::from_ref(searches);
        for table in searches.as_array().map_or(one, Vec::as_slice).iter().filter_map(toml::Value::as_table) {
            for (goal, word) in table {
                if let Some(word) = word.as_str() {
                    said.entry(goal.clone()).or_default().push(word.to_owned());
                }
            }
        }
    }
    said
}

/// A variant is called mended if nothing is left of the story's attack. What another attack breaks
/// that the story does not tell stands in the file, where `mallory test` holds it to be so.
#[test]
fn what_is_left_of_mended_variants_stands_in_their_files() {
    let pool = KeyPool::default();
    let (mut held, mut left, mut unsaid) = (0, 0, String::new());
    for entry in scenario::scenarios() {
        let story = Scenario::named(&entry.name).unwrap();
        let is_mended =
            |variant: &&Arc<Variant>| variant.name.as_ref().is_some_and(|name| name.starts_with("fixed"));
        for variant in attacked(&story).filter(is_mended) {
            let question = Question::of_variant(&story, variant).unwrap();
            let Ok(powers) = powers(&question, variant, false) else { continue };
            let said = said(&entry, variant);
            let play = story.play(variant, true, &pool).unwrap();
            for verdict in play.goals().iter().filter(|verdict| verdict.word().text() == "holds") {
                let goals = &question.protocol.goals;
                let is_it = |goal: &&Goal| {
                    goal.text == verdict.goal && *verdict.id.protocol == *question.protocol.name
                };
                let Some(goal) = goals.iter().find(is_it) else { continue };
                let finding = question.search(goal, RUNS, &powers, &|| false, &pool);
                let Found::Attack(attack) = &finding.result else {
                    held += 1;
                    continue;
                };
                left += 1;
                if !said.get(&goal.text).is_some_and(|words| words.iter().any(|word| word == "attack")) {
                    let with: Vec<String> = powers.iter().map(Power::text).collect();
                    let lines = attack.told.lines.join("\n    ");
                    writeln!(unsaid, "{} | {} | {with:?}\n    {lines}", question.name, goal.text).unwrap();
                }
            }
        }
    }
    assert!(held > 50 && left > 20, "{held} hold, {left} are left");
    assert!(unsaid.is_empty(), "not in [expect.search]:\n{unsaid}");
}

/// Every power that a search may be given for a protocol by itself.
fn single_powers(question: &Question) -> Vec<Power> {
    let roles = question.protocol.client_roles().map(|role| role.name.clone());
    let stolen = roles.flat_map(|role| [Power::StolenKey(role.clone()), Power::StolenKeyLater(role)]);
    let alone = [Power::OldSessionKey, Power::Untagged, Power::LaxClock, Power::SelfTalk];
    alone.into_iter().chain(stolen).collect()
}

/// Of every goal of the library's protocols that two runs do not break: which powers, each by
/// itself, suffice. Only what was played counts; what the stage does not confirm or a search cannot
/// say stands here, too.
#[test]
fn what_each_power_breaks_over_the_library() {
    let row = |entry: &scenario::Entry, pool: &KeyPool| {
        let question = Question::of_protocol(&entry.name).unwrap();
        let mut rows = String::new();
        for goal in &question.protocol.goals {
            let search = |powers: &[Power]| question.search(goal, RUNS, powers, &|| false, pool);
            if !matches!(search(&[]).result, Found::Nothing) {
                continue;
            }
            let mut breaks = Vec::new();
            for power in single_powers(&question) {
                let finding = search(std::slice::from_ref(&power));
                match (&finding.result, finding.unconfirmed.len()) {
                    (Found::Attack(_), _) => breaks.push(power.text()),
                    (Found::Nothing, 0) => {}
                    (Found::Nothing, _) => breaks.push(format!("{} unconfirmed", power.text())),
                    (Found::Unfinished(stop), _) => breaks.push(format!("{} {stop:?}", power.text())),
                }
            }
            writeln!(rows, "{} | {} | {}", entry.name, goal.text, breaks.join(", ")).unwrap();
        }
        rows
    };
    let (all, next) = (scenario::protocols(), AtomicUsize::new(0));
    let rows: Mutex<BTreeMap<usize, String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let pool = KeyPool::default();
                while let Some((nth, entry)) = {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    all.get(nth).map(|entry| (nth, entry))
                } {
                    let row = row(entry, &pool);
                    rows.lock().unwrap().insert(nth, row);
                }
            });
        }
    });
    let rows: String = rows.into_inner().unwrap().into_values().collect();
    insta::assert_snapshot!(rows);
}
