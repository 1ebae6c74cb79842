// Walks a recovery from Keycloak's sign-in page to a passkey, and a refusal. scripts/keycloak starts what it needs.
//
//   node keycloak.mjs KEYCLOAK REALM
import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { addAuthenticator, startBrowser } from "./demo.mjs";
import { Walk } from "./steps.mjs";

const [keycloak, realm] = process.argv.slice(2);
const urls = { "main IdP": "http://idp.localhost:8401", Regain: "http://regain.localhost:8400", proofing: "http://proofing.localhost:8402", wallet: "http://wallet.localhost:8403" };
const account = `${keycloak}/realms/${realm}/account/`;
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");

/** From Keycloak's sign-in page through Regain and back. */
async function recover(name, person) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(20_000);
  await addAuthenticator(page);
  const walk = new Walk(page, urls, undefined);
  walk.step = async (_, work) => work();
  await page.goto(account);
  await page.locator("#social-regain").click();
  await page.fill("#account-name", name);
  await walk.press("name-account");
  await walk.prove(person);
  await walk.present(person);
  await walk.press("finish");
  return page;
}

try {
  const page = await recover("ada.lindqvist@example.org", "ada.lindqvist");
  await page.getByText("Personal info").first().waitFor();
  console.log("ok    Keycloak signs in who recovered");
  await page.goto(`${keycloak}/realms/${realm}/protocol/openid-connect/auth?${new URLSearchParams({
    client_id: "account-console", redirect_uri: account, response_type: "code", scope: "openid", kc_action: "webauthn-register-passwordless",
    code_challenge: randomBytes(32).toString("base64url"), code_challenge_method: "S256",
  })}`);
  page.on("dialog", (dialog) => dialog.accept("passkey"));
  await page.locator("#registerWebAuthn").click();
  await page.waitForURL((at) => at.href.startsWith(account));
  await page.goto(`${keycloak}/realms/${realm}/protocol/openid-connect/logout`);
  await page.locator("#kc-logout").click();
  await page.waitForLoadState("networkidle");
  await page.goto(account); // the sign-in page offers passkeys by itself, and the authenticator here takes the offer
  await page.getByText("Personal info").first().waitFor();
  console.log("ok    a passkey is registered, and signs in");
  const refused = await recover("jon.bell@example.org", "jon.bell");
  assert.match(await refused.locator("body").innerText(), /Access denied when authenticating with Recover your account/);
  console.log("ok    Keycloak signs in nobody who was refused");
} finally {
  await browser.close();
}
