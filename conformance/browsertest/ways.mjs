// The ways of asking a wallet that asking.mjs walks: the configuration that joins the demo's. Each has a wallet profile, a
// recovery profile and an account of its own, all of one name.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CARD, RECEIPT } from "./issuer.mjs";

const names = (given, family) => [{ attribute: "given_name", claim: given }, { attribute: "family_name", claim: family }];
const verifiedId = { types: ["urn:regain:verified-identity:1"], bindings: names("given_name", "family_name") };
const document = (doctype, namespace) => ({ format: "mso_mdoc", types: [doctype], bindings: names(`${namespace}/given_name`, `${namespace}/family_name`) });

/** What differs from way to way: in the wallet profile, and in the recovery profile. */
const ways = (host) => ({
  signed: { wallet: { digital_credentials: ["signed"] } },
  unsigned: { wallet: { digital_credentials: ["unsigned"] } },
  multisigned: { wallet: { digital_credentials: ["multisigned"] } },
  plain: { wallet: { response_mode: "direct_post", digital_credentials: ["unsigned"] } },
  get: { wallet: { request_uri_method: "get" } },
  dns: { wallet: { client_id_prefix: "x509_san_dns", client_id: host.split(":")[0] } },
  did: { wallet: { client_id_prefix: "decentralized_identifier", client_id: `did:web:${host.replace(":", "%3A")}`, key_id: "request-1" } },
  value: { wallet: { client_id_prefix: "redirect_uri", by_value: true } },
  haip: { wallet: { haip: true } },
  licence: { wallet: { digital_credentials: ["signed"] }, profile: { credential: document("org.iso.18013.5.1.mDL", "org.iso.18013.5.1") } },
  card: { wallet: { digital_credentials: ["unsigned"] }, profile: { credential: document(CARD, CARD) } },
  rotating: { wallet: {}, profile: { cross_device: { allow: true, qr_lifetime: "20s" } } },
  several: { wallet: { display_name: "Example Wallet", digital_credentials: ["signed", "unsigned"] }, profile: { wallets: ["several", "other"] } },
});

/** The account that meets a way. All are Ada's. */
export const accountOf = (way) => `${way}@example.org`;

/** Writes the configuration, and returns the path of its file. */
export async function configure(directory, { host, clients, issuer }) {
  const file = async (name, text) => { await writeFile(join(directory, name), text); return join(directory, name); };
  const all = Object.entries(ways(host));
  const accounts = all.map(([name]) => ({ name: accountOf(name), groups: [name], attributes: { given_name: "Ada", family_name: "Lindqvist" } }));
  return file("regain.yaml", JSON.stringify({ // JSON is YAML
    clients,
    directory: { file: await file("directory.yaml", JSON.stringify({ accounts, groups: ["executives"] })) },
    trusted_proxies: ["127.0.0.0/8"], // whoever tests says where they are
    trust: [{ types: [CARD, RECEIPT], anchors_file: await file("issuer.crt", issuer.anchor), status_optional: true }],
    face_check: { receipt_types: [RECEIPT] },
    wallets: [...all.map(([name, { wallet }]) => ({ name, ...wallet })), { name: "other", display_name: "Campus Wallet" }],
    profiles: all.map(([name, { profile }], i) => ({
      name, mode: "production", priority: 100 + i, groups: [name], wallets: [name], cross_device: { allow: true }, proofing: "northlight", credential: verifiedId, ...profile,
    })),
  }));
}
