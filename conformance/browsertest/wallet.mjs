// A wallet that shares nothing with us: the OpenWallet Foundation's oid4vc-ts speaks OpenID4VCI and OpenID4VP, sd-jwt-js
// reads and presents the credentials, and jose does the cryptography. Only the Face Check call is written here: nobody
// has published that exchange (docs/protocols.md §3).
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { setGlobalConfig, clientAuthenticationAnonymous } from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import * as jose from "jose";

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
      const certificate = new X509Certificate(Buffer.from(signer.x5c[0], "base64"));
      await jose.compactVerify(compact, certificate.publicKey, { algorithms: [header.alg] });
      return { verified: true, signerJwk: await jose.exportJWK(certificate.publicKey) };
    },
    encryptJwe: async ({ publicJwk, alg, enc }, data) => ({
      encryptionJwk: publicJwk,
      jwe: await new jose.CompactEncrypt(new TextEncoder().encode(data)).setProtectedHeader({ alg, enc, kid: publicJwk.kid })
        .encrypt(await jose.importJWK(publicJwk, alg)),
    }),
    decryptJwe: async () => ({ decrypted: false }),
    getX509CertificateMetadata: () => ({ sanDnsNames: [], sanUriNames: [] }),
  };
}

export class Wallet {
  /** Makes a wallet with a fresh key. */
  static async create() {
    const pair = await jose.generateKeyPair("ES256", { extractable: true });
    const publicJwk = await jose.exportJWK(pair.publicKey);
    return new Wallet({ privateKey: pair.privateKey, publicJwk });
  }

  constructor(key) {
    this.key = key;
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

  /** Takes the credential of an offer (OpenID4VCI 1.0, pre-authorized code). */
  async accept(link) {
    const offer = await this.issuance.resolveCredentialOffer(`openid-credential-offer://${new URL(link).search}`);
    this.issuer = await this.issuance.resolveIssuerMetadata(offer.credential_issuer);
    const { accessTokenResponse } = await this.issuance.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer: offer, issuerMetadata: this.issuer });
    const [id] = offer.credential_configuration_ids;
    const { jwt } = await this.issuance.createCredentialRequestJwtProof({
      issuerMetadata: this.issuer, credentialConfigurationId: id, nonce: await this.nonce(),
      signer: { method: "jwk", publicJwk: this.key.publicJwk, alg: "ES256" },
    });
    const { credentialResponse } = await this.issuance.retrieveCredentials({
      issuerMetadata: this.issuer, accessToken: accessTokenResponse.access_token, credentialConfigurationId: id, proofs: { jwt: [jwt] },
    });
    this.verifiedId = credentialResponse.credentials[0].credential;
  }

  async nonce() { return (await this.issuance.requestNonce({ issuerMetadata: this.issuer })).c_nonce; }

  /** Presents a credential with the claims that may be seen, bound to whoever asks. */
  async present(credential, claims, nonce, audience) {
    const frame = Object.fromEntries(claims.map((name) => [name, true]));
    return this.credentials.present(credential, frame, { kb: { payload: { iat: Math.floor(Date.now() / 1000), nonce, aud: audience } } });
  }

  /** Has the face compared: the picture from the document is as good a selfie as any here. */
  async faceCheck() {
    const metadata = this.issuer.credentialIssuer;
    const { portrait } = await this.credentials.getClaims(this.verifiedId);
    const presentation = await this.present(this.verifiedId, ["portrait"], await this.nonce(), metadata.credential_issuer);
    const response = await fetch(metadata.face_check_endpoint, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ presentation, selfie: portrait }),
    });
    if (!response.ok) throw new Error(`Face Check: ${response.status} ${await response.text()}`);
    return (await response.json()).receipt;
  }

  /** Answers a request (OpenID4VP 1.0) and returns where the browser has to go. */
  async answer(link) {
    const parsed = this.presentation.parseOpenid4vpAuthorizationRequest({ authorizationRequest: `openid4vp://authorize${new URL(link).search}` });
    const { authorizationRequestPayload: request, client } = await this.presentation.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params });
    const present = (credential, claims) => this.present(credential, claims, request.nonce, client.effective);
    const [wanted] = request.dcql_query.credentials;
    const response = await this.presentation.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: request,
      authorizationResponsePayload: {
        vp_token: {
          verified_id: [await present(this.verifiedId, wanted.claims.map((claim) => claim.path[0]))],
          face_check: [await present(await this.faceCheck(), [])],
        },
      },
      jarm: { encryption: { nonce: randomBytes(16).toString("base64url") }, serverMetadata: {
        authorization_signing_alg_values_supported: [], authorization_encryption_alg_values_supported: ["ECDH-ES"], authorization_encryption_enc_values_supported: ["A128GCM", "A256GCM"],
      } },
    });
    const { response: answer } = await this.presentation.submitOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: request, authorizationResponsePayload: response.authorizationResponsePayload, jarm: response.jarm,
    });
    if (!answer.ok) throw new Error(`answer: ${answer.status} ${await answer.text()}`);
    return (await answer.json()).redirect_uri;
  }
}
