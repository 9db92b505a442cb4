//! An independent judge: a small symbolic interpreter of docs/NOTATION.md that shares nothing
//! with the product, and random protocols and narrations on which the two must agree.

mod case;
mod cases;
mod classics;
mod compare;
mod deduce;
mod file;
mod found;
mod goals;
mod invent;
mod load;
mod mind;
mod narrate;
mod notebook;
mod parse;
mod searched;
mod shrink;
mod term;
mod world;
