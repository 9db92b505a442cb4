//! How large an attack is. Must not know lines.

use super::bundle::Bundle;
use super::intruder::Intruder;
use super::term::Term;

/// The messages that parties take in an attack, and how many of them she made or moved: what a
/// party takes as another sent it to it just passes.
pub type Size = (usize, usize);

impl Intruder<'_> {
    /// How large an attack is.
    pub fn size(&mut self, bundle: &Bundle) -> Size {
        let mut sent: Vec<(usize, u8, Vec<Term>)> = Vec::new();
        let mut taken = Vec::new();
        for (number, place) in bundle.places.iter().enumerate() {
            let part = &bundle.parts[place.part];
            let moment = &part.instance.steps[place.step];
            let Some(me) = part.instance.chosen.first() else { continue };
            let (from, to) = if moment.sends { (*me, moment.peer) } else { (moment.peer, *me) };
            let terms = [from, to].into_iter().chain(moment.parts.iter().copied());
            let said = terms.map(|term| bundle.store.write_out(self.terms, term)).collect();
            let line = moment.line as usize;
            match moment.sends {
                true => sent.push((line, number as u8, said)),
                false => taken.push((line, number as u8, said)),
            }
        }
        let mut hers = 0;
        for (line, number, said) in taken {
            let passes = |(other, from, what): &(usize, u8, Vec<Term>)| {
                *other == line && *what == said && bundle.is_before(*from, number)
            };
            match sent.iter().position(passes) {
                Some(at) => drop(sent.swap_remove(at)),
                None => hers += 1,
            }
        }
        (bundle.taken, hers)
    }
}
