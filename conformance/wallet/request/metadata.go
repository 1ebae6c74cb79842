package request

import (
	"crypto/elliptic"
	"slices"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/dcql"
)

// metadata is what a request says about its verifier (OpenID4VP 1.0 §5.1, §11.1).
type metadata struct {
	keys      []json.RawMessage
	encodings []string
	formats   Formats
}

// metadata reads client_metadata, or what is registered in its place: never both, since what was
// registered is what the operator vouches for (OpenID4VP 1.0 §8.5, invalid_client).
func (s sender) metadata(p parameters) (metadata, error) {
	raw := p.Metadata
	if s.registered != nil && s.registered.Metadata != nil {
		if raw != nil {
			return metadata{}, turnDown(InvalidClient, "client_metadata of a client whose metadata is registered")
		}
		raw = json.RawMessage(s.registered.Metadata)
	}
	return readMetadata(raw)
}

func readMetadata(raw json.RawMessage) (metadata, error) {
	if raw == nil {
		return metadata{}, turnDown(InvalidRequest, "client_metadata is missing")
	}
	var m struct {
		JWKS struct {
			Keys []json.RawMessage `json:"keys"`
		} `json:"jwks"`
		Encodings []string `json:"encrypted_response_enc_values_supported"`
		Formats   Formats  `json:"vp_formats_supported"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return metadata{}, turnDown(InvalidRequest, "client_metadata is not the JSON expected")
	}
	return metadata{keys: m.JWKS.Keys, encodings: m.Encodings, formats: m.Formats}, nil
}

// seal chooses whom the answer is encrypted to.
func (c *Channel) seal(m metadata) error {
	recipient, err := jose.ChooseRecipient(m.keys, m.encodings)
	if err != nil {
		return turnDown(InvalidRequest, "%w", err)
	}
	c.Recipient = &recipient
	return nil
}

// Formats are the credential formats and algorithms that the verifier takes: vp_formats_supported
// (OpenID4VP 1.0 §11.1, Appendix B.2.2, B.3.4). Formats of other kinds of credential are passed over.
type Formats struct {
	SDJWT *struct {
		Issuer []string `json:"sd-jwt_alg_values"`
		Holder []string `json:"kb-jwt_alg_values"`
	} `json:"dc+sd-jwt"`
	Mdoc *struct {
		Issuer []int64 `json:"issuerauth_alg_values"`
		Device []int64 `json:"deviceauth_alg_values"`
	} `json:"mso_mdoc"`
}

// TakesSDJWT reports whether an SD-JWT VC signed with the algorithm is one that the verifier can
// take; the holder of this wallet signs with ES256.
func (f Formats) TakesSDJWT(issuer string) bool {
	return f.SDJWT != nil && f.holdersSDJWT() && (f.SDJWT.Issuer == nil || slices.Contains(f.SDJWT.Issuer, issuer))
}

// TakesMdoc is TakesSDJWT for an mdoc, whose algorithm is a COSE identifier.
func (f Formats) TakesMdoc(issuer int64, curve elliptic.Curve) bool {
	return f.Mdoc != nil && f.holdersMdoc() && (f.Mdoc.Issuer == nil || overlap(f.Mdoc.Issuer, identifiers(issuer, curve)))
}

func (f Formats) holdersSDJWT() bool {
	return f.SDJWT.Holder == nil || slices.Contains(f.SDJWT.Holder, "ES256")
}

func (f Formats) holdersMdoc() bool {
	return f.Mdoc.Device == nil || overlap(f.Mdoc.Device, identifiers(-7, elliptic.P256()))
}

// identifiers returns the COSE identifiers that mean the algorithm: its own, and the one that names
// the curve as well (OpenID4VP 1.0 Appendix B.2.2).
func identifiers(alg int64, curve elliptic.Curve) []int64 {
	switch {
	case alg == -7 && curve == elliptic.P256():
		return []int64{alg, -9}
	case alg == -35 && curve == elliptic.P384():
		return []int64{alg, -51}
	case alg == -36 && curve == elliptic.P521():
		return []int64{alg, -52}
	case alg == -8:
		return []int64{alg, -19}
	}
	return []int64{alg}
}

func overlap(a, b []int64) bool {
	return slices.ContainsFunc(a, func(x int64) bool { return slices.Contains(b, x) })
}

// check wants one format at least that is asked for, that the verifier takes, and that this wallet
// can present.
func (f Formats) check(q dcql.Query) error {
	for _, c := range q.Credentials {
		if c.Format == dcql.SDJWT && f.SDJWT != nil && f.holdersSDJWT() {
			return nil
		}
		if c.Format == dcql.Mdoc && f.Mdoc != nil && f.holdersMdoc() {
			return nil
		}
	}
	return turnDown(FormatsNotSupported, "no format is asked for that vp_formats_supported takes and this wallet has")
}
