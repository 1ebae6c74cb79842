// Walks recoveries from Keycloak's sign-in page, reached from an application on another origin, to a passkey; and a refusal.
// In a second run, "renamed", Ada has another name in the demo's directory, and Maria was given the name that Ada had.
// scripts/keycloak starts what it needs.
//
//   SUBJECT=name|id node keycloak.mjs KEYCLOAK REALM DEMO_PORT DIRECTORY_FILE [renamed]
import { strict as assert } from "node:assert";
import { createHash, randomBytes } from "node:crypto";
import { accountID, addAuthenticator, back, startBrowser, startLanding } from "./demo.mjs";
import { Walk } from "./steps.mjs";

const [keycloak, realm, port, accounts, again] = process.argv.slice(2);
const [ada, password] = ["ada.lindqvist@example.org", process.env.KEYCLOAK_ADMIN_PASSWORD];
const at = (name, offset) => `http://${name}.localhost:${Number(port) + offset}`;
const urls = { "main IdP": at("idp", 1), Regain: at("regain", 0), proofing: at("proofing", 2), wallet: at("wallet", 3) };
const endpoint = (name) => `${keycloak}/realms/${realm}/protocol/openid-connect/${name}`;
const landing = await startLanding();
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");

/** The application's authorization request. */
const verifier = randomBytes(32).toString("base64url");
const request = (more) => `${endpoint("auth")}?${new URLSearchParams({
  client_id: "application", redirect_uri: landing.redirect, response_type: "code", scope: "openid",
  code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256", ...more,
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

/** Returns the user of Keycloak's whom the application was told of. */
async function signedIn(page) {
  const code = new URL(await back(page, landing.redirect)).searchParams.get("code");
  const form = new URLSearchParams({ client_id: "application", grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: landing.redirect });
  const { id_token: token } = await (await fetch(endpoint("token"), { method: "POST", body: form })).json();
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sub;
}

const userOf = async (name) => (await admin(`users?username=${name}&exact=true`))[0];

/** Returns what Keycloak remembers of Regain for a user: the claim `sub`. */
const linkOf = async (id) => (await admin(`users/${id}/federated-identity`)).map(({ identityProvider, userId }) => `${identityProvider} ${userId}`);

/** Returns what Regain says in `sub` about an account that is called so. */
const subOf = async (name) => (process.env.SUBJECT === "id" ? accountID(accounts, name) : name);

async function registerPasskey(page) {
  page.on("dialog", (dialog) => dialog.accept(`passkey ${randomBytes(4).toString("hex")}`)); // Keycloak wants labels that differ
  await page.locator("#registerWebAuthn").click();
}

async function federated() {
  const { id } = await userOf(ada);
  const form = new URLSearchParams({ client_id: "application", grant_type: "password", scope: "openid", username: ada, password });
  for (let i = 0; i < 3; i += 1) assert.ok((await fetch(endpoint("token"), { method: "POST", body: form })).ok, "a session of before the recovery");
  const page = await recover(ada, "ada.lindqvist");
  assert.match(await back(page, landing.redirect), /code=/);
  assert.deepEqual(await linkOf(id), [`regain ${await subOf(ada)}`]);
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
}

/** Renames Ada in the realm as in the directory, gives her name to Maria, and has both recover. */
async function renamed() {
  const [{ id }, novak] = [await userOf(ada), "ada.novak@example.org"];
  await admin(`users/${id}`, "PUT", { ...(await admin(`users/${id}`)), username: novak, email: novak });
  await admin("users", "POST", { username: ada, firstName: "Maria", lastName: "Garcia", email: "maria.garcia@example.org", enabled: true });
  const maria = await userOf(ada);
  if (process.env.SUBJECT !== "id") {
    const stopped = await recover(novak, "ada.lindqvist");
    assert.match(await stopped.locator("body").innerText(), /Your account is already linked to the identity provider/);
    assert.equal(await signedIn(await recover(ada, "maria.garcia")), id);
    console.log("ok    by name, the link of before stops who was renamed, and signs in who was given the name as somebody else");
    await admin(`users/${id}/federated-identity/regain`, "DELETE");
  }
  assert.equal(await signedIn(await recover(novak, "ada.lindqvist")), id);
  assert.equal(await signedIn(await recover(ada, "maria.garcia")), maria.id);
  assert.deepEqual([await linkOf(id), await linkOf(maria.id)], [[`regain ${await subOf(novak)}`], [`regain ${await subOf(ada)}`]]);
  console.log(`ok    each is signed in as themselves${process.env.SUBJECT === "id" ? "" : " once it is removed"}: who was renamed, and who was given the name`);
}

try {
  await (again ? renamed() : federated());
} finally {
  await browser.close();
  landing.stop();
}
