// A relying party that shares nothing with us: panva's openid-client and jose, as an IdP's engineer would use them.
import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as client from "openid-client";
import * as jose from "jose";
import { Walk } from "./steps.mjs";
import { back, listen } from "./demo.mjs";

/** Makes a client's keys, and the files with which it is registered. */
export async function register(directory, id, redirect, method) {
  const signing = await jose.generateKeyPair("ES256");
  const decryption = await jose.generateKeyPair("ECDH-ES", { crv: "P-256" });
  const keys = [
    { ...(await jose.exportJWK(signing.publicKey)), use: "sig", alg: "ES256", kid: `${id}-sig` },
    { ...(await jose.exportJWK(decryption.publicKey)), use: "enc", alg: "ECDH-ES", kid: `${id}-enc` },
  ];
  const secret = randomBytes(32).toString("base64url");
  const [jwks, password] = [join(directory, `${id}.jwks.json`), join(directory, `${id}.secret`)];
  await writeFile(jwks, JSON.stringify({ keys }));
  await writeFile(password, secret);
  const entry = { id, name: "Foreign Organisation", jwks_file: jwks, redirect_uris: [redirect], token_endpoint_auth_method: method };
  if (method === "client_secret_basic") entry.secret = { file: password };
  const authentication = method === "private_key_jwt"
    ? client.PrivateKeyJwt({ key: signing.privateKey, kid: `${id}-sig` })
    : client.ClientSecretBasic(secret);
  return { id, entry, authentication, decryption: decryption.privateKey, redirect };
}

/** Begins the recovery of an account with a pushed request. redeem takes the URL at which the browser came back. */
export async function begin(party, regain, account) {
  const config = await client.discovery(new URL(regain), party.id, undefined, party.authentication, { execute: [client.allowInsecureRequests] });
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: party.redirect, scope: "openid recovery", state, nonce, login_hint: account,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const redeem = async (returned) => {
    const tokens = await client.authorizationCodeGrant(config, new URL(returned), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
    const { sub, txn, acr } = tokens.claims();
    assert.equal(sub, account);
    const info = await client.fetchUserInfo(config, tokens.access_token, sub);
    assert.deepEqual([info.sub, info.txn], [sub, txn]);
    const recovery = await open(tokens.recovery_token, party, config);
    assert.deepEqual([recovery.sub, recovery.txn, recovery.nonce, recovery.acr], [sub, txn, nonce, acr]);
    await usePass(config, party, recovery);
    await assert.rejects(client.authorizationCodeGrant(config, new URL(returned), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce }), { error: "invalid_grant" });
    return recovery;
  };
  return { url: url.href, redeem };
}

/** Is the person who recovers, until the browser is back at the relying party and the pass was used. Returns the recovery token. */
export async function recover({ browser, demo, party, options, account, pictures }, prove) {
  const context = await browser.newContext(options);
  const complaints = [];
  listen(context, complaints);
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const walk = new Walk(page, demo.urls, pictures);
  walk.step = async (_, work) => work();
  const recovery = await begin(party, demo.urls.Regain, account);
  await page.goto(recovery.url);
  await prove(walk);
  await walk.see("finish");
  await walk.title(/We confirmed it is you/);
  await walk.press("finish");
  const redeemed = await recovery.redeem(await back(page, party.redirect));
  await context.close();
  assert.deepEqual(complaints, [], "the browser's console");
  return redeemed;
}

/** Decrypts the recovery token and verifies what is inside, as docs/recovery-token.md says. */
async function open(token, party, config) {
  const { issuer, jwks_uri: uri } = config.serverMetadata();
  const { plaintext, protectedHeader } = await jose.compactDecrypt(token, party.decryption, { keyManagementAlgorithms: ["ECDH-ES"], contentEncryptionAlgorithms: ["A256GCM"] });
  assert.equal(protectedHeader.cty, "JWT");
  const keys = jose.createLocalJWKSet(await (await fetch(uri)).json());
  const { payload } = await jose.jwtVerify(plaintext, keys, { issuer, audience: party.id, typ: "recovery+jwt", algorithms: ["ES256"], requiredClaims: ["exp", "jti"] });
  return payload;
}

/** The pass works once. */
async function usePass(config, party, recovery) {
  const endpoint = config.serverMetadata().temporary_access_pass_endpoint;
  const ask = async () => {
    const headers = new Headers({ "content-type": "application/x-www-form-urlencoded" });
    const form = new URLSearchParams({ account: recovery.sub, pass: recovery.recovery.temporary_access_pass.value });
    await party.authentication(config.serverMetadata(), { client_id: party.id }, form, headers);
    return (await fetch(endpoint, { method: "POST", headers, body: form })).json();
  };
  assert.equal((await ask()).active, true);
  assert.equal((await ask()).active, false);
}
