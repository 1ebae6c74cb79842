// A wallet that shares nothing with us: the OpenWallet Foundation's oid4vc-ts speaks OpenID4VCI and OpenID4VP, sd-jwt-js
// and mdoc-ts (mdoc.mjs) read and present the credentials, and jose does the cryptography. Only the Face Check call is
// written here: nobody has published that exchange (docs/protocols.md §3).
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { setGlobalConfig, clientAuthenticationAnonymous } from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import * as jose from "jose";
import * as mdoc from "./mdoc.mjs";
import { resolve, signers } from "./request.mjs";

setGlobalConfig({ allowInsecureUrls: true }); // the demo's servers are on this machine

const hash = (data, algorithm) => new Uint8Array(createHash(algorithm.replace("-", "")).update(data).digest());

/** What the libraries leave to the wallet: keys and algorithms. */
function callbacks(key) {
  return {
    hash,
    generateRandom: (length) => new Uint8Array(randomBytes(length)),
    clientAuthentication: clientAuthenticationAnonymous(),
    signJwt: async (signer, { header, payload }) => ({
      jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(key.privateKey), signerJwk: signer.publicJwk ?? key.publicJwk,
    }),
    verifyJwt: async (signer, { header, compact }) => {
      const publicKey = await signers[signer.method](signer);
      await jose.compactVerify(compact, publicKey, { algorithms: [header.alg] });
      return { verified: true, signerJwk: await jose.exportJWK(publicKey) };
    },
    encryptJwe: async ({ publicJwk, alg, enc }, data) => ({
      encryptionJwk: publicJwk,
      jwe: await new jose.CompactEncrypt(new TextEncoder().encode(data)).setProtectedHeader({ alg, enc, kid: publicJwk.kid })
        .encrypt(await jose.importJWK(publicJwk, alg)),
    }),
    decryptJwe: async () => ({ decrypted: false }),
    getX509CertificateMetadata: (certificate) => ({
      sanDnsNames: (new X509Certificate(Buffer.from(certificate, "base64")).subjectAltName ?? "").split(", ").flatMap((name) => (name.startsWith("DNS:") ? [name.slice(4)] : [])),
      sanUriNames: [],
    }),
  };
}

/** Which encryptions the wallet can do. */
const serverMetadata = {
  authorization_signing_alg_values_supported: [], authorization_encryption_alg_values_supported: ["ECDH-ES"], authorization_encryption_enc_values_supported: ["A128GCM", "A256GCM"],
};

/** The type of the demo's Verified IDs. */
export const VERIFIED_ID = "urn:regain:verified-identity:1";

const typesOf = ({ meta }) => meta.vct_values ?? [meta.doctype_value];

export class Wallet {
  /** Makes a wallet with a fresh key. */
  static async create() {
    const pair = await jose.generateKeyPair("ES256", { extractable: true });
    return new Wallet({ privateKey: pair.privateKey, publicJwk: await jose.exportJWK(pair.publicKey), privateJwk: await jose.exportJWK(pair.privateKey) });
  }

  constructor(key) {
    this.key = key;
    this.held = {}; // by type: a credential
    this.issuance = new Openid4vciClient({ callbacks: callbacks(key) });
    this.presentation = new Openid4vpClient({ callbacks: callbacks(key) });
    this.credentials = new SDJwtVcInstance({
      hasher: (data, algorithm) => hash(typeof data === "string" ? data : new Uint8Array(data), algorithm), hashAlg: "sha-256", kbSignAlg: "ES256",
      kbSigner: async (data) => {
        const [header, payload] = data.split(".").map((part) => Buffer.from(part, "base64url"));
        const { signature } = await new jose.FlattenedSign(payload).setProtectedHeader(JSON.parse(header)).sign(key.privateKey);
        return signature;
      },
    });
  }

