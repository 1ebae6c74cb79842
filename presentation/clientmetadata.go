package presentation

import (
	"slices"
)

// clientMetadata returns client_metadata: the encryption key and the supported formats. OpenID4VP 1.0 §5.1 allows
// nothing else, so it has no name and no logo.
//
// The JWK has alg, kid and use (OpenID4VP 1.0 §8.3). HAIP 1.0 §5 requires both content encryptions; A128GCM comes first
// because it is the default of OpenID4VP, and some wallets take the first.
func (r Request) clientMetadata() []byte {
	const usual, one = 512, 128 // initial capacity in bytes, of the whole and of one format
	o := newObject(usual)
	if r.Key != nil {
		o.raw("jwks", []byte(`{"keys":[{"kty":"EC","crv":"P-256","use":"enc","alg":"ECDH-ES","kid":"`+r.Key.ID+`","x":"`+r.Key.x()+`","y":"`+r.Key.y()+`"}]}`))
		o.raw("encrypted_response_enc_values_supported", []byte(`["A128GCM","A256GCM"]`))
	}
	formats := newObject(one)
	for _, format := range r.formats() {
		formats.raw(format, algorithmsOf(format))
	}
	written, _ := formats.close() // encoding constants cannot fail
	o.raw("vp_formats_supported", written)
	whole, _ := o.close()
	return whole
}

func (r Request) formats() []string {
	var found []string
	for _, c := range r.Query.Credentials {
		if !slices.Contains(found, c.Format) {
			found = append(found, c.Format)
		}
	}
	return found
}
