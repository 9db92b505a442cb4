//! Every scenario of the library is a test.

mallory::scenarios!("scenarios");
