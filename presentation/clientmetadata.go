package presentation

import (
	"slices"
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
		formats.raw(format, algorithmsOf(format))
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
