// Every way of asking a wallet, with wallets and an issuer of foreign libraries: links of each kind, the Digital Credentials
// API, QR codes; and what the pages show meanwhile.
//
//   node asking.mjs PROGRAM [PICTURES]
import { strict as assert } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as devices from "./devices.mjs";
import * as digital from "./digital.mjs";
import { CARD, Issuer, RECEIPT } from "./issuer.mjs";
import * as links from "./links.mjs";
import { recover, register } from "./party.mjs";
import { Wallet } from "./wallet.mjs";
import { accountOf, configure } from "./ways.mjs";
import { startBrowser, startDemo, startLanding } from "./demo.mjs";

const [program, pictures] = process.argv.slice(2);
const port = Number(process.env.REGAIN_BROWSERTEST_PORT ?? 18400) + 30;
const directory = await mkdtemp(join(tmpdir(), "regain-asking-"));
const landing = await startLanding();
const issuer = await Issuer.create();
const party = await register(directory, "foreign", landing.redirect, "private_key_jwt");
const file = await configure(directory, { host: `regain.localhost:${port}`, clients: [party.entry], issuer });
const demo = await startDemo(program, port, ["--configuration", file, "--offer", "VerifiedIdentity,MobileDrivingLicence"]);
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");
const desktop = { viewport: { width: 1100, height: 780 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/** How the wallet is reached, as the recovery token has it. */
const flows = { "a link": "same_device", "the browser": "digital_credentials", "another device": "cross_device" };

/** Walks one way to a pass that works, and says so. */
async function walked(way, by, name, prove, options = desktop) {
  const { recovery } = await recover({ browser, demo, party, options, pictures, account: accountOf(way) }, prove);
  assert.deepEqual([recovery.profile, recovery.mode, recovery.flow, recovery.session_bound], [way, "production", flows[by], true]);
  console.log(`ok    ${by}: ${name}`);
}

/** A wallet with a staff card of the foreign issuer, who writes the receipts about its photo too. */
async function cardHolder() {
  const wallet = await Wallet.create();
  const card = await issuer.card({ given_name: "Ada", family_name: "Lindqvist" }, wallet.key.publicJwk);
  wallet.held[CARD] = card.encodedForOid4Vci;
  wallet.faceCheck = async () => { wallet.held[RECEIPT] = await issuer.receipt(card, wallet.key.publicJwk); };
  return wallet;
}

async function everyWay() {
  const [wallet, staff] = [await Wallet.create(), await cardHolder()];
  await links.obtain(browser, demo, wallet);
  const watching = devices.rotates({ browser, demo, party, pictures, wallet });
  watching.catch(() => {}); // reported below
  for (const [way, name] of [["get", "a request by GET"], ["plain", "an answer that is not encrypted"], ["dns", "a DNS name in our certificate"], ["did", "our did:web"],
    ["value", "the whole request in the link, which nobody signed"], ["haip", "the High Assurance Interoperability Profile"]]) {
    await walked(way, "a link", name, links.answers(wallet));
  }
  await walked("get", "a link", "the wallet answers with an error first", links.refusesFirst(wallet));
  await walked("licence", "a link", "a driving licence, and a Face Check against its photo", links.answers(wallet));
  await walked("card", "a link", "an mdoc of an issuer that shares nothing with us either", links.answers(staff));
  await walked("signed", "the browser", "a signed request, after everything that can go wrong", digital.stumbles(wallet, "openid4vp-v1-signed"));
  await walked("unsigned", "the browser", "an unsigned request", digital.recovers(wallet, "openid4vp-v1-unsigned"), phone);
  await walked("multisigned", "the browser", "a request that several could sign", digital.recovers(wallet, "openid4vp-v1-multisigned"));
  await walked("plain", "the browser", "an answer that is not encrypted", digital.recovers(wallet, "openid4vp-v1-unsigned"));
  await walked("licence", "the browser", "a driving licence", digital.recovers(wallet, "openid4vp-v1-signed", "org.iso.18013.5.1.mDL"));
  await walked("card", "the browser", "an mdoc, unsigned request", digital.recovers(staff, "openid4vp-v1-unsigned"));
  await walked("signed", "a link", "after the person declined in the browser", digital.otherWay(wallet));
  await walked("signed", "a link", "in a browser without the API", digital.without(wallet));
  await walked("several", "a link", "one of two, to different kinds of wallet", devices.several(wallet, phone));
  await walked("get", "another device", "in another network", devices.elsewhere(wallet, browser, phone), { ...desktop, extraHTTPHeaders: { "X-Forwarded-For": "192.0.2.7" } });
  await watching;
  console.log("ok    QR codes change until one is scanned, and old ones are worth nothing");
}

let failure;
try {
  await everyWay();
} catch (error) {
  failure = error;
  for (const context of browser.contexts()) for (const page of context.pages()) {
    console.error(`at ${page.url()}: ${(await page.locator("body").innerText().catch(() => "")).slice(0, 600)}`);
  }
} finally {
  await browser.close();
  await demo.stop();
  landing.stop();
  await rm(directory, { recursive: true });
}
if (failure) throw failure;
