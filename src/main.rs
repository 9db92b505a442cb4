fn main() {
    for name in std::env::args().skip(1) {
        let s = if name.ends_with(".toml") {
            mallory::Scenario::from_path(&name)
        } else {
            mallory::Scenario::named(&name)
        };
        let s = match s {
            Ok(s) => s,
            Err(p) => {
                for p in p.0 {
                    println!("{}", p.render(false));
                }
                continue;
            }
        };
        let pool = mallory::scenario::KeyPool::default();
        let mut plays = Vec::new();
        for v in &s.variants {
            let c = s.check(v, &pool).unwrap();
            println!("== {}", c.play.name);
            println!("{}", mallory::report::log::render(&c.play, &Default::default()));
            for f in &c.failures {
                println!("FAIL {f}");
            }
            plays.push(c.play);
        }
        println!("{}", mallory::report::summary(&plays));
    }
}
