// The nineteen steps in Chromium, and what else only a browser can show: a denial, an evaluation, a phone with another
// device, dark colours, the keyboard, and pages without scripts.
//
//   node run.mjs PROGRAM [PICTURES]
//
// REGAIN_BROWSERTEST_DEMO has more arguments of the demo: "--store mongo" walks over two nodes.
import { strict as assert } from "node:assert";
import { addAuthenticator, listen, startBrowser, startDemo } from "./demo.mjs";
import { Walk, picture } from "./steps.mjs";

const [program, pictures] = process.argv.slice(2);
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const desktop = { viewport: { width: 1100, height: 780 } };

const demo = await startDemo(program, Number(process.env.REGAIN_BROWSERTEST_PORT ?? 18400),
  (process.env.REGAIN_BROWSERTEST_DEMO ?? "").split(" ").filter(Boolean));
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");
const complaints = [];

/** Opens a browser profile. What it complains about on its console fails the run. */
async function open(options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(20_000);
  listen(context, complaints);
  return context.newPage();
}

async function nineteenSteps() {
  const page = await open(desktop);
  await addAuthenticator(page);
  const walk = new Walk(page, demo.urls, pictures);
  await walk.recover("ada.lindqvist@example.org");
  await walk.prove("ada.lindqvist");
  await walk.present("ada.lindqvist");
  await walk.signIn("ada.lindqvist@example.org");
  assert.equal(walk.count, 19, "steps");
  await page.context().close();
}

/** Walks a person on a phone in dark colours until the decision's page shows an element. */
async function decided(account, person, id, name) {
  const page = await open({ ...phone, colorScheme: "dark" });
  const walk = new Walk(page, demo.urls, undefined);
  walk.step = async (_, work) => work();
  await walk.recover(account);
  await walk.prove(person);
  await walk.present(person);
  await walk.see(id);
  await picture(page, pictures, name);
  await walk.press("finish");
  await walk.see("recovery-failed");
  assert.equal(await page.locator("#recovery-failed").getAttribute("data-error"), "access_denied");
  await page.context().close();
  console.log(`ok    ${name}`);
}

/** Another device: the QR code's text goes into a second browser's wallet, whose screen shows six digits. */
async function anotherDevice() {
  const page = await open(desktop);
  const walk = new Walk(page, demo.urls, undefined);
  walk.step = async (_, work) => work();
  await walk.recover("ada.lindqvist@example.org");
  await walk.press("have-verified-id");
  await walk.see("qr");
  await page.locator("summary").click();
  const code = await page.locator("#qr-text").innerText();

  const other = await open(phone);
  const second = new Walk(other, demo.urls, undefined);
  second.step = walk.step;
  await other.goto(`${demo.urls.proofing}/`);
  await second.press("begin");
  await second.press("agree");
  await second.press("person-ada.lindqvist");
  await second.press("confirm");
  await second.press("take-selfie");
  await second.see("wallet-link");
  const [wallet] = await Promise.all([other.context().waitForEvent("page"), second.press("wallet-link")]);
  await wallet.locator("#add").click();
  await wallet.locator("#done").waitFor();
  await wallet.goto(`${demo.urls.wallet}/`);
  await wallet.fill("#scan-url", code);
  await wallet.locator("#scan").click();
  await wallet.locator("#scanned").waitFor();
  await picture(wallet, pictures, "14-another-device-request");
  const choose = wallet.locator('[id="person-ada.lindqvist"]');
  if (await choose.count()) await choose.click();
  await wallet.locator("#face-check").click();
  await wallet.locator("#share").click();
  const goOn = wallet.locator("#continue");
  await wallet.locator("#continue, #digits").first().waitFor();
  if (await goOn.count()) await goOn.click();
  await wallet.locator("#digits").waitFor();
  await picture(wallet, pictures, "15-six-digits");
  const digits = await wallet.locator("#digits").innerText();

  await walk.see("code"); // live progress brought the page here without a click
  await picture(page, pictures, "16-type-the-digits");
  await page.fill("#code", digits);
  await page.keyboard.press("Enter");
  await walk.see("finish");
  await walk.title(/We confirmed it is you/);
  await page.context().close();
  await other.context().close();
  console.log("ok    another device, six digits, live progress");
}

/** With scripts off, and by keyboard alone, to the presentation page and out again. */
async function withoutScripts() {
  const page = await open({ ...phone, javaScriptEnabled: false });
  const walk = new Walk(page, demo.urls, undefined);
  walk.step = async (_, work) => work();
  await walk.recover("ada.lindqvist@example.org");
  await page.locator("#have-verified-id").focus();
  await page.keyboard.press("Enter");
  await walk.see("open-wallet");
  await page.screenshot({ path: `${pictures}/17-phone-without-scripts.png`, fullPage: true }); // axe is a script
  await page.locator("#look").focus();
  await page.keyboard.press("Enter");
  await walk.see("open-wallet");
  await page.locator("#cancel").focus();
  await page.keyboard.press("Enter");
  await walk.see("cancelled");
  await walk.press("finish");
  await walk.see("recovery-failed");
  await page.context().close();
  console.log("ok    without scripts, by keyboard");
}

let failure;
try {
  await nineteenSteps();
  await decided("jon.bell@example.org", "jon.bell", "denied", "18-denied-dark-phone");
  await decided("tomasz.nowak@example.org", "tomasz.nowak", "evaluated", "19-evaluated-dark-phone");
  await anotherDevice();
  await withoutScripts();
  assert.deepEqual(complaints, [], "the browser's console");
  console.log("browser: every step went as it must");
} catch (error) {
  failure = error;
  for (const context of browser.contexts()) for (const page of context.pages()) {
    console.error(`at ${page.url()}: ${(await page.locator("body").innerText().catch(() => "")).slice(0, 600)}`);
  }
  if (complaints.length) console.error("console:", complaints);
} finally {
  await browser.close();
  await demo.stop();
}
if (failure) { console.error(failure); process.exit(1); }
