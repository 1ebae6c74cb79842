// What a wallet has to know about requests and oid4vc-ts does not: whose key signed one, and requests through a browser that
// several signed.
import { strict as assert } from "node:assert";
import { createHash, X509Certificate } from "node:crypto";
import * as jose from "jose";

const certified = (x5c) => new X509Certificate(Buffer.from(x5c[0], "base64"));

/** The key of whoever signed, by how the request says who that is. */
export const signers = {
  x5c: async ({ x5c }) => certified(x5c).publicKey,
  did: async ({ didUrl }) => {
    const [, did, host] = /^(did:web:([^:#]+))#/.exec(didUrl);
    const document = await (await fetch(`http://${decodeURIComponent(host)}/.well-known/did.json`)).json(); // https, but in the demo
    assert.equal(document.id, did);
    assert.ok(document.authentication.includes(didUrl));
    const { publicKeyJwk } = document.verificationMethod.find(({ id }) => id === didUrl);
    return jose.importJWK(publicKeyJwk, "ES256");
  },
};

/** Reads a request that a page handed to its browser (OpenID4VP 1.0 Appendix A.3). */
export async function resolve(presentation, { protocol, data }, origin) {
  const payload = protocol === "openid4vp-v1-multisigned" ? await severally(data.request, origin) : data;
  const { authorizationRequestPayload: request } = await presentation.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: payload, origin });
  return request;
}

/** Verifies every signature over a request: a wallet may trust any one of those who sign (Appendix A.3.2). */
async function severally(request, origin) {
  assert.ok(request.signatures.length > 0);
  let payload;
  for (const signature of request.signatures) {
    const { x5c } = jose.decodeProtectedHeader(signature);
    const verified = await jose.flattenedVerify({ payload: request.payload, ...signature }, certified(x5c).publicKey, { algorithms: ["ES256"] });
    assert.equal(verified.protectedHeader.typ, "oauth-authz-req+jwt");
    assert.equal(verified.protectedHeader.client_id, `x509_hash:${createHash("sha256").update(certified(x5c).raw).digest("base64url")}`);
    payload = JSON.parse(new TextDecoder().decode(verified.payload));
    assert.equal(payload.client_id, undefined);
  }
  assert.deepEqual(payload.expected_origins, [origin]);
  return payload;
}
