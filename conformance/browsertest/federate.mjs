// Federation as it is in the field: a stock IdP with a broker (idp.mjs), a client of FAPI 2.0 Message Signing, and an IdP
// whose people get the pass on the screen. And pictures of the pages that only these show.
//
//   node federate.mjs PROGRAM [PICTURES]
import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as client from "openid-client";
import * as jose from "jose";
import { MainIdP } from "./idp.mjs";
import { accountID, back, startBrowser, startDemo, startLanding } from "./demo.mjs";
import { Walk, picture } from "./steps.mjs";

const account = "ada.lindqvist@example.org";
const [program, pictures] = process.argv.slice(2);

const directory = await mkdtemp(join(tmpdir(), "regain-federate-"));
const landing = await startLanding();
const { redirect } = landing;
const idp = await MainIdP.start();

/** Registers a client with a secret. */
async function withSecret(id, entry) {
  const secret = randomBytes(32).toString("base64url");
  await writeFile(join(directory, id), secret);
  return { secret, entry: { id, name: "Foreign Organisation", token_endpoint_auth_method: "client_secret_post", secret: { file: join(directory, id) }, require_pushed_authorization_requests: false, ...entry } };
}

const broker = await withSecret("broker", { redirect_uris: [idp.redirect], scope: ["openid", "profile"], ask_account: true, session_reuse: true,
  policy_uri: "https://example.org/privacy", tos_uri: "https://example.org/terms",
});
const screen = await withSecret("screen", { redirect_uris: [redirect], scope: ["openid"], deliver: "screen", policy_uri: "https://example.org/privacy" });
const signing = await jose.generateKeyPair("ES256");
const jwks = join(directory, "bank.jwks.json");
await writeFile(jwks, JSON.stringify({ keys: [{ ...(await jose.exportJWK(signing.publicKey)), use: "sig", alg: "ES256", kid: "bank" }] }));
const bank = {
  id: "bank", name: "Foreign Bank", profile: "fapi2-message-signing", jwks_file: jwks, redirect_uris: [redirect], scope: ["openid", "profile", "offline_access"], subject: "id",
  dpop_bound_access_tokens: true, require_dpop_nonce: true, request_object_signing_alg: "ES256", require_signed_request_object: true,
};
const file = join(directory, "clients.yaml");
await writeFile(file, JSON.stringify({ clients: [broker.entry, screen.entry, bank] })); // JSON is YAML
const demo = await startDemo(program, Number(process.env.REGAIN_BROWSERTEST_PORT ?? 18400) + 20, ["--clients", file]);
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");

const discover = (id, metadata, authentication) => client.discovery(new URL(demo.urls.Regain), id, metadata, authentication, { execute: [client.allowInsecureRequests] });

async function open(options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const walk = new Walk(page, demo.urls, pictures);
  walk.step = async (_, work) => work();
  return { context, page, walk };
}

/** From the information page to the page after the decision, with the demo's wallet. */
async function prove(walk) {
  const { pictures: directory } = walk;
  walk.pictures = undefined; // run.mjs has them
  await walk.prove("ada.lindqvist");
  await walk.present("ada.lindqvist");
  walk.pictures = directory;
}

