package target

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/url"

	"regain/conformance/jose"
)

// asks is who the suite is when it asks a wallet of ours: the keys that it signs requests with.
type asks struct {
	authority     certified
	first, second certified // two verifiers, for requests that two sign
}

// verifiers makes the keys, and adds to values how each prefix of client_id names who signs with them.
func (c *configuration) verifiers() {
	suite, err := url.Parse(c.options.Suite)
	c.note(err)
	host := suite.Hostname()
	c.asks.authority = c.authority("Conformance suite's verifiers")
	for suffix, made := range map[string]*certified{"": &c.asks.first, "2": &c.asks.second} {
		*made = c.signer(c.asks.authority, "Conformance suite", host)
		key := made.private("verifier" + suffix)
		did := c.didJWK(key)
		named := key
		named.KeyID, named.Certificate = did+"#0", nil
		for prefix, is := range map[string]struct {
			id  string
			key jose.JWK
		}{
			"x509_hash": {host, key}, "x509_san_dns": {host, key}, "decentralized_identifier": {did, named},
		} {
			c.values["verifier"+suffix+"_id_"+prefix], c.values["verifier"+suffix+"_keys_"+prefix] = is.id, jose.JWKSet{Keys: []jose.JWK{is.key}}
		}
	}
	c.queries()
}

// didJWK is the DID that is a key (did:jwk §3).
func (c *configuration) didJWK(key jose.JWK) string {
	text, err := json.Marshal(jose.JWK{Key: key.Public().Key})
	c.note(err)
	return "did:jwk:" + base64.RawURLEncoding.EncodeToString(text)
}

// queries adds to values what the suite asks for, by the variant credential_format.
func (c *configuration) queries() {
	query := func(format string, meta map[string]any, paths ...[]string) map[string]any {
		var claims []map[string]any
		for _, path := range paths {
			claims = append(claims, map[string]any{"path": path})
		}
		return map[string]any{"credentials": []map[string]any{{"id": "verified_id", "format": format, "meta": meta, "claims": claims}}}
	}
	const namespace = "org.iso.18013.5.1"
	c.values["query_sd_jwt_vc"] = query("dc+sd-jwt", map[string]any{"vct_values": []string{"urn:regain:verified-identity:1"}}, []string{"given_name"}, []string{"family_name"})
	c.values["query_iso_mdl"] = query("mso_mdoc", map[string]any{"doctype_value": licence}, []string{namespace, "given_name"}, []string{namespace, "family_name"})
}

func (a asks) anchors() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.authority.certificate)
	return pool
}
