// Opens pages in a browser, as readers do. Arguments: the browser, a folder for pictures or "-",
// and pages with the lines of `--log json` beside them (a.html, a.jsonl). Prints what is wrong,
// a line each, and ends with 1 if anything is.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [, , executablePath, pictures, ...files] = process.argv;
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let wrong = 0;

// What a play shows at its step; given to the page, so it stands alone.
const seen = (section) => {
  const texts = (from) => [...section.querySelectorAll(from)].map((one) => one.textContent);
  const count = (kind) => Number(section.querySelector(`.notes ul.${kind}`)?.dataset.count || 0);
  return {
    step: Number(section.dataset.step),
    upto: section.dataset.upto,
    counts: ["has", "saw", "handed", "guessed", "put", "learned"].map(count),
    parties: [...section.querySelectorAll(".party")].map((one) => one.dataset.party).sort(),
    said: section.querySelector(".said").textContent,
    now: section.querySelectorAll(".band.now").length,
    digits: texts(".party .values .fp").every((text) => /^#[0-9a-f]{4,16}$/.test(text)),
  };
};
// The same at all steps from the first on.
const steps = new Function("section", `
  const seen = ${seen}, all = [];
  section.querySelector("[data-go=first]").click();
  for (;;) {
    all.push(seen(section));
    const before = section.dataset.step;
    section.querySelector("[data-go=on]").click();
    if (section.dataset.step === before) return all;
  }`);

const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
for (const file of files) {
  const name = path.basename(file, ".html");
  const check = (is, what) => {
    if (is) return;
    wrong += 1;
    console.log(`${name}: ${what}`);
  };
  const page = await browser.newPage();
  page.on("console", (message) => check(!["error", "warn"].includes(message.type()), `console: ${message.text()}`));
  page.on("pageerror", (error) => check(false, `script: ${error.message}`));
  page.on("dialog", async (dialog) => { check(false, `a dialog: ${dialog.message()}`); await dialog.dismiss(); });
  page.on("request", (request) => check(request.url() === pathToFileURL(file).href, `asks for ${request.url()}`));
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(pathToFileURL(file).href);
  check(await page.$$eval("script", (all) => all.length) === 2, "scripts of others");
  check(await page.$$eval("img, iframe, object, embed, link, base", (all) => all.length) === 0, "elements of others");

  // What is shown at each step is what the log has up to there.
  const lines = fs.readFileSync(file.replace(/html$/, "jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const plays = [...new Set(lines.map((line) => line.variant))].map((variant) => lines.filter((line) => line.variant === variant));
  const ids = await page.$$eval("[data-play]", (all) => all.map((one) => one.dataset.play));
  check(ids.length === plays.length, `${ids.length} plays on it, ${plays.length} in the log`);
  for (const [nth, id] of ids.entries()) {
    const events = plays[nth].filter((line) => line.event);
    const last = Number(await page.$eval(`#${id} input[type=range]`, (range) => range.max));
    check(last > 0, `${id} has no step`);
    await page.$eval(`#${id} .buttons`, (buttons) => buttons.scrollIntoView());
    await page.click(`#${id} [data-go=first]`);
    // The first play by real keys and clicks, the others by their buttons at once.
    const shown = nth > 0 ? await page.$eval(`#${id}`, steps) : [];
    for (let step = 0; step <= last; step += 1) {
      if (nth === 0) {
        if (step > 0) await (step % 2 ? page.keyboard.press(step % 4 === 1 ? "ArrowRight" : "j") : page.click(`#${id} [data-go=on]`));
        shown.push(await page.$eval(`#${id}`, seen));
      }
      const at = shown[step];
      const upto = at.upto === "" ? Infinity : Number(at.upto);
      const here = `${id}, step ${step}`;
      check(at.step === step, `${here}: shows step ${at.step}`);
      check(at.now === (step > 0 ? 1 : 0) && (step === 0 || at.said.startsWith(`Step ${step},`)), `${here}: ${at.said}`);
      const sofar = events.filter((event) => event.event <= upto);
      const of = (kind, also = () => true) => sofar.filter((event) => event.kind === kind && also(event));
      const notebook = [of("equipped"), of("sent"), of("compromised", (e) => e.fingerprint), of("guessed", (e) => e.fingerprint), of("injected")].map((all) => all.length);
      if (plays[nth][0].attacker) check(`${at.counts.slice(0, 5)}` === `${notebook}`, `${here}: notebook ${at.counts}, log ${notebook}`);
      const learned = plays[nth].filter((line) => line.kind === "learned").length;
      check(at.counts[5] <= learned && (step < last || at.counts[5] === learned), `${here}: ${at.counts[5]} learned, log ${learned}`);
      const parties = [...new Set([...sofar.filter((e) => e.nth !== undefined).map((e) => e.party), ...of("obtained").map((e) => e.by)])].sort();
      check(`${at.parties}` === `${parties}` || parties.length > 24, `${here}: parties ${at.parties}, log ${parties}`);
      check(at.digits, `${here}: a value without its fingerprint`);
    }
    // Back to the beginning, by keys.
    await page.keyboard.press("k");
    check(Number(await page.$eval(`#${id}`, (one) => one.dataset.step)) === last - 1, `${id}: k does not go back`);
    await page.keyboard.press("End");
    await page.keyboard.press("Home");
    check(Number(await page.$eval(`#${id}`, (one) => one.dataset.step)) === 0, `${id}: Home does not go to the start`);
    // Revealed step by step, nothing is seen before its time.
    await page.click(`#${id} [data-reveal]`);
    await page.keyboard.press("ArrowRight");
    const hidden = await page.$$eval(`#${id} g.row`, (rows) => rows.filter((row) => getComputedStyle(row).visibility === "hidden").length);
    check(hidden === last - 1, `${id}: ${hidden} of ${last} rows hidden at the first step`);
    await page.click(`#${id} [data-reveal]`);
    // A click on a row opens it, and a fingerprint is lit wherever it stands.
    await page.$eval(`#${id} g.row`, (row) => row.dispatchEvent(new MouseEvent("click", { bubbles: true })));
    check(Number(await page.$eval(`#${id}`, (one) => one.dataset.step)) === 1, `${id}: a click does not open its row`);
    const lit = await page.$eval(`#${id}`, (section) => {
      const one = section.querySelector("g.row [data-fp]");
      if (!one) return true;
      one.dispatchEvent(new MouseEvent("click", { bubbles: true }));
      const all = [...document.querySelectorAll(`[data-fp="${one.dataset.fp}"]`)];
      const is = all.every((each) => each.classList.contains("lit"));
      one.dispatchEvent(new MouseEvent("click", { bubbles: true }));
      return is && all.length > 1;
    });
    check(lit, `${id}: a fingerprint is not lit everywhere`);
  }
  // Links from reasons lead to their steps.
  const link = await page.$("a.step");
  if (link) {
    const [, id, step] = /#(p\d+)-s(\d+)$/.exec(await link.evaluate((one) => one.href));
    await link.evaluate((one) => one.click());
    check((await page.$eval(`#${id}`, (one) => one.dataset.step)) === step, `${id}: a link to step ${step} leads elsewhere`);
  }

  for (const [scheme, width] of [["light", 1280], ["dark", 1280], ["light", 380], ["dark", 380]]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.setViewport({ width, height: 900 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= width, `${width} px: the page is ${wide} px wide`);
    if (pictures !== "-") await page.screenshot({ path: path.join(pictures, `${name}-${scheme}-${width}.png`), fullPage: true });
    // Widths and colours, each of them once.
    if ((scheme === "light") !== (width > 900)) continue;
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    for (const violation of found.violations.filter((one) => ["serious", "critical"].includes(one.impact))) {
      check(false, `${scheme} ${width}: ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
    }
  }
  await page.close();
}
await browser.close();
process.exit(wrong ? 1 : 0);
