// Walks a recovery from Dex's sign-in page, reached from an application on another origin; and a refusal. scripts/dex
// starts what it needs.
//
//   SUBJECT=name|id node dex.mjs DEX DEMO_PORT DIRECTORY_FILE
import { strict as assert } from "node:assert";
import * as client from "openid-client";
import { accountID, back, startBrowser, startLanding } from "./demo.mjs";
import { Walk } from "./steps.mjs";

const [dex, port, accounts] = process.argv.slice(2);
const at = (name, offset) => `http://${name}.localhost:${Number(port) + offset}`;
const urls = { "main IdP": at("idp", 1), Regain: at("regain", 0), proofing: at("proofing", 2), wallet: at("wallet", 3) };
const landing = await startLanding();
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");
const application = await client.discovery(new URL(dex), "application", undefined, client.None(), { execute: [client.allowInsecureRequests] });

/** From the application by Dex through Regain, up to where the browser is sent after that. */
async function recover(name, person) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(30_000);
  const walk = new Walk(page, urls, undefined);
  walk.step = async (_, work) => work();
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  await page.goto(client.buildAuthorizationUrl(application, {
    redirect_uri: landing.redirect, scope: "openid profile federated:id", state, nonce, connector_id: "regain",
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  }).href);
  await page.fill("#account-name", name);
  await walk.press("name-account");
  await walk.prove(person);
  await walk.present(person);
  await walk.press("finish");
  const redeem = async () => (await client.authorizationCodeGrant(application, new URL(await back(page, landing.redirect)), {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  })).claims();
  return { page, redeem };
}

try {
  const claims = await (await recover("Ada.Lindqvist@example.org", "ada.lindqvist")).redeem();
  const [ada, user] = [claims.name, claims.federated_claims];
  assert.deepEqual([ada, user.connector_id, user.user_id], ["ada.lindqvist@example.org", "regain", process.env.SUBJECT === "id" ? await accountID(accounts, ada) : ada]);
  console.log("ok    Dex signs in who recovered, under the directory's name whatever was typed, and its application hears of it");
  const { page } = await recover("jon.bell@example.org", "jon.bell");
  await page.waitForURL((url) => url.href.startsWith(dex) || url.href.startsWith(landing.redirect) || url.pathname === "/application");
  assert.match(await page.locator("body").innerText(), /Authentication failed/);
  assert.doesNotMatch(page.url(), /code=/);
  console.log("ok    Dex signs in nobody who was refused");
} finally {
  await browser.close();
  landing.stop();
}
