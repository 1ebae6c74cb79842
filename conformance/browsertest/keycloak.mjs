// Walks recoveries from Keycloak's sign-in page, reached from an application on another origin, to a passkey; and a refusal.
// scripts/keycloak starts what it needs.
//
//   node keycloak.mjs KEYCLOAK REALM DEMO_PORT
import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { addAuthenticator, back, startBrowser, startLanding } from "./demo.mjs";
import { Walk } from "./steps.mjs";

const [keycloak, realm, port] = process.argv.slice(2);
const [ada, password] = ["ada.lindqvist@example.org", process.env.KEYCLOAK_ADMIN_PASSWORD];
const at = (name, offset) => `http://${name}.localhost:${Number(port) + offset}`;
const urls = { "main IdP": at("idp", 1), Regain: at("regain", 0), proofing: at("proofing", 2), wallet: at("wallet", 3) };
const endpoint = (name) => `${keycloak}/realms/${realm}/protocol/openid-connect/${name}`;
const landing = await startLanding();
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");

/** The application's authorization request. */
const request = (more) => `${endpoint("auth")}?${new URLSearchParams({
  client_id: "application", redirect_uri: landing.redirect, response_type: "code", scope: "openid",
  code_challenge: randomBytes(32).toString("base64url"), code_challenge_method: "S256", ...more,
})}`;

/** Asks Keycloak's Admin API. */
async function admin(path, method = "GET", body = undefined) {
  const form = new URLSearchParams({ client_id: "admin-cli", grant_type: "password", username: "admin", password });
  const { access_token: token } = await (await fetch(`${keycloak}/realms/master/protocol/openid-connect/token`, { method: "POST", body: form })).json();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${keycloak}/admin/realms/${realm}/${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return method === "GET" ? answer.json() : undefined;
}

/** From the application by Keycloak's sign-in page through Regain, up to where the browser is sent after that. */
async function recover(name, person, more) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(30_000);
  await addAuthenticator(page);
  const walk = new Walk(page, urls, undefined);
  walk.step = async (_, work) => work();
  await page.goto(request(more));
  await page.locator("#social-regain").click();
  if (!more?.login_hint) {
    await page.fill("#account-name", name);
    await walk.press("name-account");
  }
  await walk.prove(person);
  await walk.present(person);
  await walk.press("finish");
  return page;
}

async function registerPasskey(page) {
  page.on("dialog", (dialog) => dialog.accept(`passkey ${randomBytes(4).toString("hex")}`)); // Keycloak wants labels that differ
  await page.locator("#registerWebAuthn").click();
}

try {
  const [{ id }] = await admin(`users?username=${ada}&exact=true`);
  const form = new URLSearchParams({ client_id: "application", grant_type: "password", scope: "openid", username: ada, password });
  for (let i = 0; i < 3; i += 1) assert.ok((await fetch(endpoint("token"), { method: "POST", body: form })).ok, "a session of before the recovery");
  const page = await recover(ada, "ada.lindqvist");
  assert.match(await back(page, landing.redirect), /code=/);
  console.log("ok    Keycloak signs in who recovered, and its application on another origin hears of it");
  assert.equal((await admin(`users/${id}/sessions`)).length, 1);
  console.log("ok    the sessions of before the recovery have ended");
  await page.goto(request({ kc_action: "webauthn-register-passwordless" }));
  await registerPasskey(page);
  assert.match(await back(page, landing.redirect), /kc_action_status=success/);
  await page.goto(endpoint("logout"));
  await page.locator("#kc-logout").click();
  await page.waitForLoadState("networkidle");
  await page.goto(request()); // the sign-in page offers passkeys by itself, and the authenticator here takes the offer
  await back(page, landing.redirect);
  console.log("ok    a passkey is registered, and signs in");

  await admin(`users/${id}`, "PUT", { ...(await admin(`users/${id}`)), requiredActions: ["webauthn-register-passwordless"] });
  const marked = await recover(ada, "ada.lindqvist", { login_hint: ada });
  await registerPasskey(marked);
  await back(marked, landing.redirect);
  assert.equal((await admin(`users/${id}/credentials`)).filter(({ type }) => type === "webauthn-passwordless").length, 2);
  console.log("ok    Regain does not ask for the account that the application named, and who was marked has to register a passkey");

  const linking = await recover(ada, "ada.lindqvist", { login_hint: ada });
  await back(linking, landing.redirect);
  await linking.goto(request({ kc_action: "idp_link:regain" }));
  assert.doesNotMatch(await back(linking, landing.redirect), /kc_action_status=success/);
  console.log("ok    nobody who is signed in can link a recovery to the account");

  const refused = await recover("jon.bell@example.org", "jon.bell");
  assert.match(await refused.locator("body").innerText(), /Access denied when authenticating with Recover your account/);
  console.log("ok    Keycloak signs in nobody who was refused");
} finally {
  await browser.close();
  landing.stop();
}
