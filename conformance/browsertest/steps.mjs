// The steps of a recovery, as a person takes them. Each looks at what is on the screen before it goes on.
import { strict as assert } from "node:assert";
import axe from "axe-core";

/** A walk keeps the page in hand and takes pictures of it. */
export class Walk {
  constructor(page, urls, pictures) {
    this.page = page;
    this.urls = urls;
    this.pictures = pictures;
    this.count = 0;
  }

  /** Does one step and says so. */
  async step(name, work) {
    this.count += 1;
    await work();
    console.log(`ok ${String(this.count).padStart(2)} ${name}`);
  }

  /** Presses a button or a link, or the main button of a form. */
  async press(id) {
    const button = this.page.locator(`form[id="${id}"] button.main`);
    await this.page.locator(`[id="${id}"]`).first().waitFor({ state: "visible" });
    await ((await button.count()) ? button.first() : this.page.locator(`[id="${id}"]`)).click();
  }

  async see(id) { await this.page.locator(`[id="${id}"]`).first().waitFor({ state: "visible" }); }

  async title(expected) { assert.match(await this.page.locator("h1").first().innerText(), expected); }

  async picture(name) { if (this.pictures) await picture(this.page, this.pictures, name); }

  /** A wallet opens the address that it got, in a tab of its own, as phones do. The page that waited goes on by itself. */
  async comeBack(address) {
    const tab = await this.page.context().newPage();
    await tab.goto(address);
    await tab.close();
  }

  /** Steps 1 to 4: from the main IdP to Regain's first page. */
  async recover(account) {
    await this.step("the main IdP's sign-in page", async () => {
      await this.page.goto(`${this.urls["main IdP"]}/`);
      await this.page.fill("#account", account);
      await this.picture("01-sign-in");
    });
    await this.step("other ways to sign in", async () => { await this.press("other-ways"); await this.see("recover"); await this.picture("02-other-ways"); });
    await this.step("recover your account", async () => { await this.page.fill("#account", account); await this.press("recover"); await this.see("have-verified-id"); });
    await this.step("the information page names the masked account and the organisation", async () => {
      await this.title(/Recover your account/);
      assert.match(await this.page.locator("#account").innerText(), new RegExp(`^${account[0]}•••@example\\.org$`));
      assert.match(this.page.url(), new RegExp(`^${this.urls.Regain}/recover/`));
      await this.picture("03-information");
    });
  }

  /** Steps 5 to 10: a document and a face become a Verified ID in the wallet. */
  async prove(person) {
    await this.verify(person);
    await this.add();
  }

  /** Steps 5 to 7, at the proofing provider. */
  async verify(person) {
    await this.step("the hand-off to the proofing provider", async () => { await this.press("get-verified-id"); await this.see("agree"); });
    await this.step("consent, and a document", async () => {
      await this.press("agree");
      await this.press(`person-${person}`);
      await this.see("confirm");
      await this.picture("04-document");
    });
    await this.step("a selfie is compared", async () => { await this.press("confirm"); await this.press("take-selfie"); await this.see("wallet-link"); await this.picture("05-offer"); });
  }

  /** Steps 8 to 10, with the demo's wallet. */
  async add() {
    await this.step("the wallet shows the offer", async () => {
      const [wallet] = await Promise.all([this.page.context().waitForEvent("page"), this.press("wallet-link")]);
      this.wallet = wallet;
      await wallet.locator("#add").waitFor();
      await picture(wallet, this.pictures, "06-wallet-offer");
    });
    await this.step("the Verified ID is added", async () => { await this.wallet.locator("#add").click(); await this.wallet.locator("#done").waitFor(); await this.wallet.close(); });
    await this.step("back at the organisation", async () => { await this.press("return"); await this.see("have-verified-id"); });
  }

