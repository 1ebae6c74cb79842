// The Digital Credentials API in Chromium. Its virtual wallet says what it was told to say and reads no request, so a
// wallet of foreign libraries (wallet.mjs) reads what the page asks its browser for, and the virtual one says its answer.
import { strict as assert } from "node:assert";

/** Puts a wallet behind a page's browser, before the page is loaded. It is asked as platform.answer says. */
async function behind(page) {
  const session = await page.context().newCDPSession(page);
  const platform = { asked: [], answer: undefined };
  await page.exposeBinding("platform", async (_, requests) => {
    platform.asked.push(requests);
    await session.send("DigitalCredentials.setVirtualWalletBehavior", await platform.answer(requests));
  });
  await page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = async (options) => {
      await globalThis.platform(options.digital.requests);
      return get(options);
    };
  });
  return platform;
}

const respond = (answer) => ({ action: "respond", ...answer });

/** Opens the presentation page with a wallet behind its browser. */
async function open(walk) {
  const platform = await behind(walk.page);
  await walk.page.reload(); // the information page, which was loaded without it
  await walk.press("have-verified-id");
  await walk.see("ask-browser");
  platform.origin = new URL(walk.page.url()).origin;
  return platform;
}

/** Asks once, and waits for what the page says about it; the other ways have to stay. */
async function refused(walk, platform, answer, message, name) {
  platform.answer = answer;
  await walk.press("ask-browser");
  await walk.page.locator("#digital-credentials-status.mistake").filter({ hasText: message }).waitFor();
  await walk.page.locator('#ask-browser[aria-disabled="false"]').waitFor();
  for (const id of ["open-wallet", "qr"]) await walk.see(id);
  if (name) await walk.picture(name);
  await walk.page.locator("#digital-credentials-status").evaluate((element) => { element.className = "note"; element.textContent = ""; });
}

/** A recovery by one protocol. What the wallet shows comes through the browser, and the verdict is in force at once. */
export const recovers = (wallet, protocol, type) => async (walk) => {
  const platform = await open(walk);
  await wallet.faceCheck(type);
  platform.answer = async ([asked, ...others]) => {
    assert.deepEqual([asked.protocol, others], [protocol, []]);
    return respond(await wallet.answerBrowser(asked, platform.origin));
  };
  await walk.press("ask-browser");
};

const accept = /cannot be accepted\. Try again, or choose another way below\. \(Reference [0-9a-f]{16}\)/;

/** Everything that can go wrong between a page and a wallet, one after the other in one recovery, which then succeeds. */
export const stumbles = (wallet, protocol) => async (walk) => {
  const platform = await open(walk);
  await wallet.faceCheck();
  const changed = (changes) => async ([asked]) => respond(await wallet.answerBrowser(asked, platform.origin, changes));
  const as = (other) => async ([asked]) => respond({ ...(await wallet.answerBrowser(asked, platform.origin)), protocol: other });
  const plain = (response) => async ([{ protocol: name }]) => respond({ protocol: name, response });
  await refused(walk, platform, async () => ({ action: "decline" }), "Nothing was shared. Try again, or choose another way below.");
  await refused(walk, platform, as("org-iso-mdoc"), accept);
  await refused(walk, platform, as("openid4vp-v1-unsigned"), accept);
  await refused(walk, platform, changed({ request: { nonce: "the nonce of another request" } }), accept);
  await refused(walk, platform, changed({ origin: "https://rogue.example" }), accept);
  await refused(walk, platform, plain({ vp_token: { verified_id: ["in the clear"] } }), accept);
  await refused(walk, platform, plain({ response: "not.a.jwe" }), accept, "27-browser-refused");
  assert.equal(new Set(platform.asked.map((asked) => JSON.stringify(asked).length)).size, 1, "each time the same request");
  platform.answer = changed({});
  await walk.press("ask-browser");
  assert.equal(protocol, "openid4vp-v1-signed");
};

/** The person declines in the browser, then the wallet answers with an error, then they go on by the link. */
export const otherWay = (wallet) => async (walk) => {
  const platform = await open(walk);
  await refused(walk, platform, async () => ({ action: "decline" }), "Nothing was shared.");
  platform.answer = async ([{ protocol }]) => respond({ protocol, response: { error: "access_denied" } });
  await walk.press("ask-browser");
  await walk.see("wallet-error"); // the page was loaded again
  await walk.comeBack(await wallet.answer(await walk.page.locator("#open-wallet").getAttribute("href")));
};

/** A browser without the API shows the other ways only. */
export const without = (wallet) => async (walk) => {
  await walk.page.addInitScript(() => { delete globalThis.DigitalCredential; });
  await walk.page.reload();
  await walk.press("have-verified-id");
  for (const id of ["open-wallet", "qr"]) await walk.see(id);
  await walk.page.waitForLoadState("load"); // deferred scripts have run
  assert.equal(await walk.page.locator("#digital-credentials").isVisible(), false);
  await walk.comeBack(await wallet.answer(await walk.page.locator("#open-wallet").getAttribute("href")));
};
