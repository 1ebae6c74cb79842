package presentation

import (
	"slices"

	"regain/presentation/dcql"
)

// clientMetadata says how to answer: nothing else may stand there (§5.1), so neither a name nor a logo of ours.
//
// Every JWK says alg, kid and use (§8.3). HAIP 1.0 §5 wants both content encryptions offered; wallets that do not choose
// take the first, which is the specification's default.
func (r Request) clientMetadata() []byte {
	const usual, one = 512, 128 // bytes, and of one format
	o := newObject(usual)
	if r.Key != nil {
		o.raw("jwks", []byte(`{"keys":[{"kty":"EC","crv":"P-256","use":"enc","alg":"ECDH-ES","kid":"`+r.Key.ID+`","x":"`+r.Key.x()+`","y":"`+r.Key.y()+`"}]}`))
		o.raw("encrypted_response_enc_values_supported", []byte(`["A128GCM","A256GCM"]`))
	}
	formats := newObject(one)
	for _, format := range r.formats() {
		formats.raw(format, []byte(algorithmsOf(format)))
	}
	written, _ := formats.close() // constants only
	o.raw("vp_formats_supported", written)
	whole, _ := o.close()
	return whole
}

// formats lists the formats that the query asks for, each once.
func (r Request) formats() []string {
	var found []string
	for _, c := range r.Query.Credentials {
		if !slices.Contains(found, c.Format) {
			found = append(found, c.Format)
		}
	}
	return found
}

// algorithmsOf is what package verifier verifies, in the words of each format (Appendix B.1.3.1.3, B.2.2, B.3.4): JWS
// names, or COSE's numbers for ES256, registered twice.
func algorithmsOf(format string) string {
	switch format {
	case dcql.FormatSDJWT:
		return `{"sd-jwt_alg_values":["ES256"],"kb-jwt_alg_values":["ES256"]}`
	case dcql.FormatMdoc:
		return `{"issuerauth_alg_values":[-7,-9],"deviceauth_alg_values":[-7,-9]}`
	case dcql.FormatJWTVC:
		return `{"alg_values":["ES256","ES256K","EdDSA"]}`
	}
	return `{}`
}