/** An application signs in at an IdP of oidc-provider, which federates to Regain; then again, from the session; then out. */
async function mainIdP() {
  idp.upstream = await discover("broker", undefined, client.ClientSecretPost(broker.secret));
  const application = await client.discovery(new URL(idp.issuer), "application", undefined, client.ClientSecretBasic(idp.application.client_secret), { execute: [client.allowInsecureRequests] });
  const { context, page, walk } = await open({ viewport: { width: 1100, height: 780 } });
  const signIn = async (person) => {
    const [verifier, nonce] = [client.randomPKCECodeVerifier(), client.randomNonce()];
    const url = client.buildAuthorizationUrl(application, {
      redirect_uri: idp.application.redirect_uris[0], scope: "openid", nonce, prompt: "login",
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    await page.goto(url.href);
    await person();
    await page.waitForURL((at) => at.href.startsWith(idp.application.redirect_uris[0]));
    const tokens = await client.authorizationCodeGrant(application, new URL(page.url()), { pkceCodeVerifier: verifier, expectedNonce: nonce, idTokenExpected: true });
    assert.equal(tokens.claims().sub, account);
    assert.deepEqual([idp.last.info.sub, idp.last.info.given_name, idp.last.claims.amr], [account, "Ada", ["pop", "face"]]);
    return idp.last.claims;
  };
  const first = await signIn(async () => {
    await walk.see("account-name");
    await picture(page, pictures, "20-name-the-account");
    await page.fill("#account-name", account);
    await walk.press("name-account");
    await prove(walk);
    await walk.press("finish");
  });
  const second = await signIn(async () => {});
  assert.deepEqual([second.auth_time, second.txn, second.sid], [first.auth_time, first.txn, first.sid]);
  await page.goto(`${demo.urls.Regain}/logout`);
  await walk.see("sign-out");
  await picture(page, pictures, "21-sign-out");
  await walk.press("sign-out");
  await walk.see("signed-out");
  await picture(page, pictures, "22-signed-out");
  await context.close();
  console.log("ok    an IdP of oidc-provider federates with openid-client: ask for the account, form_post, session, sign-out");
}

/** openid-client with everything that FAPI 2.0 Message Signing asks for: PAR, JAR, JARM, DPoP with nonces, refresh; by the directory's id. */
async function fapi() {
  const id = await accountID(join(demo.directory, "directory.yaml"), account);
  const config = await discover("bank", { authorization_signed_response_alg: "ES256", id_token_signed_response_alg: "ES256" }, client.PrivateKeyJwt({ key: signing.privateKey, kid: "bank" }));
  client.useJwtResponseMode(config);
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const signed = await client.buildAuthorizationUrlWithJAR(config, {
    redirect_uri: redirect, scope: "openid profile offline_access", state, nonce, login_hint: account, response_mode: "jwt",
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  }, { key: signing.privateKey, kid: "bank" });
  const url = await client.buildAuthorizationUrlWithPAR(config, { request: signed.searchParams.get("request"), client_id: "bank" }, { DPoP });
  const { context, page, walk } = await open();
  await page.goto(url.href);
  await prove(walk);
  await walk.press("finish");
  const returned = new URL(await back(page, redirect));
  assert.deepEqual([...returned.searchParams.keys()], ["response"]);
  const tokens = await client.authorizationCodeGrant(config, returned, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }, undefined, { DPoP });
  assert.equal(tokens.token_type, "dpop");
  const info = await client.fetchUserInfo(config, tokens.access_token, id, { DPoP });
  assert.deepEqual([tokens.claims().sub, info.preferred_username, info.family_name], [id, account, "Lindqvist"]);
  const again = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  assert.equal((await client.fetchUserInfo(config, again.access_token, id, { DPoP })).sub, id);
  await assert.rejects(client.fetchUserInfo(config, again.access_token, id), "a bound token without its proof");
  const stranger = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
  await assert.rejects(client.fetchUserInfo(config, again.access_token, id, { DPoP: stranger }), "a bound token with another key");
  await client.tokenRevocation(config, again.access_token, {});
  await assert.rejects(client.fetchUserInfo(config, again.access_token, id, { DPoP }), "a revoked token");
  await context.close();
  console.log("ok    openid-client with FAPI 2.0 Message Signing: PAR, JAR, JARM, DPoP with nonces, refresh, revocation, subject: id");
}

/** The person notes the pass, on a phone. */
async function passOnTheScreen() {
  const config = await discover("screen", undefined, client.ClientSecretPost(screen.secret));
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirect, scope: "openid", state, nonce, login_hint: account, code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const { context, page, walk } = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
  await page.goto(url.href);
  await prove(walk);
  await walk.see("show-pass");
  await picture(page, pictures, "23-before-the-pass");
  await walk.press("show-pass");
  await walk.see("pass");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector("#pass").getClientRects().length === 1), "the pass does not fit one line of a phone");
  const pass = await page.locator("#pass").innerText();
  assert.match(pass, /^\S{12}$/);
  if (pictures) await page.locator("#pass").evaluate((element) => { element.textContent = "Sample4Photo"; }); // the picture is published
  await picture(page, pictures, "24-the-pass");
  await page.reload();
  await walk.see("finish");
  assert.doesNotMatch(await page.content(), new RegExp(pass.replace(/[^\w]/g, "\\$&")));
  await walk.press("finish");
  const returned = new URL(await back(page, redirect));
  const tokens = await client.authorizationCodeGrant(config, returned, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
  assert.equal(tokens.claims().sub, account);
  const ask = async () => (await fetch(config.serverMetadata().temporary_access_pass_endpoint, {
    method: "POST", body: new URLSearchParams({ client_id: "screen", client_secret: screen.secret, account, pass }),
  })).json();
  assert.deepEqual([(await ask()).active, (await ask()).active], [true, false]);
  await context.close();
  console.log("ok    the pass on the screen, noted and used once");
}

let failure;
try {
  await mainIdP();
  await fapi();
  await passOnTheScreen();
} catch (error) {
  failure = error;
  console.error(idp.failure ?? "");
  for (const context of browser.contexts()) for (const page of context.pages()) {
    console.error(`at ${page.url()}: ${(await page.locator("body").innerText().catch(() => "")).slice(0, 600)}`);
  }
} finally {
  await browser.close();
  await demo.stop();
  landing.stop();
  idp.stop();
  await rm(directory, { recursive: true });
}
if (failure) throw failure;
