// A relying party and a wallet that share nothing with us. The relying party is panva's openid-client and jose, as an
// IdP's engineer would use them; the wallet is in wallet.mjs. What they accept, others will.
//
//   node foreign.mjs PROGRAM
import { strict as assert } from "node:assert";
import dns from "node:dns";
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as client from "openid-client";
import * as jose from "jose";
import { startBrowser, startDemo } from "./world.mjs";
import { Walk } from "./steps.mjs";
import { Wallet } from "./wallet.mjs";

const account = "ada.lindqvist@example.org";
const [program] = process.argv.slice(2);
const lookup = dns.lookup; // names under .localhost are this machine, whatever the resolver says (RFC 6761 §6.3)
dns.lookup = (host, options, done) => lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, options, done);

/** Makes a client's keys, and the files with which it is registered. */
async function register(directory, id, redirect, method) {
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

/** Federates once: pushed request, the person's journey, code, tokens, userinfo, pass. */
async function federate(party, demo, browser, prove, name) {
  const issuer = new URL(demo.urls.Regain);
  const config = await client.discovery(issuer, party.id, undefined, party.authentication, { execute: [client.allowInsecureRequests] });
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: party.redirect, scope: "openid recovery", state, nonce, login_hint: account,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const returned = await journey(url.href, party, demo, browser, prove);
  const tokens = await client.authorizationCodeGrant(config, new URL(returned), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
  const { sub, txn, acr } = tokens.claims();
  assert.equal(sub, account);
  const info = await client.fetchUserInfo(config, tokens.access_token, sub);
  assert.deepEqual([info.sub, info.txn], [sub, txn]);
  const recovery = await open(tokens.recovery_token, party, config);
  assert.deepEqual([recovery.sub, recovery.txn, recovery.nonce, recovery.acr], [sub, txn, nonce, acr]);
  await usePass(config, party, recovery);
  await assert.rejects(client.authorizationCodeGrant(config, new URL(returned), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce }), { error: "invalid_grant" });
  console.log(`ok    openid-client with ${party.entry.token_endpoint_auth_method}, and ${name}`);
}

/** Is the person who recovers, until the browser is back at the relying party, and returns the URL it came to. */
async function journey(start, party, demo, browser, prove) {
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const walk = new Walk(page, demo.urls, undefined);
  walk.step = async (_, work) => work();
  await page.goto(start);
  await prove(walk);
  await walk.see("finish");
  const back = page.waitForURL((url) => url.href.startsWith(party.redirect));
  await walk.press("finish");
  await back;
  const url = page.url();
  await context.close();
  return url;
}

/** Proves who one is with the demo's wallet. */
async function ourWallet(walk) {
  await walk.prove("ada.lindqvist");
  await walk.present("ada.lindqvist");
}

/** Proves who one is with a wallet of foreign libraries. */
async function foreignWallet(walk) {
  const wallet = await Wallet.create();
  await walk.verify("ada.lindqvist");
  await wallet.accept(await walk.page.locator("#wallet-link").getAttribute("href"));
  await walk.press("return");
  await walk.press("have-verified-id");
  await walk.see("open-wallet");
  await walk.page.goto(await wallet.answer(await walk.page.locator("#open-wallet").getAttribute("href")));
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
    const form = new URLSearchParams({ account, pass: recovery.recovery.temporary_access_pass.value });
    await party.authentication(config.serverMetadata(), { client_id: party.id }, form, headers);
    return (await fetch(endpoint, { method: "POST", headers, body: form })).json();
  };
  assert.equal((await ask()).active, true);
  assert.equal((await ask()).active, false);
}

const directory = await mkdtemp(join(tmpdir(), "regain-foreign-"));
const server = createServer((_, response) => response.end("back at the relying party"));
await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
const redirect = `http://localhost:${server.address().port}/callback`;
const parties = [await register(directory, "foreign-jwt", redirect, "private_key_jwt"), await register(directory, "foreign-basic", redirect, "client_secret_basic")];
const file = join(directory, "clients.yaml");
await writeFile(file, JSON.stringify({ clients: parties.map((party) => party.entry) })); // JSON is YAML
const demo = await startDemo(program, Number(process.env.REGAIN_BROWSERTEST_PORT ?? 18400) + 10, ["--clients", file]);
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");
try {
  await federate(parties[0], demo, browser, foreignWallet, "a wallet of oid4vc-ts and sd-jwt-js");
  await federate(parties[1], demo, browser, ourWallet, "the demo's wallet");
} finally {
  await browser.close();
  await demo.stop();
  server.close();
  await rm(directory, { recursive: true });
}
