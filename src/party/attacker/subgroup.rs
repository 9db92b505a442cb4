//! Shares of small order, sent to a party whose exponent stays the same (Lim & Lee, CRYPTO 1997):
//! each answer tells the exponent modulo that order, and the remainders together the exponent.
//! She reads nothing but the answers. Must not know any exponent.

use std::collections::BTreeMap;

use crypto_bigint::{NonZero, U512};

use super::dictionary::Reading;
use super::{Desk, Mind};
use crate::algebra::{Bytes, Value};
use crate::crypto::{Agreement, SMALL_FACTORS, of_small_order, powers_of};
use crate::journal::{Sight, What};
use crate::knowledge::Shown;
use crate::notation::{Id, Kind, Name, Node, Table, Term};
use crate::party::{ALERT_PROTOCOL, AttackerEffect, SERVICE_PROTOCOLS};
use crate::time::Span;
use crate::wire::tagged_fields;

/// How long she waits for an answer before she takes it that there is none.
const PATIENCE: Span = Span::seconds(2);

/// Finds the exponent of the first party that she can send shares to.
pub struct SmallSubgroup {
    budget: u32,
    /// Shares that are public, by the name of their exponent.
    public: BTreeMap<Name, Value>,
    inquiry: Option<Inquiry>,
}

struct Inquiry {
    /// The message that opens a part of the party's.
    message: Sight,
    /// Where its share stands in it.
    share: std::ops::Range<usize>,
    /// The term of the secret that is agreed, and the name of the other exponent in it.
    agreed: Id,
    exponent: Name,
    run: u32,
    /// What was asked last: an element of this order.
    asked: u32,
    element: Vec<u8>,
    /// The exponent modulo each of the orders, as they come.
    remainders: Vec<u16>,
    answers: BTreeMap<String, u32>,
    is_over: bool,
}

impl SmallSubgroup {
    pub fn new(budget: u32) -> SmallSubgroup {
        SmallSubgroup { budget, public: BTreeMap::new(), inquiry: None }
    }

    /// Begins with a message, if it opens a part of its receiver's and has a share of which a
    /// secret is agreed with another exponent.
    fn begin(&mut self, message: &Sight, desk: &mut Desk<'_>) {
        let Some(spoken) = desk.cast.protocols.get(&message.protocol) else { return };
        let opens = |role: &Name| spoken.program_at(role, message.line).is_some();
        if !spoken.receiver_of(message.line).is_some_and(opens) || !desk.is_client(&message.to) {
            return;
        }
        let (protocol, table) = (&spoken.protocol, &spoken.protocol.table);
        let Some(line) = protocol.lines.get((message.line as usize).saturating_sub(1)) else { return };
        let fields = tagged_fields(&message.bytes).unwrap_or_default();
        let found = fields.into_iter().zip(&line.parts).find_map(|((kind, range), part)| {
            let Node::Exp(exponents) = table.node(table.find(part)?) else { return None };
            let [own] = exponents.as_slice() else { return None };
            let (agreed, exponent) = agreed_with(table, *own)?;
            (kind == Kind::Share).then_some((range, agreed, exponent))
        });
        let Some((share, agreed, exponent)) = found else { return };
        self.inquiry = Some(Inquiry {
            message: message.clone(),
            share,
            agreed,
            exponent,
            run: desk.cast.runs.keys().max().copied().unwrap_or(0),
            asked: 0,
            element: Vec::new(),
            remainders: Vec::new(),
            answers: BTreeMap::new(),
            is_over: false,
        });
        self.ask(desk);
    }

    fn ask(&mut self, desk: &mut Desk<'_>) {
        let Some(inquiry) = &mut self.inquiry else { return };
        let next = SMALL_FACTORS.get(inquiry.remainders.len()).copied();
        let Some(element) = next.filter(|_| inquiry.asked < self.budget).and_then(of_small_order) else {
            return self.finish(desk);
        };
        inquiry.asked += 1;
        inquiry.run += 1;
        inquiry.element = element;
        let query = inquiry.query();
        desk.effects.all.push(AttackerEffect::Query(query.into()));
        let late = AttackerEffect::Timer(desk.now.after(PATIENCE), u64::from(inquiry.asked));
        desk.effects.all.push(late);
    }

    /// Finds which power of the element the party agreed on: with that alone its answer fits.
    fn hear(&mut self, answer: &Sight, desk: &mut Desk<'_>) {
        let Some(inquiry) = &mut self.inquiry else { return };
        *inquiry.answers.entry("an answer".to_owned()).or_default() += 1;
        let Some(spoken) = desk.cast.protocols.get(&answer.protocol).cloned() else { return };
        let query = inquiry.query();
        let mut reading = Reading::new(&query, &spoken, desk);
        reading.read(&query, desk);
        reading.read(answer, desk);
        let factor = SMALL_FACTORS[inquiry.remainders.len()];
        let powers = powers_of(&inquiry.element, usize::from(factor));
        let mut tries = (0..factor).zip(powers);
        let fits = tries.find(|(_, power)| {
            reading.hand.fits(inquiry.agreed, &Value::new(Kind::Share, power.as_slice()), desk)
        });
        match fits {
            Some((remainder, _)) => {
                inquiry.remainders.push(remainder);
                self.ask(desk);
            }
            None => self.finish(desk),
        }
    }

