"use strict";
// Steps through the plays of the page. What it shows is in the page's data: the lines of
// `--log json`, and what they mean. Every text of others' making is put in as text.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // Parties, values and notes that are shown at once.
  const MOST_PARTIES = 24, MOST_NOTES = 40;

  const make = (tag, name, ...inside) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...inside);
    return element;
  };

  // As src/legible.rs has it: whatever acts, and is not seen, is written out.
  const ACTS = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;
  const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const legible = (text) =>
    text.replace(ACTS, (c) => SHORT[c] || "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

  let pinned = null;
  const print = (full) => {
    const short = full.slice(1, 1 + data.digits);
    const element = make("span", short === pinned ? "fp lit" : "fp", "#" + short);
    element.dataset.fp = short;
    return element;
  };
  // A text in which fingerprints can be lit.
  const told = (text) => {
    const all = document.createDocumentFragment();
    legible(text).split(/(#[0-9a-f]{16}(?![0-9a-f]))/).forEach((piece, nth) => {
      if (piece) all.append(nth % 2 ? print(piece) : piece);
    });
    return all;
  };

  const light = (short, on) =>
    document.querySelectorAll(`[data-fp="${short}"]`).forEach((one) => one.classList.toggle("lit", on));
  const printAt = (event) => event.target instanceof Element && event.target.closest("[data-fp]");
  document.addEventListener("mouseover", (event) => {
    const one = printAt(event);
    if (one) light(one.dataset.fp, true);
  });
  document.addEventListener("mouseout", (event) => {
    const one = printAt(event);
    if (one && one.dataset.fp !== pinned) light(one.dataset.fp, false);
  });
  document.addEventListener("click", (event) => {
    const one = printAt(event);
    if (!one) return;
    const before = pinned;
    pinned = one.dataset.fp === before ? null : one.dataset.fp;
    if (before) light(before, false);
    if (pinned) light(pinned, true);
  });

  const hex = (digits) => {
    const lines = [];
    for (let at = 0; at < digits.length; at += 32) {
      const bytes = digits.slice(at, at + 32).match(/../g);
      const read = bytes.map((byte) => {
        const code = parseInt(byte, 16);
        return code > 31 && code < 127 ? String.fromCharCode(code) : "·";
      });
      lines.push(`${(at / 2).toString(16).padStart(4, "0")}  ${bytes.join(" ").padEnd(47)}  ${read.join("")}`);
    }
    return lines.join("\n");
  };

  class Play {
    constructor(section, of) {
      this.section = section;
      this.of = of;
      this.events = of.lines.filter((line) => line.event);
      this.her = of.lines[0].attacker;
      this.step = -1;
      this.reveal = false;
      this.names = new Map();
      of.lines.filter((line) => line.kind === "session").forEach((session) =>
        Object.values(session.values).forEach((value) => {
          if (value.type === "name" && value.name !== null) this.names.set(value.fingerprint, value.name);
        }));
      this.messages = new Map();
      this.events.forEach((event) => {
        if (event.kind === "sent" || event.kind === "injected") this.messages.set(event.message, event);
      });
      this.arrivals = new Map();
      of.receptions.forEach((one) => {
        if (!this.arrivals.has(one.message)) this.arrivals.set(one.message, []);
        this.arrivals.get(one.message).push(one);
      });
      const learned = of.lines.filter((line) => line.kind === "learned");
      this.learned = learned.map((value, nth) => ({ value, way: of.ways[nth] }));
      this.bands = [...section.querySelectorAll(".band")];
      this.rows = [...section.querySelectorAll("g.row")];
      this.scroll = section.querySelector(".scroll");
      this.range = section.querySelector("input[type=range]");
      this.where = section.querySelector(".where");
      const find = (name) => section.querySelector(name);
      [this.said, this.message, this.parties, this.notes] =
        [".said", ".message", ".parties", ".notes"].map(find);
      find(".buttons").hidden = false;
      find(".buttons").addEventListener("click", (event) => {
        const button = event.target.closest("[data-go]");
        if (button) this.go(this.from(button.dataset.go));
      });
      this.range.addEventListener("input", () => this.go(Number(this.range.value)));
      find("[data-reveal]").addEventListener("change", (event) => {
        this.reveal = event.target.checked;
        section.classList.toggle("reveals", this.reveal);
        this.go(this.reveal ? 0 : this.step);
      });
      [...this.bands, ...this.rows].forEach((element, nth) =>
        element.addEventListener("click", () => this.go((nth % this.bands.length) + 1)));
      this.later(0);
    }

    get last() { return this.of.rows.length; }

    from(word) {
      return { first: 0, back: Math.max(this.step - 1, 0), on: Math.min(this.step + 1, this.last), last: this.last }[word];
    }

    // The last event that a step shows: all up to the next row's.
    end(step) { return step >= this.last ? Infinity : this.of.rows[step].event - 1; }

    later(step) {
      this.rows.forEach((row, nth) => row.classList.toggle("later", nth >= step));
    }

    go(step, quietly) {
      const before = this.step;
      this.step = Math.min(Math.max(step, 0), this.last);
      if (this.bands[before - 1]) this.bands[before - 1].classList.remove("now");
      const [low, high] = before < 0 ? [0, this.last] : [Math.min(before, this.step), Math.max(before, this.step)];
      for (let nth = low; nth < high; nth += 1) if (this.rows[nth]) this.rows[nth].classList.toggle("later", nth >= this.step);
      this.range.value = this.step;
      this.where.textContent = `${this.step} / ${this.last}`;
      this.show();
      if (this.bands[this.step - 1]) {
        this.bands[this.step - 1].classList.add("now");
        if (!quietly) this.bring(this.bands[this.step - 1], this.rows[this.step - 1]);
      } else if (this.scroll && !quietly) this.scroll.scrollTo(0, 0);
      this.section.dataset.step = this.step;
      this.section.dataset.upto = this.end(this.step) === Infinity ? "" : this.end(this.step);
    }

    // The row into view, in the chart's own box only, and what it says, as far as there is room.
    bring(band, drawn) {
      const box = this.scroll.getBoundingClientRect(), row = band.getBoundingClientRect();
      const head = this.section.querySelector(".heads").getBoundingClientRect().height;
      if (row.top < box.top + head) this.scroll.scrollTop -= box.top + head - row.top;
      else if (row.bottom > box.bottom) this.scroll.scrollTop += row.bottom - box.bottom + 4;
      const said = [...drawn.children].filter((one) => !one.classList.contains("when")).map((one) => one.getBoundingClientRect());
      const left = Math.min(...said.map((one) => one.left)) - 12, right = Math.max(...said.map((one) => one.right)) + 12;
      if (left < box.left) this.scroll.scrollLeft -= box.left - left;
      else if (right > box.right) this.scroll.scrollLeft += Math.min(right - box.right, left - box.left);
    }

    show() {
      const upto = this.end(this.step), since = this.step === 0 ? -1 : this.end(this.step - 1);
      const isNew = (event) => event > since && event <= upto && this.step > 0;
      const row = this.of.rows[this.step - 1];
      this.said.replaceChildren(...(row
        ? [`Step ${this.step}, ${row.at}${row.place ? `, line ${row.place}` : ""}: `, told(row.said)]
        : ["Before the first step."]));
      this.showMessage(row);
      this.showParties(upto, isNew);
      if (this.notes) this.showNotes(upto, isNew);
    }

    showMessage(row) {
      const event = row && this.events.find((one) => one.event === row.event);
      this.message.replaceChildren();
      if (!event) return;
      if (event.kind === "sent" || event.kind === "injected") this.open(event);
      else {
        const refused = this.of.receptions.find((one) => one.came_to === "refused" && event.kind === "refused" && one.message === event.message && one.by === event.party);
        const about = this.messages.get(event.message);
        if (refused && about) this.open(about);
      }
    }

    open(event) {
      const list = make("dl");
      const put = (name, ...inside) => list.append(make("dt", "", name), make("dd", "", ...inside));
      put("from", legible(event.kind === "injected" && event.from !== this.her ? `${this.her}, as ${event.from}` : event.from));
      put("to", legible(event.to));
      put("says", told(event.text));
      const before = this.messages.get(event.instead_of);
      if (before) put("in place of", told(before.text));
      (this.arrivals.get(event.message) || []).forEach((one) => put(`at ${legible(one.by)}`, this.cameTo(one)));
      if (!this.arrivals.has(event.message)) put("arrives", "nowhere");
      const digits = this.of.bytes[event.message];
      if (digits !== undefined) {
        const cut = digits.length / 2 < event.bytes ? `, the first ${digits.length / 2} shown` : "";
        const bytes = make("pre", "", hex(digits));
        bytes.tabIndex = 0;
        const open = make("details", "hex", make("summary", "", `${event.bytes} bytes ${cut}`), bytes);
        open.open = this.opened === true;
        open.addEventListener("toggle", () => { this.opened = open.open; });
        put("on the wire", open);
      }
      this.message.append(list);
    }

    cameTo(one) {
      const of = make("span", one.came_to);
      if (one.came_to === "taken") of.append("✓ no check refused it");
      else if (one.came_to === "unheeded") of.append(`no heed was paid to it: ${legible(one.why)}`);
      else of.append(`✗ refused${one.line === null ? "" : ` at line ${one.line}`}: `, make("strong", "", one.reason), `, ${one.meaning}`);
      return of;
    }

    showParties(upto, isNew) {
      const parties = new Map();
      const card = (name) => {
        if (!parties.has(name)) parties.set(name, { name, sessions: new Map(), got: [], touched: 0 });
        return parties.get(name);
      };
      for (const event of this.events) {
        if (event.event > upto) break;
        if (event.kind === "obtained") {
          card(event.by).got.push(event);
          card(event.by).touched = event.event;
        }
        if (event.nth === undefined) continue;
        const of = card(event.party), key = `${event.run} ${event.role} ${event.protocol} ${event.nth}`;
        if (!of.sessions.has(key)) of.sessions.set(key, { of: event, values: new Map(), state: "takes part", at: event.event, reason: null });
        const session = of.sessions.get(key);
        of.touched = event.event;
        if (event.kind === "concluded") {
          const had = session.values.get(event.term);
          if (!had || had.fingerprint !== event.fingerprint) session.values.set(event.term, event);
        } else if (event.kind !== "started") {
          session.state = { completed: "✓ completes", waits: `still waits for line ${event.line}`, refused: `✗ refuses line ${event.line}: ${event.reason}` }[event.kind] || session.state;
          session.at = event.event;
        }
      }
      const all = [...parties.values()];
      const shown = all.length > MOST_PARTIES ? all.sort((a, b) => b.touched - a.touched).slice(0, MOST_PARTIES) : all;
      const value = (event, name, text) => {
        const item = make("li", isNew(event.event) ? "new" : "", text, " ", name || print(event.fingerprint));
        if (isNew(event.event)) item.append(make("span", "mark", " new"));
        return item;
      };
      const cards = shown.map((of) => {
        const inside = [make("h4", "", legible(of.name))];
        for (const session of of.sessions.values()) {
          const { run, role, protocol } = session.of;
          const state = make("span", isNew(session.at) ? "state new" : "state", session.state);
          const heading = [`run ${run} as ${legible(role)} of ${legible(protocol)}, `, state];
          const isOver = session.state !== "takes part" && !isNew(session.at);
          const within = [];
          const peers = [], values = [];
          for (const [term, event] of session.values) {
            const name = this.names.get(event.fingerprint);
            if (name !== undefined) peers.push(value(event, make("strong", "", legible(name)), `takes for ${legible(term)}:`));
            else values.push(value(event, null, legible(term)));
          }
          if (peers.length) within.push(make("ul", "peers", ...peers));
          if (values.length) within.push(make("ul", "values", ...values));
          // Of many that are over, one line each.
          if (isOver && of.sessions.size > 2 && within.length) {
            inside.push(make("details", "session", make("summary", "", ...heading), ...within));
          } else inside.push(make("p", "session", ...heading), ...within);
        }
        if (of.got.length) inside.push(make("ul", "values", ...of.got.slice(-MOST_NOTES).map((event) => value(event, null, `r${event.request}`))));
        const box = make("div", "party", ...inside);
        box.dataset.party = of.name;
        return box;
      });
      if (all.length > shown.length) cards.push(make("p", "left-out", `… and ${all.length - shown.length} others`));
      this.parties.replaceChildren(...(cards.length ? cards : ["Nobody has begun."]));
    }

    showNotes(upto, isNew) {
      const kinds = [["has", "From the start"], ["saw", "Saw on the wire"], ["handed", "Was handed"], ["guessed", "Guessed"], ["recovered", "Worked out"], ["drew", "Drew"], ["made", "Made"], ["put", "Put on the wire"]];
      const notes = new Map(kinds.map(([kind]) => [kind, []]));
      const note = (kind, event, ...inside) => notes.get(kind).push([event, inside]);
      for (const event of this.events) {
        if (event.event > upto) break;
        const value = () => (event.fingerprint ? [told(event.term), " ", print(event.fingerprint)] : [told(event.term)]);
        if (event.kind === "equipped") note("has", event.event, ...value());
        else if (event.kind === "sent") note("saw", event.event, `${legible(event.from)}: `, told(event.text));
        else if (event.kind === "injected") note("put", event.event, `to ${legible(event.to)}, as ${legible(event.from)}: `, told(event.text));
        else if (event.kind === "compromised" && event.fingerprint) note("handed", event.event, ...value());
        else if (event.kind === "guessed" && event.fingerprint) note("guessed", event.event, ...value());
        else if (event.kind === "recovered" && event.fingerprint) note("recovered", event.event, ...value());
        else if (event.kind === "forged") note("made", event.event, `${legible(event.what)}, `, told(event.term));
      }
      for (const one of this.of.drawn) {
        if (one.event <= upto) note("drew", one.event, legible(one.term || `a ${one.type}`), " ", print(one.fingerprint));
      }
      const inside = [];
      const list = (heading, kind, entries, item) => {
        const most = entries.slice(-MOST_NOTES);
        const items = most.map(item);
        const all = make("ul", kind, ...items);
        all.dataset.count = entries.length;
        inside.push(make("h4", "", heading), all);
        if (entries.length > most.length) inside.push(make("p", "left-out", `and ${entries.length - most.length} before`));
      };
      const marked = (event, what) => {
        const item = make("li", isNew(event) ? "new" : "", ...what);
        if (isNew(event)) item.append(make("span", "mark", " new"));
        return item;
      };
      for (const [kind, heading] of kinds) {
        if (notes.get(kind).length) list(heading, kind, notes.get(kind), ([event, what]) => marked(event, what));
      }
      const known = this.learned.filter(({ way }) => way && way.since !== null ? way.since <= upto : upto === Infinity);
      if (known.length) {
        list("Others' values that she has", "learned", known, ({ value, way }) => {
          const what = [`${value.run === null ? "" : `${value.run}.`}`, told(value.term), " ", print(value.fingerprint), `, of ${legible(value.parties.join(", "))}`];
          if (way && way.steps.length) {
            what.push(make("details", "", make("summary", "", "how"), make("ol", "", ...way.steps.map((step) => make("li", "", told(step.text))))));
          }
          return marked(way ? way.since : -1, what);
        });
      }
      this.notes.replaceChildren(...(inside.length ? inside : ["Empty."]));
    }
  }

  const plays = new Map();
  for (const of of data.plays) plays.set(of.id, new Play(document.getElementById(of.id), of));
  const all = [...plays.values()];

  // Whoever is stepped by keys: the play in the middle of the window, or the nearest.
  const current = () => {
    const middle = window.innerHeight / 2;
    const far = (play) => {
      const box = play.section.getBoundingClientRect();
      return box.top > middle ? box.top - middle : box.bottom < middle ? middle - box.bottom : 0;
    };
    return all.reduce((best, play) => (far(play) < far(best) ? play : best), all[0]);
  };
  const KEYS = { ArrowLeft: "back", k: "back", ArrowRight: "on", j: "on", Home: "first", End: "last" };
  document.addEventListener("keydown", (event) => {
    const word = KEYS[event.key];
    // The slider knows arrows, Home and End itself.
    const slides = event.target instanceof Element && event.target.matches("input[type=range]") && event.key.length > 1;
    if (!word || !all.length || slides || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const play = current();
    play.go(play.from(word));
  });

  // A link to a step goes there, and so does the page's address.
  const follow = (hash) => {
    const found = /^#(p\d+)-s(\d+)$/.exec(hash);
    const play = found && plays.get(found[1]);
    if (!play) return false;
    play.go(Number(found[2]));
    play.section.scrollIntoView({ block: "start" });
    return true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a.step");
    if (link && follow(link.hash)) {
      event.preventDefault();
      history.replaceState(null, "", link.hash);
    }
  });
  window.addEventListener("hashchange", () => follow(location.hash));
  all.forEach((play) => play.go(0, true));
  // After the browser has gone to the row by itself.
  window.addEventListener("load", () => requestAnimationFrame(() => follow(location.hash)));
})();
