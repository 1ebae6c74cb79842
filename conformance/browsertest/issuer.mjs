// An issuer that shares nothing with us: its authority's and its signers' certificates are made by @peculiar/x509, its
// staff cards (mdocs) by mdoc-ts, and its Face Check receipts by sd-jwt-js.
import { createHash, createPrivateKey, randomUUID, sign, webcrypto } from "node:crypto";
import { DateOnly, DeviceKey, Issuer as MdocIssuer, SignatureAlgorithm } from "@owf/mdoc";
import "reflect-metadata"; // which x509 wants to be there first
import * as x509 from "@peculiar/x509";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { context } from "./mdoc.mjs";

x509.cryptoProvider.set(webcrypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 24 * 60 * 60 * 1000;

/** The type of this issuer's cards, and their namespace. */
export const CARD = "org.example.staff.1";
const DOCUMENT_SIGNER = "1.0.18013.5.1.2"; // ISO 18013-5 Annex B.1.4

/** The type of this issuer's receipts. */
export const RECEIPT = "urn:foreign:face-check-receipt:1";

export class Issuer {
  static async create() {
    const issuer = new Issuer();
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    issuer.since = new Date(Math.floor((Date.now() - day) / 1000) * 1000);
    issuer.authority = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=Foreign Authority, C=SE", keys, signingAlgorithm: algorithm, notBefore: issuer.since, notAfter: new Date(Date.now() + 30 * day),
      extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)],
    });
    issuer.documents = await issuer.certify(keys, "Document Signer", [new x509.ExtendedKeyUsageExtension([DOCUMENT_SIGNER], true)]);
    issuer.receipts = await issuer.certify(keys, "Face Checks", []);
    return issuer;
  }

  /** The authority's certificate in PEM: whoever trusts it trusts what its signers sign. */
  get anchor() { return this.authority.toString("pem"); }

  /** Makes a key and its certificate under the authority. */
  async certify(authority, name, extensions) {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}, C=SE`, issuer: this.authority.subject, publicKey: keys.publicKey, signingKey: authority.privateKey, signingAlgorithm: algorithm,
      notBefore: this.since, notAfter: new Date(Date.now() + 10 * day),
      extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true), ...extensions],
    });
    return { jwk: await webcrypto.subtle.exportKey("jwk", keys.privateKey), der: new Uint8Array(certificate.rawData) };
  }

  /** Issues a staff card for the key of a device. */
  async card(person, deviceJwk) {
    return new MdocIssuer(CARD, context).addIssuerNamespace(CARD, {
      ...person, hired: new DateOnly("2019-09-01"), number: 4711, portrait: new Uint8Array([0xff, 0xd8, 0xff, 0xd9]),
      rooms: [new Map([["house", "B"], ["floor", 3]])],
    }).sign({
      signingKey: this.documents.jwk, algorithm: SignatureAlgorithm.ES256, digestAlgorithm: "SHA-256", certificates: [this.documents.der],
      deviceKeyInfo: { deviceKey: DeviceKey.fromJwk(deviceJwk) },
      validityInfo: { signed: this.since, validFrom: this.since, validUntil: new Date(this.since.getTime() + 8 * day) },
    });
  }

  /** Compares nobody's face, and writes a receipt about the photo in a card: this issuer believes everybody. */
  async receipt(card, deviceJwk) {
    const { payload, mobileSecurityObject: object } = card.issuerAuth;
    const portrait = card.getIssuerNamespace(CARD).find((item) => item.elementIdentifier === "portrait");
    const digest = object.valueDigests.getDigestForNamespace(CARD, portrait.digestId);
    const { kty, crv, x, y } = deviceJwk;
    const now = Math.floor(Date.now() / 1000);
    return new SDJwtVcInstance({
      hasher: (data, name) => new Uint8Array(createHash(name.replace("-", "")).update(data).digest()), hashAlg: "sha-256", signAlg: "ES256",
      saltGenerator: () => randomUUID(),
      signer: (data) => sign("sha256", Buffer.from(data), { key: createPrivateKey({ format: "jwk", key: this.receipts.jwk }), dsaEncoding: "ieee-p1363" }).toString("base64url"),
    }).issue({
      iss: "https://foreign.example", vct: RECEIPT, jti: `urn:uuid:${randomUUID()}`, iat: now, exp: now + 600, cnf: { jwk: { kty, crv, x, y } },
      faceCheckResults: [{
        sourceVcJti: `ni:///sha-256;${createHash("sha256").update(payload).digest("base64url")}`, sourcePhotoDigest: Buffer.from(digest).toString("base64url"),
        matchConfidenceThreshold: 70, matchConfidenceScore: 91.5, sourcePhotoQuality: "HIGH",
      }],
    }, undefined, { header: { x5c: [Buffer.from(this.receipts.der).toString("base64")] } });
  }
}