    /// Says what came of it. The remainders give the exponent if there is one: that of the share
    /// that everybody knows.
    fn finish(&mut self, desk: &mut Desk<'_>) {
        let Some(inquiry) = &mut self.inquiry else { return };
        inquiry.is_over = true;
        let answers = inquiry.answers.iter().map(|(what, count)| format!("{what} ×{count}"));
        desk.effects.note(What::Queried {
            party: inquiry.message.to.clone(),
            message: inquiry.message.id,
            queries: inquiry.asked,
            budget: self.budget,
            found: inquiry.remainders.len() as u32,
            of: SMALL_FACTORS.len() as u32,
            unit: "remainders of its exponent by small primes",
            answers: answers.collect::<Vec<_>>().join(", ").into(),
        });
        let Some(share) = self.public.get(&inquiry.exponent) else { return };
        let group = desk.cast.keys.suite().agreement;
        if let Some(exponent) = exponent_of(&inquiry.remainders)
            && group.share(&exponent).is_ok_and(|own| own == share.bytes.as_slice())
        {
            let party = &inquiry.message.to;
            desk.effects.note(What::Recovered {
                term: inquiry.exponent.to_string().into(),
                how: format!(
                    "the remainders that {party}'s answers to shares of small order tell, checked on"
                )
                .into(),
                from: Box::new(vec![share.clone()]),
                value: Value::new(Kind::Exponent, exponent),
            });
        }
    }
}

/// The secret that is agreed with an exponent and one other, and that one's name.
fn agreed_with(table: &Table, own: Id) -> Option<(Id, Name)> {
    table.ids().find_map(|id| {
        let Node::Exp(exponents) = table.node(id) else { return None };
        let other = match exponents.as_slice() {
            [a, b] if *a == own => *b,
            [a, b] if *b == own => *a,
            _ => return None,
        };
        match table.node(other) {
            Node::Name(name) => Some((id, name.clone())),
            _ => None,
        }
    })
}

/// The number of 256 bits with these remainders, one for each small factor (Garner).
fn exponent_of(remainders: &[u16]) -> Option<Vec<u8>> {
    if remainders.len() < SMALL_FACTORS.len() {
        return None;
    }
    let (mut number, mut modulus) = (U512::ZERO, U512::ONE);
    for (remainder, factor) in remainders.iter().zip(SMALL_FACTORS) {
        let factor = NonZero::new(U512::from(factor)).into_option()?;
        let wanted = U512::from(*remainder);
        // At most as many steps as the factor says.
        while number.rem_vartime(&factor) != wanted {
            number = number.wrapping_add(&modulus);
        }
        modulus = modulus.wrapping_mul(&factor);
    }
    let bytes = number.to_be_bytes();
    let (high, low) = bytes.as_ref().split_at(32);
    high.iter().all(|byte| *byte == 0).then(|| low.to_vec())
}

impl Inquiry {
    /// The recorded message with the element in the share's place, in the run at hand.
    fn query(&self) -> Sight {
        let mut bytes = self.message.bytes.to_vec();
        bytes[self.share.clone()].copy_from_slice(&self.element);
        let bytes = Bytes::from(bytes);
        let order = SMALL_FACTORS.get(self.remainders.len()).copied().unwrap_or_default();
        let text = format!("{} with an element of order {order} for its share", self.message.shown.text());
        Sight { run: self.run, bytes, shown: Shown::words(text), ..self.message.clone() }
    }
}

impl Mind for SmallSubgroup {
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        let current = self.inquiry.as_ref().filter(|inquiry| !inquiry.is_over);
        if let Some(inquiry) = current
            && message.run == inquiry.run
            && message.from == inquiry.message.to
        {
            if *message.protocol != *ALERT_PROTOCOL {
                desk.take(&message);
                self.hear(&message, desk);
            }
            return;
        }
        desk.pass(message.clone());
        let has_group =
            matches!(desk.cast.keys.suite().agreement, Agreement::Modp2048 | Agreement::Modp2048Unchecked);
        if self.inquiry.is_none() && has_group && !SERVICE_PROTOCOLS.contains(&&*message.protocol) {
            self.begin(&message, desk);
        }
    }

    fn handed(&mut self, term: &Term, value: &Value, _desk: &mut Desk<'_>) {
        if let Term::Exp(exponents) = term
            && let [exponent] = exponents.as_slice()
        {
            self.public.insert(exponent.clone(), value.clone());
        }
    }

    fn timer(&mut self, number: u64, desk: &mut Desk<'_>) {
        let Some(inquiry) = &mut self.inquiry else { return };
        if !inquiry.is_over && u64::from(inquiry.asked) == number {
            *inquiry.answers.entry("silence".to_owned()).or_default() += 1;
            self.finish(desk);
        }
    }

    fn end(&mut self, desk: &mut Desk<'_>) {
        if self.inquiry.is_none() {
            let group = desk.cast.keys.suite().agreement;
            let lacked = match group {
                Agreement::Modp2048 | Agreement::Modp2048Unchecked => {
                    "nobody sent a share that opens a part of its receiver's".to_owned()
                }
                _ => format!("{group} has no elements of small order but those that everybody refuses"),
            };
            desk.effects.note(What::AttackStopped { line: "small-subgroup".to_owned(), lacked });
        }
    }
}
