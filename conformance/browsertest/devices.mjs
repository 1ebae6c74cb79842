// One device and two: QR codes that change, a page for several kinds of wallet, and what the other device shows.
import { strict as assert } from "node:assert";
import { begin } from "./party.mjs";
import { Walk, picture } from "./steps.mjs";
import { accountOf } from "./ways.mjs";

/** Opens the presentation page of a way, and the QR code's text on it. */
async function open({ browser, demo, party }, way) {
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const walk = new Walk(page, demo.urls, undefined);
  await page.goto((await begin(party, demo.urls.Regain, accountOf(way))).url);
  await walk.press("have-verified-id");
  await walk.see("qr");
  await page.locator("summary").click();
  await page.evaluate(() => { globalThis.unloaded = "never"; });
  return walk;
}

/** What the QR code is: its text, and where its picture comes from once it is drawn. */
const codeOn = async (walk) => ({
  text: await walk.page.locator("#qr-text").innerText(),
  src: await walk.page.locator("#qr").evaluate(async (image) => { await image.decode(); return image.src; }),
});

/** Waits for the code after one: another text, another picture, and the page is still the same. */
async function next(walk, before) {
  await walk.page.waitForFunction((text) => document.querySelector("#qr-text").innerText !== text, before.text, { timeout: 60_000 });
  const code = await codeOn(walk);
  assert.notEqual(code.src, before.src);
  assert.equal(await walk.page.evaluate(() => globalThis.unloaded), "never");
  return code;
}

/** Two recoveries at once: in one nobody scans the code, which changes and dies; in the other somebody does, and it stays. */
export async function rotates(environment) {
  const [unseen, seen] = [await open(environment, "rotating"), await open(environment, "rotating")];
  const scanned = await codeOn(seen);
  await environment.wallet.read(scanned.text);
  await seen.page.locator("#progress", { hasText: "Opened in your wallet" }).waitFor();
  const first = await codeOn(unseen);
  const second = await next(unseen, first);
  const third = await next(unseen, second);
  assert.notEqual(third.text, first.text);
  const phone = await unseen.page.context().newPage();
  await phone.goto(`${environment.demo.urls.wallet}/`);
  await phone.fill("#scan-url", first.text);
  await phone.locator("#scan").click();
  await phone.getByText("This link no longer works").waitFor();
  assert.deepEqual(await codeOn(seen), scanned, "two lives of a code later");
  for (const walk of [unseen, seen]) await walk.page.context().close();
}

/** A page for two kinds of wallet has two links and two codes, and either wallet may answer. */
export const several = (wallet, phone) => async (walk) => {
  await walk.press("have-verified-id");
  for (const [id, name] of [["ask-browser", "Use Example Wallet"], ["open-wallet", "Open Example Wallet"], ["open-wallet-1", "Open Campus Wallet"]]) {
    await walk.see(id);
    assert.equal(await walk.page.locator(`#${id}`).innerText(), name);
  }
  for (const id of ["qr", "qr-1"]) await walk.page.locator(`#${id}`).evaluate((image) => image.decode());
  await walk.picture("25-two-wallets");
  const { width, height } = walk.page.viewportSize();
  await walk.page.setViewportSize(phone.viewport);
  assert.ok(await walk.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than a phone");
  await walk.picture("26-two-wallets-narrow");
  await walk.page.setViewportSize({ width, height });
  await walk.comeBack(await wallet.answer(await walk.page.locator("#open-wallet-1").getAttribute("href")));
};

/** The wallet is on a phone in another network, whose page says what the digits are for, and that. */
export const elsewhere = (wallet, browser, phone) => async (walk) => {
  await walk.press("have-verified-id");
  await walk.see("qr");
  await walk.page.locator("summary").click();
  const context = await browser.newContext({ ...phone, extraHTTPHeaders: { "X-Forwarded-For": "198.51.100.7" } });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  await page.goto(await wallet.answer(await walk.page.locator("#qr-text").innerText()));
  await page.locator("#elsewhere").waitFor();
  const text = await page.locator("#context").innerText();
  for (const part of ["g•••@example.org", "Foreign Organisation", "on Linux", "just now"]) assert.ok(text.includes(part), `${part} in: ${text}`);
  await picture(page, walk.pictures, "28-another-network");
  const digits = await page.locator("#digits").innerText();
  await context.close();
  await walk.see("code");
  await walk.page.fill("#code", digits);
  await walk.page.keyboard.press("Enter");
};