  /** Steps 11 to 15: the presentation on this device. */
  async present(person) {
    await this.step("the presentation page", async () => {
      await this.press("have-verified-id");
      await this.see("open-wallet");
      await this.see("qr");
      const drawn = await this.page.locator("#qr").evaluate(async (image) => {
        if (!image.complete) await new Promise((resolve) => { image.onload = image.onerror = resolve; }); // it may be on its way
        return image.naturalWidth > 0;
      });
      assert.ok(drawn, "the QR code is not drawn");
      await this.picture("07-presentation");
    });
    await this.step("the wallet shows who asks, and what for", async () => {
      await this.press("open-wallet");
      await this.see("verifier");
      const choose = this.page.locator(`[id="person-${person}"]`);
      if (await choose.count()) await choose.click();
      await this.see("face-check");
      await this.picture("08-wallet-request");
    });
    await this.step("the Face Check", async () => { await this.press("face-check"); await this.see("share"); await this.picture("09-face-check"); });
    await this.step("share", async () => {
      await this.press("share");
      await this.page.waitForURL((url) => url.href.startsWith(this.urls.Regain) || url.href.startsWith(this.urls.wallet));
      if (await this.page.locator("#continue").count()) await this.press("continue");
    });
  }

  /** Steps 16 to 19: the pass is used for a passkey, and the passkey signs in. */
  async signIn(account) {
    await this.step("Regain confirms, and sends the person back", async () => {
      await this.see("finish");
      await this.title(/We confirmed it is you/);
      await this.picture("10-done");
      await this.press("finish");
      await this.see("pass-sign-in");
    });
    await this.step("the pass signs in, once", async () => {
      await this.see("recovered");
      assert.doesNotMatch(this.page.url(), /code=|pass=/);
      await this.picture("11-welcome-back");
      await this.press("pass-sign-in");
      await this.see("create-passkey");
    });
    await this.step("a passkey is created", async () => { await this.press("create-passkey"); await this.see("passkey-created"); await this.picture("12-passkey-created"); });
    await this.step("the passkey signs in", async () => { await this.press("sign-in-now"); await this.press("passkey-sign-in"); await this.see("signed-in"); });
    await this.step("signed in as the right person", async () => { assert.match(await this.page.locator("main").innerText(), new RegExp(account)); await this.picture("13-signed-in"); });
  }
}

/** Takes a picture of a page, after looking at it as somebody who cannot see it would have to. */
export async function picture(page, directory, name) {
  if (!directory) return;
  const dark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
  for (const colorScheme of dark ? ["light", "dark"] : ["dark", "light"]) { // the page's own last
    await page.emulateMedia({ colorScheme });
    await accessible(page, `${name}, ${colorScheme}`);
  }
  await reflows(page, name);
  await page.screenshot({ path: `${directory}/${name}.png`, fullPage: true });
}

/** Fails on what axe finds against WCAG 2.2 A and AA: names, roles, order, labels, contrast in the colours that are shown. */
async function accessible(page, name) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.ok(passes.length > 10, `axe looked at ${name}`);
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
  assert.deepEqual(found, [], `accessibility of ${name}`);
  assert.deepEqual(await page.evaluate(faintFields), [], `fields that one cannot see the edge of: ${name}`);
}

/** Fails on a page that has to be scrolled sideways at 320 px (WCAG 2.2 §1.4.10), also where the organisation's name is one long word. */
async function reflows(page, name) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: size.height });
  const width = await page.evaluate(() => {
    const organisation = document.querySelector(".bar .name");
    const called = organisation?.textContent;
    if (organisation) organisation.textContent = "Verwaltungsgemeinschaftsverband";
    const { scrollWidth } = document.documentElement;
    if (organisation) organisation.textContent = called;
    return scrollWidth;
  });
  await page.setViewportSize(size);
  assert.ok(width <= 320, `${name} is ${width} px wide on a screen of 320`);
}

/** Finds fields whose edge is hard to see, which axe does not look at (WCAG 2.2 §1.4.11: 3 to 1). Runs in the page. */
function faintFields() {
  const rgb = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = rgb(colour).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => { // the first ancestor that paints something
    const colour = getComputedStyle(element).backgroundColor;
    return rgb(colour)[3] === 0 && element.parentElement ? behind(element.parentElement) : colour;
  };
  return [...document.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio], [type=submit]), textarea, select")].flatMap((field) => {
    const [edge, around] = [luminance(getComputedStyle(field).borderTopColor), luminance(behind(field.parentElement))];
    const contrast = (Math.max(edge, around) + 0.05) / (Math.min(edge, around) + 0.05);
    return contrast < 3 ? [`${field.id || field.name}: ${contrast.toFixed(2)}`] : [];
  });
}
