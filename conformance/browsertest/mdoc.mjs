// mdocs in a wallet that shares nothing with us: the OpenWallet Foundation's mdoc-ts reads them and answers with them, Node.js
// does the cryptography.
import { createHash, createPrivateKey, randomBytes, sign } from "node:crypto";
import { CoseKey, DeviceRequest, DocRequest, Holder, IssuerSigned, ItemsRequest, SessionTranscript } from "@owf/mdoc";
import * as jose from "jose";

const refuse = () => { throw new Error("nobody asked for this"); };

/** What the library leaves to its user. It never verifies here: whoever presents has nothing to verify. */
export const context = {
  crypto: {
    random: (length) => new Uint8Array(randomBytes(length)),
    digest: ({ digestAlgorithm, bytes }) => new Uint8Array(createHash(digestAlgorithm.replace("-", "")).update(bytes).digest()),
    calculateEphemeralMacKey: refuse,
  },
  cose: {
    sign1: {
      sign: ({ toBeSigned, key }) => new Uint8Array(sign("sha256", toBeSigned, { key: createPrivateKey({ format: "jwk", key: key.jwk }), dsaEncoding: "ieee-p1363" })),
      verify: refuse,
    },
    mac0: { sign: refuse, verify: refuse },
  },
  x509: { getIssuerNameField: refuse, getPublicKey: refuse, verifyCertificateChain: refuse, getCertificateData: refuse },
};

/** A JWK as mdoc-ts wants it, with the algorithm that the key is for. */
export const coseKey = (jwk) => CoseKey.fromJwk({ ...jwk, alg: "ES256" });

/** The session that a presentation is bound to (OpenID4VP 1.0 Appendix B.2.6): of a request by link, or of a page. */
export async function session(request, origin) {
  const key = request.client_metadata.jwks?.keys[0];
  const jwkThumbprint = key && new Uint8Array(Buffer.from(await jose.calculateJwkThumbprint(key, "sha256"), "base64url"));
  return origin
    ? SessionTranscript.forOid4VpDcApi({ origin, nonce: request.nonce, jwkThumbprint }, context)
    : SessionTranscript.forOid4Vp({ clientId: request.client_id, nonce: request.nonce, jwkThumbprint, responseUri: request.response_uri }, context);
}

/** Presents the photo in an mdoc, and returns it beside the presentation. */
export async function presentPortrait(encoded, request, privateJwk) {
  const { issuerNamespaces, issuerAuth: { mobileSecurityObject: { docType } } } = IssuerSigned.fromEncodedForOid4Vci(encoded);
  const [[namespace, items]] = issuerNamespaces.issuerNamespaces;
  const portrait = items.find(({ elementIdentifier }) => elementIdentifier === "portrait").elementValue;
  const query = { meta: { doctype_value: docType }, claims: [{ path: [namespace, "portrait"] }] };
  return { presentation: await present(encoded, query, await session(request), privateJwk), selfie: Buffer.from(portrait).toString("base64url") };
}

/** Presents what one query asks of an mdoc (IssuerSigned in base64url), signed by its device's key. */
export async function present(encoded, query, sessionTranscript, privateJwk) {
  const namespaces = new Map();
  for (const { path: [namespace, element], intent_to_retain: kept = false } of query.claims) {
    namespaces.set(namespace, (namespaces.get(namespace) ?? new Map()).set(element, kept));
  }
  const itemsRequest = ItemsRequest.create({ docType: query.meta.doctype_value, namespaces });
  const response = await Holder.createDeviceResponseForDeviceRequest({
    deviceRequest: DeviceRequest.create({ docRequests: [DocRequest.create({ itemsRequest })] }),
    issuerSigned: [IssuerSigned.fromEncodedForOid4Vci(encoded)], sessionTranscript, signature: { signingKey: coseKey(privateJwk) },
  }, context);
  return response.encodedForOid4Vp;
}