  /** Takes every credential of an offer (OpenID4VCI 1.0, pre-authorized code). */
  async accept(link) {
    const offer = await this.issuance.resolveCredentialOffer(`openid-credential-offer://${new URL(link).search}`);
    this.issuer = await this.issuance.resolveIssuerMetadata(offer.credential_issuer);
    const { accessTokenResponse } = await this.issuance.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer: offer, issuerMetadata: this.issuer });
    for (const id of offer.credential_configuration_ids) {
      const { jwt } = await this.issuance.createCredentialRequestJwtProof({
        issuerMetadata: this.issuer, credentialConfigurationId: id, nonce: await this.nonce(),
        signer: { method: "jwk", publicJwk: this.key.publicJwk, alg: "ES256" },
      });
      const { credentialResponse } = await this.issuance.retrieveCredentials({
        issuerMetadata: this.issuer, accessToken: accessTokenResponse.access_token, credentialConfigurationId: id, proofs: { jwt: [jwt] },
      });
      const { vct, doctype } = this.issuer.credentialIssuer.credential_configurations_supported[id];
      this.held[vct ?? doctype] = credentialResponse.credentials[0].credential;
    }
  }

  async nonce() { return (await this.issuance.requestNonce({ issuerMetadata: this.issuer })).c_nonce; }

  /** Presents an SD-JWT VC with the claims that may be seen, bound to whoever asks. */
  async present(credential, claims, nonce, audience) {
    const frame = Object.fromEntries(claims.map((name) => [name, true]));
    return this.credentials.present(credential, frame, { kb: { payload: { iat: Math.floor(Date.now() / 1000), nonce, aud: audience } } });
  }

  /** Has the face compared with the photo in a credential: that picture is as good a selfie as any here. */
  async faceCheck(type = VERIFIED_ID) {
    const { credential_issuer: audience, face_check_endpoint: endpoint } = this.issuer.credentialIssuer;
    const [credential, nonce] = [this.held[type], await this.nonce()];
    const shown = type === VERIFIED_ID
      ? { presentation: await this.present(credential, ["portrait"], nonce, audience), selfie: (await this.credentials.getClaims(credential)).portrait }
      : { ...(await mdoc.presentPortrait(credential, { client_id: audience, nonce, response_uri: endpoint, client_metadata: {} }, this.key.privateJwk)), nonce };
    const response = await fetch(endpoint, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(shown) });
    if (!response.ok) throw new Error(`Face Check: ${response.status} ${await response.text()}`);
    const { receipt } = await response.json();
    this.held[(await this.credentials.decode(receipt)).jwt.payload.vct] = receipt;
  }

  /** Answers each query with what is held of the type, bound to the request: by its client_id, or to the page's origin. */
  async token(request, origin) {
    const token = {};
    for (const query of request.dcql_query.credentials) {
      const types = typesOf(query);
      const credential = this.held[types.find((type) => this.held[type])];
      if (!credential) throw new Error(`the wallet holds none of ${types}`);
      token[query.id] = [query.format === "mso_mdoc"
        ? await mdoc.present(credential, query, await mdoc.session(request, origin), this.key.privateJwk)
        : await this.present(credential, (query.claims ?? []).map((claim) => claim.path[0]), request.nonce, origin ? `origin:${origin}` : request.client_id)];
    }
    return token;
  }

  /** Puts an answer into the form of the request's response mode. */
  async respond(request, answer, origin) {
    return this.presentation.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: request, authorizationResponsePayload: answer, origin,
      jarm: request.response_mode.endsWith(".jwt") ? { encryption: { nonce: randomBytes(16).toString("base64url") }, serverMetadata } : undefined,
    });
  }

  /** Reads the request of a link, fetching it if need be. */
  async read(link) {
    const parsed = this.presentation.parseOpenid4vpAuthorizationRequest({ authorizationRequest: `openid4vp://authorize${new URL(link).search}` });
    return (await this.presentation.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params })).authorizationRequestPayload;
  }

  /** Answers a request (OpenID4VP 1.0) and returns where the browser has to go. */
  async answer(link) {
    const request = await this.read(link);
    await this.faceCheck(typesOf(request.dcql_query.credentials[0])[0]);
    const { authorizationResponsePayload, jarm } = await this.respond(request, { vp_token: await this.token(request) });
    return this.submit({ authorizationRequestPayload: request, authorizationResponsePayload, jarm });
  }

  /** Answers with an error of OpenID4VP 1.0 §8.5, and returns where the browser has to go. */
  async refuse(link, error) {
    const request = await this.read(link);
    return this.submit({ authorizationRequestPayload: request, authorizationResponsePayload: { error, state: request.state } });
  }

  async submit(options) {
    const { response } = await this.presentation.submitOpenid4vpAuthorizationResponse(options);
    if (!response.ok) throw new Error(`answer: ${response.status} ${await response.text()}`);
    return (await response.json()).redirect_uri;
  }

  /**
   * Answers one of the requests that a page hands to its browser (OpenID4VP 1.0 Appendix A), and returns what the page gets.
   * changes make it an answer to something else: to another request, or to another page.
   */
  async answerBrowser({ protocol, data }, origin, changes = {}) {
    const request = { ...(await resolve(this.presentation, { protocol, data }, origin)), ...changes.request };
    const { authorizationResponsePayload, jarm } = await this.respond(request, { vp_token: await this.token(request, changes.origin ?? origin) }, origin);
    return { protocol, response: jarm ? { response: jarm.responseJwt } : authorizationResponsePayload };
  }
}
